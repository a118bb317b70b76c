package bus_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"intercom/planes/msb/bus"
)

// Whatever blocks come: balances, stakes and burned stay the supply, the engine
// gets a set it can take, a proposal chosen here is accepted and settles whole.
func TestLaws(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, rapid.IntRange(1, 3).Draw(rt, "validators"))
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		engine := map[string]bool{}
		for _, s := range w.seats() {
			engine[s.Key.String()] = true
		}
		for range rapid.IntRange(1, 12).Draw(rt, "blocks") {
			b := w.block()
			for range r.IntN(8) {
				b.Txs = append(b.Txs, w.random(r))
			}
			if r.IntN(6) == 0 {
				b.Guilty = append(b.Guilty, bus.AddressOf(key(fmt.Sprint("e", r.IntN(8))).PublicKey()))
			}
			chosen := r.IntN(2) == 0
			var tried bus.Outcome
			if chosen {
				trial, err := w.machine.Pick(w.view(), b, 1<<20)
				if err == nil {
					b.Txs = trial.Txs()
					tried, err = trial.Write(w.update(), b.Guilty)
				}
				if err != nil {
					rt.Fatal(err)
				}
			}
			before := w.root
			out := w.apply(b)
			if chosen && fmt.Sprint(out) != fmt.Sprint(tried) {
				rt.Fatalf("block %d, tried as a proposal, came to %+v, and executed to %+v", b.Height, tried, out)
			}
			if (before == w.root) != (len(b.Txs) == 0 && len(b.Guilty) == 0) {
				rt.Fatalf("block %d of %d transactions: root %s became %s", b.Height, len(b.Txs), before, w.root)
			}
			for i, result := range out.Results {
				if chosen && !result.Settled {
					rt.Fatalf("transaction %d was chosen and then %+v", i, result)
				}
			}
			for _, c := range out.Changes {
				if engine[c.Key.String()] == (c.Power == 1) {
					rt.Fatalf("change %+v of %v", c, engine)
				}
				if c.Power == 1 {
					engine[c.Key.String()] = true
				} else {
					delete(engine, c.Key.String())
				}
			}
			if len(engine) == 0 || len(engine) != len(w.seats()) {
				rt.Fatalf("the engine has %d validators, the state %d", len(engine), len(w.seats()))
			}
			w.conserved()
		}
	})
}

// The roots after 3000 and after a million transactions, which must come out on
// every architecture.
const (
	proofRoot  = "0fd16cb3a6df731ee03a912606eb92e99cefb3b81d53cc8f5b6c1480f0b7d0a6"
	replayRoot = "8d9ea3d178c9d81e9e495ddf90f60021c59c5bba39026d2ec2f8b556505bb3e1"
)

// The same blocks give the same root: on a second machine that has verified
// nothing before, and on every architecture.
func TestReplayGivesTheSameRoot(t *testing.T) {
	if root := replay(t, 3_000); root != replayRoot {
		t.Errorf("root %s, want %s", root, replayRoot)
	}
}

// TestProofReplay is the long form: INTERCOM_PROOF=1 go test -run TestProof -v -timeout 1h.
func TestProofReplay(t *testing.T) {
	n, long := 2_000, os.Getenv("INTERCOM_PROOF") != ""
	if long {
		n = 1_000_000
	}
	start := time.Now()
	root := replay(t, n)
	if long && root != proofRoot {
		t.Errorf("root %s, want %s", root, proofRoot)
	}
	t.Logf("%d random transactions executed twice, root %s both times, in %s", n, root, time.Since(start).Round(time.Millisecond))
}

// replay executes that many random transactions on two machines, and gives the root.
func replay(t *testing.T, n int) string {
	first, second := newWorld(t, 3), newWorld(t, 3)
	r := rand.New(rand.NewPCG(1, 2))
	for n > 0 {
		b := first.block()
		for range min(n, 1+r.IntN(400)) {
			b.Txs = append(b.Txs, first.random(r))
		}
		n -= len(b.Txs)
		one, two := first.apply(b), second.apply(b)
		if one.Root != two.Root || !slices.Equal(one.Results, two.Results) || !slices.Equal(one.Changes, two.Changes) {
			t.Fatalf("block %d: root %s and %s", b.Height, one.Root, two.Root)
		}
	}
	first.conserved()
	return first.root.String()
}
