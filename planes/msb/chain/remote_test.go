package chain_test

import (
	"context"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// served is a node as a light client reaches it.
func served(t testing.TB, name string, n *bft.Node) bft.Server {
	return bft.Server{Name: name, Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
		near, far := net.Pipe()
		t.Cleanup(func() { far.Close() })
		go func() {
			defer far.Close()
			_ = n.Serve(ctx, far)
		}()
		return near, nil
	}}
}

// desk is a light client and what it was told of servers.
type desk struct {
	chain.Ledger
	follower *bft.Follower

	mu      sync.Mutex
	notices []bft.Notice
}

func follow(t testing.TB, g bft.Genesis, servers ...bft.Server) *desk {
	t.Helper()
	d := &desk{}
	f, err := bft.NewFollower(bft.FollowerConfig{
		Genesis: g, Log: quiet(), Patience: 10 * time.Second,
		Servers: func() []bft.Server { return servers },
		Notice: func(n bft.Notice) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.notices = append(d.notices, n)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.follower = f
	if d.Ledger, err = chain.Remote(f, g); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) told(server string, f bft.Fault) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, n := range d.notices {
		if n.Server == server && n.Fault == f {
			return true
		}
	}
	return false
}

func TestLightClientSendsReadsAndProves(t *testing.T) {
	s := town(t, 1)[0]
	d := follow(t, s.genesis, served(t, "one", s.node))
	tx := s.sign("alice", pay(t, "dora", "2.5"))
	r := settle(t, d, tx)
	if r.Code != bus.OK || r.Height == 0 {
		t.Fatalf("%+v", r)
	}
	checkTransfer(t, d, tx, r)
	for _, n := range d.notices {
		t.Errorf("an honest server is blamed: %+v", n)
	}
}

func TestManyWaitWithOneQuestion(t *testing.T) {
	s := town(t, 1)[0]
	d := follow(t, s.genesis, served(t, "one", s.node))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var group sync.WaitGroup
	for range 200 {
		tx := s.sign("alice", pay(t, "dora", "1"))
		group.Go(func() {
			if r, err := d.Wait(ctx, tx.ID); err != nil || r.Code != bus.OK {
				t.Errorf("%+v, %v", r, err)
			}
		})
		if result, err := s.ledger.Submit(ctx, tx.Encode()); err != nil || result.Code != bus.OK {
			t.Fatal(result, err)
		}
	}
	short, stop := context.WithTimeout(ctx, 10*time.Millisecond)
	defer stop()
	if _, err := d.Wait(short, bus.ID{1}); err == nil {
		t.Error("a transaction that nobody sent was settled")
	}
	group.Wait()
	a, _, _, err := d.Account(ctx, key("dora").PublicKey(), 0)
	if err != nil || a.Balance != amount(t, "200") {
		t.Errorf("%+v, %v", a, err)
	}
}
