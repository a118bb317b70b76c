package bft_test

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/store"
)

// tally is an application that counts: the state is a hash chain over its
// transactions. A transaction that begins with "bad" fails, "no" is refused,
// "panic" breaks Execute.
type tally struct {
	space *store.Space
	sets  func(height int64) []bft.Validator

	mu     sync.Mutex
	height int64
	count  uint64
	state  bft.Hash
	next   struct {
		height int64
		count  uint64
		state  bft.Hash
	}
}

func newTally(s *store.Store, name string) *tally {
	t := &tally{space: s.Space("app/" + name)}
	if v, ok, err := t.space.Get([]byte("s")); err == nil && ok {
		t.height, t.count = int64(binary.BigEndian.Uint64(v)), binary.BigEndian.Uint64(v[8:])
		t.state = bft.Hash(v[16:])
	}
	return t
}

func (t *tally) Last() (int64, bft.Hash, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.height, t.state, nil
}

func (t *tally) Init(g bft.Genesis) (bft.Hash, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = sha256.Sum256(g.App)
	return t.state, nil
}

func (t *tally) Check(tx []byte, _ bool) bft.Result {
	if len(tx) >= 2 && string(tx[:2]) == "no" {
		return bft.Result{Code: 7, Log: "no"}
	}
	return bft.Result{}
}

func (t *tally) Execute(p bft.Proposal) (bft.Executed, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	done := bft.Executed{State: t.state, Results: make([]bft.Result, len(p.Txs))}
	t.next.count = t.count
	for i, tx := range p.Txs {
		if string(tx) == "panic" {
			panic("as asked")
		}
		if len(tx) >= 3 && string(tx[:3]) == "bad" {
			done.Results[i] = bft.Result{Code: 9, Log: "bad"}
		} else {
			t.next.count++
			done.Results[i].Data = binary.BigEndian.AppendUint64(nil, t.next.count)
		}
		done.State = sha256.Sum256(append(done.State[:], tx...))
	}
	if t.sets != nil {
		done.Validators = t.sets(p.Height)
	}
	t.next.height, t.next.state = p.Height, done.State
	return done, nil
}

func (t *tally) Commit() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.height, t.count, t.state = t.next.height, t.next.count, t.next.state
	v := binary.BigEndian.AppendUint64(nil, uint64(t.height))
	v = binary.BigEndian.AppendUint64(v, t.count)
	b := t.space.Batch()
	b.Set([]byte("s"), append(v, t.state[:]...))
	return b.Apply()
}

func (t *tally) total() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.count
}

func quiet() *slog.Logger {
	if os.Getenv("BFT_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

// site is a place where a node can be started again and again.
type site struct {
	t       testing.TB
	dir     string
	store   *store.Store
	genesis bft.Genesis
	peers   []bft.Peer
	listen  string
	sets    func(int64) []bft.Validator
	edit    func(*bft.Config)

	app     *tally
	album   *album // instead of app, after withAlbum
	renamed bool   // its node has a name that is not its key's
	node    *bft.Node
	stop    context.CancelFunc
	done    chan error
}

func newSite(t testing.TB, dir string) *site {
	s, err := store.Open(dir + "/store")
	if err != nil {
		t.Fatal(err)
	}
	return &site{t: t, dir: dir, store: s}
}

func (s *site) start() *site {
	s.t.Helper()
	s.app = newTally(s.store, "tally")
	s.app.sets = s.sets
	cfg := bft.Config{
		Dir: s.dir + "/bft", Store: s.store, Name: "tally", Genesis: s.genesis, App: s.app, Log: quiet(),
		Peers: s.peers, Listen: s.listen, Stall: time.Second,
	}
	if s.edit != nil {
		s.edit(&cfg)
	}
	node, err := bft.New(cfg)
	if err != nil {
		s.t.Fatal(err)
	}
	if s.renamed {
		node.Rename([32]byte{1})
	}
	ctx, stop := context.WithCancel(context.Background())
	s.node, s.stop, s.done = node, stop, make(chan error, 1)
	go func() { s.done <- node.Run(ctx) }()
	s.t.Cleanup(s.end)
	wait(s.t, "the node runs", func() bool { return node.Status().Health.State == bft.Healthy })
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

func wait(t testing.TB, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not after 30 s: %s", what)
		}
	}
}

// alone is a started one-validator chain.
func alone(t testing.TB) *site {
	s := newSite(t, t.TempDir())
	t.Cleanup(func() { s.store.Close() })
	s.genesis = genesis(t, s.dir+"/bft")
	return s.start()
}

func genesis(t testing.TB, dirs ...string) bft.Genesis {
	g := bft.Genesis{ChainID: bft.RandomChainID("test"), Time: time.Now(), App: []byte("start")}
	for _, dir := range dirs {
		key, err := bft.ValidatorKey(dir)
		if err != nil {
			t.Fatal(err)
		}
		g.Validators = append(g.Validators, bft.Validator{Key: key, Power: 10})
	}
	return g
}

// confirm sends a transaction and waits for its outcome.
func (s *site) confirm(tx string) bft.Outcome {
	s.t.Helper()
	out, err := confirm(s.node, tx, 20*time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

func confirm(n *bft.Node, tx string, limit time.Duration) (bft.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	res, err := n.Submit(ctx, []byte(tx))
	if err != nil || res.Code != 0 {
		return bft.Outcome{}, fmt.Errorf("submit: %v %v", res, err)
	}
	return n.Wait(ctx, bft.TxHash([]byte(tx)))
}

// settled waits for the block that proves the last one, and gives its height.
func (s *site) settled() int64 {
	s.t.Helper()
	var height int64
	wait(s.t, "the proof block", func() bool {
		height = s.node.Status().Height
		block, err := s.node.Block(height)
		return err == nil && len(block.Txs) == 0
	})
	return height
}

// town is several sites of one chain that know each other and run.
func town(t testing.TB, n int) []*site {
	sites := plan(t, n)
	for _, s := range sites {
		s.start()
	}
	return sites
}

// plan is a town before it runs.
func plan(t testing.TB, n int) []*site {
	sites, dirs := make([]*site, n), make([]string, n)
	for i := range sites {
		dir := t.TempDir()
		sites[i], dirs[i] = newSite(t, dir), dir+"/bft"
		t.Cleanup(func() { sites[i].store.Close() })
		sites[i].listen = freeAddr(t)
	}
	g := genesis(t, dirs...)
	for _, s := range sites {
		s.genesis = g
		for i, other := range sites {
			id, err := bft.PeerID(dirs[i])
			if err != nil {
				t.Fatal(err)
			}
			s.peers = append(s.peers, bft.Peer{ID: id, Addr: other.listen})
		}
	}
	return sites
}

func freeAddr(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// copyKey gives another place the same validator key, with nothing signed yet.
func copyKey(t testing.TB, from, to string) {
	t.Helper()
	key, err := os.ReadFile(from + "/validator.key")
	if err == nil {
		err = os.MkdirAll(to, 0o700)
	}
	if err == nil {
		err = os.WriteFile(to+"/validator.key", key, 0o600)
	}
	if err == nil {
		err = os.WriteFile(to+"/validator.state", []byte(`{"height":"0","round":0,"step":0}`), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
