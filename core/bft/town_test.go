package bft_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"intercom/core/bft"
)

// same waits until every site holds the same state at the same count.
func same(t *testing.T, sites []*site, count uint64) {
	t.Helper()
	wait(t, "every node agrees", func() bool {
		_, first, _ := sites[0].app.Last()
		for _, s := range sites {
			if _, state, _ := s.app.Last(); state != first || s.app.total() != count {
				return false
			}
		}
		return true
	})
}

func TestFourValidatorsGoOnWithThreeAndStopWithTwo(t *testing.T) {
	sites := town(t, 4)
	sites[0].confirm("all four")
	same(t, sites, 1)

	sites[3].end()
	for i := range 3 {
		sites[i].confirm(fmt.Sprint("three ", i))
	}
	wait(t, "the absent one is named", func() bool {
		absent := sites[0].node.Status().Absent
		return len(absent) == 1 && absent[0].Key == sites[3].node.Key()
	})

	sites[2].end()
	height := sites[0].settledOrNot()
	if _, err := confirm(sites[0].node, "two", 2*time.Second); err == nil {
		t.Fatal("two of four confirmed a transaction")
	}
	wait(t, "the stall is told", func() bool { return sites[0].node.Status().Health.State == bft.Stalled })
	// A vote that the second one cast before it ended is told until its round is over.
	wait(t, "both absent ones are named", func() bool { return len(sites[0].node.Status().Absent) == 2 })
	if now := sites[0].node.Status(); now.Height > height+1 {
		t.Errorf("with two of four: %+v, was at %d", now, height)
	}

	sites[2].start()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if _, err := sites[0].node.Wait(ctx, bft.TxHash([]byte("two"))); err != nil {
		t.Fatal(err)
	}
	sites[3].start()
	same(t, sites, 5)
	wait(t, "health returns", func() bool { return sites[0].node.Status().Health.State == bft.Healthy })
}

// settledOrNot gives the height after a moment of rest.
func (s *site) settledOrNot() int64 {
	time.Sleep(300 * time.Millisecond)
	return s.node.Status().Height
}

func TestNodesReachEachOtherThroughStreams(t *testing.T) {
	sites := town(t, 2)
	for _, s := range sites {
		s.end()
	}
	ids := []string{sites[0].node.ID(), sites[1].node.ID()}
	for _, s := range sites {
		s.listen, s.peers = "", nil
		s.start()
	}
	dial := func(to *site) func(context.Context) (io.ReadWriteCloser, error) {
		return func(ctx context.Context) (io.ReadWriteCloser, error) {
			near, far := net.Pipe()
			go to.node.Carry(context.Background(), far)
			return near, nil
		}
	}
	for i, s := range sites {
		if err := s.node.SetPeers([]bft.Peer{{ID: ids[1-i], Dial: dial(sites[1-i])}}); err != nil {
			t.Fatal(err)
		}
	}
	sites[0].confirm("through a pipe")
	same(t, sites, 1)
}

func TestValidatorJoinsAndLeavesByTransaction(t *testing.T) {
	sites := town(t, 2)
	for _, s := range sites {
		s.end()
	}
	// At block 3 the second one leaves; at block 6 it is back; in between, sets
	// that would stop the chain are ignored.
	both, first := sites[0].genesis.Validators, sites[0].genesis.Validators[:1]
	plan := func(height int64) []bft.Validator {
		switch height {
		case 3:
			return first
		case 4:
			return []bft.Validator{}
		case 5:
			return []bft.Validator{first[0], first[0]}
		case 8:
			return both
		}
		return nil
	}
	for _, s := range sites {
		s.sets = plan
		s.start()
	}
	for i := range 10 {
		sites[i%2].confirm(fmt.Sprint("tx", i))
		validators := sites[0].node.Status().Validators
		if h := sites[0].node.Status().Height; h >= 5 && h <= 8 && len(validators) != 1 {
			t.Errorf("at %d: %+v", h, validators)
		}
	}
	same(t, sites, 10)
	wait(t, "both vote", func() bool { return len(sites[0].node.Status().Validators) == 2 })
}

func TestFullNodeFollowsAndSends(t *testing.T) {
	sites := town(t, 2)
	for _, s := range sites {
		s.end()
		s.edit = func(c *bft.Config) { c.Strangers = true }
		s.start()
	}
	for i := range 5 {
		sites[0].confirm(fmt.Sprint("before ", i))
	}
	full := newSite(t, t.TempDir())
	t.Cleanup(func() { full.store.Close() })
	full.genesis, full.peers = sites[0].genesis, sites[0].peers
	full.start()
	if out := full.confirm("from outside"); out.Result.Code != 0 {
		t.Errorf("%+v", out)
	}
	same(t, append(sites, full), 6)
	if _, ok, err := full.node.Find(bft.TxHash([]byte("before 2"))); !ok || err != nil {
		t.Errorf("what was before it came: %v %v", ok, err)
	}
}

func TestStrangersAreTurnedAway(t *testing.T) {
	s := alone(t)
	s.confirm("one")
	stranger := newSite(t, t.TempDir())
	t.Cleanup(func() { stranger.store.Close() })
	stranger.genesis = s.genesis
	stranger.peers = []bft.Peer{{ID: s.node.ID(), Addr: s.node.Status().Addr}}
	stranger.start()
	time.Sleep(time.Second)
	if now := s.node.Status(); len(now.Peers) != 0 {
		t.Errorf("connected: %+v", now.Peers)
	}
	if total := stranger.app.total(); total != 0 {
		t.Errorf("it followed to %d", total)
	}
}
