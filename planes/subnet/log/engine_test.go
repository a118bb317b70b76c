package log_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
)

// site is a peer with a real engine, or one that follows those who have one.
type site struct {
	*peer
	dir     string
	genesis bft.Genesis
	toy     toy
	node    *bft.Node
	stop    context.CancelFunc
	running sync.WaitGroup
	failed  chan error
}

func wait(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after 60 s: %s", what)
		}
	}
}

// subnetOf starts n indexers of one subnet, connected through streams.
func subnetOf(t testing.TB, n int) []*site {
	t.Helper()
	sites, keys := make([]*site, n), make([]string, n)
	g := bft.Genesis{ChainID: bft.RandomChainID("test"), Time: start}
	for i := range sites {
		dir := t.TempDir()
		key, err := bft.ValidatorKey(dir + "/bft")
		if err != nil {
			t.Fatal(err)
		}
		sites[i], keys[i] = &site{dir: dir}, key.String()
		g.Validators = append(g.Validators, bft.Validator{Key: key, Power: 1})
	}
	first := firstEntry(strings.Join(keys, ","))
	for i, s := range sites {
		s.genesis = g
		s.prepare(t, i, first, func(ctx context.Context, entries []*feed.Entry) {
			for _, other := range sites {
				if other != s && other.feeds != nil {
					_, _ = other.feeds.AddAll(ctx, entries, identity.PublicKey{byte(i)}, time.Now())
				}
			}
		})
		s.node = s.newNode()
	}
	for _, s := range sites {
		var peers []bft.Peer
		for _, other := range sites {
			if other != s {
				peers = append(peers, bft.Peer{ID: other.node.ID(), Dial: pipe(func(far net.Conn) error { return other.node.Carry(context.Background(), far) })})
			}
		}
		if err := s.node.SetPeers(peers); err != nil {
			t.Fatal(err)
		}
		s.run(s.node.Run)
	}
	for _, s := range sites {
		wait(t, "the node is connected", func() bool {
			now := s.node.Status()
			return now.Health.State == bft.Healthy && len(now.Peers) == n-1
		})
	}
	return sites
}

func pipe(serve func(net.Conn) error) func(context.Context) (io.ReadWriteCloser, error) {
	return func(context.Context) (io.ReadWriteCloser, error) {
		near, far := net.Pipe()
		go func() { _ = serve(far); far.Close() }()
		return near, nil
	}
}

func (s *site) prepare(t testing.TB, n int, first *feed.Entry, offer func(context.Context, []*feed.Entry)) {
	t.Helper()
	s.peer = &peer{t: t, n: n, first: first, toy: s.toy, offer: offer}
	var err error
	if s.store, err = store.Open(s.dir + "/store"); err != nil {
		t.Fatal(err)
	}
	s.openOn()
	s.failed = make(chan error, 2)
	t.Cleanup(s.end)
}

