package log_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/subnet/log"
)

var (
	subnet = feed.FeedID{'s', 'u', 'b'}
	start  = time.UnixMilli(1_700_000_000_000)
)

func quiet() *slog.Logger {
	if os.Getenv("LOG_LOG") != "" {
		return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

// firstEntry is the beginning of the tests' subnet: author 0 owns it.
func firstEntry(indexers string) *feed.Entry {
	return sign(0, &feed.Entry{Height: 1, Body: []byte("begin " + indexers)})
}

// sign makes an entry of the n-th author; nothing checks what is in it.
func sign(n int, e *feed.Entry) *feed.Entry {
	e.Feed, e.Author = subnet, author(n).PublicKey()
	if e.TS == 0 {
		e.TS = start.UnixMilli()
	}
	e.Sig = [64]byte(author(n).Sign(e.Preimage()))
	return e
}

// on makes an author's entry behind others, its own previous one first.
func on(n int, body string, parents ...*feed.Entry) *feed.Entry {
	e := &feed.Entry{Body: []byte(body)}
	for i, p := range parents {
		e.Parents = append(e.Parents, p.ID())
		e.Height = max(e.Height, p.Height)
		if i == 0 && p.Author == author(n).PublicKey() {
			e.Seq = p.Seq + 1
		}
	}
	e.Height++
	return sign(n, e)
}

// peer is a log on a store whose power can be cut.
type peer struct {
	t     testing.TB
	n     int // its author
	first *feed.Entry
	disk  *store.Disk
	toy   toy
	offer func(context.Context, []*feed.Entry)

	store *store.Store
	feeds *feed.Feeds
	log   *log.Log
}

func newPeer(t testing.TB, n int, first *feed.Entry) *peer {
	p := &peer{t: t, n: n, first: first, disk: store.NewDisk()}
	p.open()
	t.Cleanup(func() { _ = p.store.Close() })
	return p
}

func (p *peer) open() {
	p.t.Helper()
	var err error
	if p.store, err = p.disk.Open(); err != nil {
		p.t.Fatal(err)
	}
	p.openOn()
}

// openOn opens the log on the peer's store.
func (p *peer) openOn() {
	p.t.Helper()
	var err error
	if p.feeds, err = feed.Open(p.store.Space("feed"), quiet()); err == nil {
		p.log, err = log.Open(log.Config{
			Store: p.store, Name: "test", Feeds: p.feeds, First: p.first,
			Machine: p.toy, Offer: p.offer, Log: quiet(),
		})
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// crash cuts the power and starts again.
func (p *peer) crash(seed uint64) {
	p.t.Helper()
	after := p.disk.Crash(seed)
	_ = p.store.Close()
	p.disk = after
	p.open()
}

// say appends as the peer's author.
func (p *peer) say(body string) *feed.Entry {
	p.t.Helper()
	e, err := p.feeds.Append(context.Background(), subnet, author(p.n), []byte(body), start)
	if err != nil {
		p.t.Fatal(err)
	}
	return e
}

func (p *peer) add(entries ...*feed.Entry) {
	p.t.Helper()
	if _, err := p.feeds.AddAll(context.Background(), entries, identity.PublicKey{9}, start); err != nil {
		p.t.Fatal(err)
	}
}

// root is the state that is confirmed.
func (p *peer) root() bft.Hash { return p.log.Status().Root }

// value reads the confirmed state, local the local view.
func (p *peer) value(key string) string {
	p.t.Helper()
	state, err := p.log.State()
	return p.read(state, err, key)
}

func (p *peer) local(key string) string {
	p.t.Helper()
	view, err := p.log.Local(context.Background())
	return p.read(view, err, key)
}

func (p *peer) read(from log.Source, err error, key string) string {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
	v, _, err := from.Get([]byte("k" + key))
	if err != nil {
		p.t.Fatal(err)
	}
	return string(v)
}

// chain is a scripted chain in place of the engine: somebody says who proposes
// and who is there.
type chain struct {
	t      testing.TB
	blocks []bft.Proposal // the decided ones, from height 1
}

func (c *chain) next() bft.Proposal {
	height := int64(len(c.blocks)) + 1
	return bft.Proposal{Height: height, Time: start.Add(time.Duration(height) * time.Second), MaxBytes: 8 << 20}
}

// confirm has one peer propose and those peers execute what it proposed.
func (c *chain) confirm(peers ...*peer) int {
	c.t.Helper()
	p := c.next()
	p.Txs = peers[0].log.Propose(p)
	for _, peer := range peers {
		if !peer.log.Accept(p) {
			c.t.Fatalf("peer %d refuses block %d", peer.n, p.Height)
		}
	}
	c.blocks = append(c.blocks, p)
	for _, peer := range peers {
		c.bring(peer)
	}
	return len(p.Txs)
}

// bring executes at a peer the decided blocks that it has not got.
func (c *chain) bring(p *peer) {
	c.t.Helper()
	for height := p.log.Status().Height; height < int64(len(c.blocks)); height++ {
		if _, err := execute(p, c.blocks[height]); err != nil {
			c.t.Fatalf("peer %d at block %d: %v", p.n, height+1, err)
		}
	}
}

func execute(p *peer, block bft.Proposal) (bft.Executed, error) {
	done, err := p.log.Execute(block)
	if err == nil {
		err = p.log.Commit()
	}
	if err == nil && p.root() != done.State {
		err = fmt.Errorf("the root is %s, executed was %s", p.root(), done.State)
	}
	return done, err
}
