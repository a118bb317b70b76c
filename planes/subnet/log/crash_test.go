package log_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"intercom/core/bft"
	"intercom/core/feed"
)

// crashes cuts a peer's power at a random step of its life, again and again: the
// log opens, its state is the one of the block it stands at, nothing that was
// durable is lost, and the chain goes on. A commit that was not yet durable is run
// again from its block, which the engine keeps.
func crashes(t *testing.T, rounds int) {
	random := rand.New(rand.NewPCG(3, 4))
	c := &chain{t: t}
	first := firstEntry("0")
	witness, p := newPeer(t, 0, first), newPeer(t, 0, first)
	roots := []bft.Hash{witness.root()}
	var acknowledged []feed.ID
	lost := 0
	for round := range rounds {
		for range random.IntN(4) {
			e := p.say(fmt.Sprint("put k", random.IntN(9), " ", round))
			acknowledged = append(acknowledged, e.ID())
		}
		block := c.next()
		block.Txs = p.log.Propose(block)
		c.blocks = append(c.blocks, block)
		c.bring(witness)
		roots = append(roots, witness.root())
		// Cut: before, within or after the execution, or after the commit.
		stop := random.IntN(4)
		if stop > 0 {
			if _, err := p.log.Execute(block); err != nil {
				t.Fatal(err)
			}
		}
		if stop > 1 {
			if err := p.log.Commit(); err != nil {
				t.Fatal(err)
			}
		}
		if stop == 3 {
			p.say("put after " + fmt.Sprint(round)) // its fsync makes the commit durable
		}
		before := p.log.Status().Height
		p.crash(random.Uint64N(3))
		now := p.log.Status()
		if now.Root != roots[now.Height] || now.Height > before || (stop == 3 && now.Height != before) {
			t.Fatalf("round %d, cut %d: stood at %d, now %+v, root of then %s", round, stop, before, now, roots[now.Height])
		}
		lost += int(before - now.Height)
		c.bring(p)
		if p.root() != witness.root() {
			t.Fatalf("round %d: roots differ", round)
		}
		for _, id := range acknowledged {
			if ok, err := p.feeds.Has(subnet, id); !ok || err != nil {
				t.Fatalf("round %d: an acknowledged entry is lost: %v", round, err)
			}
		}
	}
	for p.log.Pending() {
		c.confirm(p)
	}
	for _, id := range acknowledged {
		if _, ok, err := p.log.Find(id); !ok || err != nil {
			t.Fatalf("an acknowledged entry was never confirmed: %v", err)
		}
	}
	figure(t, "%d power cuts: opened each time with the root of its block, %d entries kept, %d unacknowledged commits run again", rounds, len(acknowledged), lost)
}

func TestPowerCutLosesNothingThatIsConfirmed(t *testing.T) { crashes(t, 25) }