func (s *site) newNode() *bft.Node {
	s.t.Helper()
	node, err := bft.New(bft.Config{
		Dir: s.dir + "/bft", Store: s.store, Name: "subnet", Genesis: s.genesis, App: s.log, Log: quiet(),
		MaxTx: feed.MaxEntry,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.log.OnPending(node.Wake)
	return node
}

// run starts the log and what confirms beside it.
func (s *site) run(confirm func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	s.running.Go(func() { _ = s.log.Run(ctx) })
	s.running.Go(func() {
		if err := confirm(ctx); err != nil {
			s.failed <- err
		}
	})
}

// halt ends what runs; the store stays open.
func (s *site) halt() {
	if s.stop != nil {
		s.stop()
		s.running.Wait()
		s.stop = nil
	}
}

func (s *site) end() {
	s.halt()
	_ = s.store.Close()
}

// server is a node as followers see it.
func (s *site) server() bft.Server {
	return bft.Server{Name: s.node.ID(), Open: pipe(func(far net.Conn) error { return s.node.Serve(context.Background(), far) })}
}

// sayNow appends with the clock that the engine has as well.
func (s *site) sayNow(body string) *feed.Entry {
	s.t.Helper()
	e, err := s.feeds.Append(context.Background(), subnet, author(s.n), []byte(body), time.Now())
	if err != nil {
		s.t.Fatal(err)
	}
	return e
}

func (s *site) confirmed(e *feed.Entry) bool {
	_, ok, _ := s.log.Find(e.ID())
	return ok
}

func TestOneIndexerConfirmsAndFollowersAgree(t *testing.T) {
	a := subnetOf(t, 1)[0]
	b := &site{dir: t.TempDir(), genesis: a.genesis}
	b.prepare(t, 1, a.first, func(ctx context.Context, entries []*feed.Entry) {
		_, _ = a.feeds.AddAll(ctx, entries, author(1).PublicKey(), time.Now())
	})
	b.run(func(ctx context.Context) error {
		return b.log.Follow(ctx, b.genesis, func() []bft.Server { return []bft.Server{a.server()} })
	})
	e := a.sayNow("writer 1")
	wait(t, "the writer is known to the follower", func() bool { return b.confirmed(e) })
	e = b.sayNow("put x 1")
	wait(t, "the follower's entry is confirmed by both", func() bool { return a.confirmed(e) && b.confirmed(e) })
	if a.value("x") != "1" || b.value("x") != "1" {
		t.Errorf("%q and %q", a.value("x"), b.value("x"))
	}
	for i := range 50 {
		e = a.sayNow(fmt.Sprint("put x ", i))
	}
	wait(t, "the rest", func() bool { return b.confirmed(e) })
	wait(t, "the states are equal", func() bool { return a.root() == b.root() })
}

func TestFourIndexersAgree(t *testing.T) {
	sites := subnetOf(t, 4)
	e := sites[0].sayNow("writer 1")
	sites[0].sayNow("writer 2")
	last := sites[0].sayNow("writer 3")
	for _, s := range sites {
		wait(t, "the writers", func() bool { return s.confirmed(e) && s.confirmed(last) })
	}
	var said []*feed.Entry
	for i := range 40 {
		said = append(said, sites[i%4].sayNow(fmt.Sprint("put k", i%5, " ", i)))
	}
	for _, s := range sites {
		wait(t, "all that was said", func() bool { return !slices.ContainsFunc(said, func(e *feed.Entry) bool { return !s.confirmed(e) }) })
	}
	order := func(s *site) (ids []feed.ID) {
		if err := s.log.Order(func(id feed.ID) bool { ids = append(ids, id); return true }); err != nil {
			t.Fatal(err)
		}
		return ids
	}
	for _, s := range sites[1:] {
		wait(t, "equal states", func() bool { return s.root() == sites[0].root() })
		if !slices.Equal(order(s), order(sites[0])) || len(order(s)) != 44 {
			t.Errorf("%d entries, and %d", len(order(s)), len(order(sites[0])))
		}
	}
}

func TestOtherResultThanWasSignedIsAConflict(t *testing.T) {
	a := subnetOf(t, 1)[0]
	b := &site{dir: t.TempDir(), genesis: a.genesis, toy: toy{skew: "!"}}
	b.prepare(t, 1, a.first, nil)
	b.run(func(ctx context.Context) error {
		return b.log.Follow(ctx, b.genesis, func() []bft.Server { return []bft.Server{a.server()} })
	})
	a.sayNow("put x 1")
	select {
	case err := <-b.failed:
		if fault.KindOf(err) != fault.Conflict || b.log.Status().Conflict == nil {
			t.Errorf("%v, %+v", err, b.log.Status())
		}
	case <-time.After(60 * time.Second):
		t.Fatal("nobody noticed")
	}
	height := b.log.Status().Height
	a.sayNow("put x 2")
	if b.log.Status().Height != height {
		t.Error("it confirms on")
	}
}
