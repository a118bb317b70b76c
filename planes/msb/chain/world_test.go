package chain_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

var keysMade sync.Map

// key is a key of its own for each name.
func key(name string) *identity.Identity {
	made, ok := keysMade.Load(name)
	if !ok {
		made, _ = keysMade.LoadOrStore(name, identity.FromSeed(sha256.Sum256([]byte(name))))
	}
	return made.(*identity.Identity)
}

func address(name string) string { return key(name).PublicKey().Address() }

func amount(t testing.TB, text string) bus.Amount {
	t.Helper()
	a, err := bus.ParseAmount(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func quiet() *slog.Logger {
	if os.Getenv("BFT_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

// site is a place where a node of the network can be started again and again.
type site struct {
	t       testing.TB
	dir     string
	store   *store.Store
	genesis bft.Genesis
	listen  string
	peers   []bft.Peer
	wrap    func(*chain.App) bft.Application // what the node runs instead

	app    *chain.App
	node   *bft.Node
	ledger chain.Ledger
	stop   context.CancelFunc
	done   chan error
}

func newSite(t testing.TB) *site {
	t.Helper()
	dir := t.TempDir()
	s, err := store.Open(dir + "/store")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return &site{t: t, dir: dir, store: s}
}

// found is the genesis of a network of these sites, run by v0, v1…: alice, bob,
// carol and admin have a million each.
func found(t testing.TB, more []bus.Funds, sites ...*site) bft.Genesis {
	t.Helper()
	settings := bus.Genesis{Network: bft.RandomChainID("test"), Admin: address("admin"), Accounts: more}
	for _, name := range []string{"alice", "bob", "carol", "admin"} {
		settings.Accounts = append(settings.Accounts, bus.Funds{Address: address(name), Balance: amount(t, "1000000")})
	}
	for i, s := range sites {
		k, err := bft.ValidatorKey(s.dir + "/bft")
		if err != nil {
			t.Fatal(err)
		}
		settings.Validators = append(settings.Validators, bus.Founder{Key: k, Operator: address(fmt.Sprint("v", i))})
	}
	g, err := chain.NewGenesis(settings, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (s *site) start() *site {
	s.t.Helper()
	app, err := chain.Open(s.store, "main", quiet())
	if err != nil {
		s.t.Fatal(err)
	}
	var runs bft.Application = app
	if s.wrap != nil {
		runs = s.wrap(app)
	}
	node, err := bft.New(bft.Config{
		Dir: s.dir + "/bft", Store: s.store, Name: "main", Genesis: s.genesis, App: runs, Log: quiet(),
		Listen: s.listen, Peers: s.peers, MaxTx: bus.MaxTx, Recheck: true, Strangers: true,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	if s.ledger, err = chain.Local(node, app); err != nil {
		s.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	s.app, s.node, s.stop, s.done = app, node, stop, make(chan error, 1)
	go func() { s.done <- node.Run(ctx) }()
	s.t.Cleanup(s.end)
	await(s.t, "the node runs", func() bool { return node.Status().Health.State == bft.Healthy })
	return s
}

// end stops the node; the store stays open.
func (s *site) end() {
	if s.stop == nil {
		return
	}
	s.stop()
	if err := <-s.done; err != nil {
		s.t.Logf("run: %v", err)
	}
	s.stop = nil
}

func await(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(60 * time.Second); !is(); time.Sleep(3 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after 60 s: %s", what)
		}
	}
}

// town is a started network of n validators.
func town(t testing.TB, n int, more ...bus.Funds) []*site {
	t.Helper()
	sites := make([]*site, n)
	for i := range sites {
		sites[i] = newSite(t)
	}
	open(t, sites, more)
	return sites
}

// open starts a network of these sites.
func open(t testing.TB, sites []*site, more []bus.Funds) {
	t.Helper()
	for _, s := range sites {
		s.listen = freeAddr(t)
	}
	g := found(t, more, sites...)
	for _, s := range sites {
		s.genesis = g
		for _, other := range sites {
			id, err := bft.PeerID(other.dir + "/bft")
			if err != nil {
				t.Fatal(err)
			}
			if other != s {
				s.peers = append(s.peers, bft.Peer{ID: id, Addr: other.listen})
			}
		}
	}
	for _, s := range sites {
		s.start()
	}
	await(t, "the first block", func() bool { return sites[len(sites)-1].node.Status().Height > 0 })
}

func freeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// sign makes a transaction that is valid for a thousand blocks of the network.
func (s *site) sign(who string, body bus.Body) *bus.Signed {
	s.t.Helper()
	height, _, err := s.app.Last()
	if err != nil {
		s.t.Fatal(err)
	}
	return bus.Tx{Network: s.genesis.ChainID, Nonce: bus.NewNonce(), Expiry: uint64(height) + 1000, Body: body}.Sign(key(who))
}

func pay(t testing.TB, to, text string) bus.Transfer {
	return bus.Transfer{To: key(to).PublicKey(), Amount: amount(t, text)}
}

// settle sends a transaction through a ledger and waits for what became of it.
func settle(t testing.TB, l chain.Ledger, tx *bus.Signed) bus.Record {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	raw := tx.Encode()
	if result, err := l.Submit(ctx, raw); err != nil || result.Code != bus.OK || result.ID != tx.ID {
		t.Fatalf("submit: %+v, %v", result, err)
	}
	r, err := l.Wait(ctx, tx.ID)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
