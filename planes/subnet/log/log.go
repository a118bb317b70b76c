package log

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/merkle"
	"intercom/core/store"
)

// Config is what a log is made of; all but Offer is needed.
type Config struct {
	// Store keeps what is confirmed, in spaces that begin with "log/<Name>". It
	// must be the store of the chain's node, or of the replica, as well.
	Store *store.Store
	Name  string

	// Feeds hold the subnet's feed, whose first entry is First. They belong to
	// the log: it is their guard.
	Feeds *feed.Feeds
	First *feed.Entry

	Machine Machine

	// Offer sends entries, parents first, to the indexers and to whoever else
	// should have them soon. It is called by Run, never two at a time; what it
	// could not send is offered again. Nil: nobody is near.
	Offer func(ctx context.Context, entries []*feed.Entry)

	Log *slog.Logger
}

// Log is one subnet's entries and state on this peer. Its methods may be called
// from any goroutine, but for those of [bft.Application], which its engine calls.
type Log struct {
	store   *store.Store
	prefix  string // of the log's spaces
	space   *store.Space
	feeds   *feed.Feeds
	feed    feed.FeedID
	first   *item
	machine Machine
	offer   func(context.Context, []*feed.Entry)
	logger  *slog.Logger

	placed  atomic.Pointer[place]
	vouched atomic.Pointer[vouching]
	fresh   chan struct{} // something is to be offered
	changed chan struct{} // the tail has grown: a block may come
	proven  proven
	view    view
	keeping sync.Mutex // held while a snapshot is made

	mu        sync.Mutex
	head      head
	begun     bool // the state has its first version
	tail      tail
	seen      uint64 // entries of the feed that are confirmed or in the tail
	age       uint64 // counts changes of head and tail
	unoffered []*item
	expected  map[feed.ID]bool // of a block that is being executed
	barren    int              // own proposals in a row that nothing was fit for
	broken    error
	pending   func()
	confirmed []func(Confirmed)

	// Between two calls of the engine, which makes one at a time.
	prepared *block
	executed *block
}

// Open gives the log that is kept in the store, or a new one. It starts nothing.
func Open(cfg Config) (*Log, error) {
	if cfg.Store == nil || cfg.Feeds == nil || cfg.First == nil || cfg.Machine == nil || cfg.Log == nil {
		panic("log: a log needs a store, feeds, a first entry, a machine and a log")
	}
	if len(cfg.First.Parents) > 0 {
		return nil, fault.New(fault.Invalid, "entry %s has parents", cfg.First.ID()).WithHint("a subnet's first entry has none")
	}
	l := &Log{
		store: cfg.Store, prefix: "log/" + cfg.Name, space: cfg.Store.Space("log/" + cfg.Name),
		feeds: cfg.Feeds, feed: cfg.First.Feed, first: newItem(cfg.First, cfg.First.Encode(), time.Time{}),
		machine: cfg.Machine, offer: cfg.Offer, logger: cfg.Log,
		fresh: make(chan struct{}, 1), changed: make(chan struct{}, 1), tail: newTail(),
	}
	if err := l.load(); err != nil {
		return nil, err
	}
	l.feeds.Guard(l.gate)
	l.feeds.Elders(l.elder)
	if err := l.begin(cfg.First); err != nil {
		return nil, err
	}
	if err := l.recover(); err != nil {
		return nil, err
	}
	l.feeds.OnStored(l.stored)
	return l, nil
}

// at is the place of what is confirmed.
func (l *Log) at() *place { return l.placed.Load() }

// states is the map that holds the confirmed state.
func (l *Log) states() *merkle.Map { return l.at().state }

// facts finds a confirmed entry.
func (l *Log) facts(id feed.ID) (facts, bool, error) { return l.at().facts(id) }

// vouching is a snapshot that is being read: its entries may have children, and
// some of them are to be stored.
type vouching struct {
	*place
	wanted map[feed.ID]bool
}

// elder vouches to the feed for confirmed entries that it has not got.
func (l *Log) elder(of feed.FeedID, id feed.ID) (feed.Elder, bool, error) {
	if of != l.feed {
		return feed.Elder{}, false, nil
	}
	f, ok, err := l.facts(id)
	if v := l.vouched.Load(); v != nil && !ok && err == nil && !v.wanted[id] {
		f, ok, err = v.facts(id)
	}
	return feed.Elder{Author: f.author, Seq: f.seq, Height: f.height}, ok, err
}

// stored takes an entry that the feed has now.
func (l *Log) stored(e *feed.Entry) {
	if e.Feed != l.feed {
		return
	}
	it := newItem(e, e.Encode(), time.Now())
	l.mu.Lock()
	err := l.note(it)
	wake := l.pending
	l.mu.Unlock()
	if err != nil {
		l.logger.Error("an entry cannot be noted; it is found again at the next start", "entry", it.at.ID, "error", err)
		return
	}
	signal(l.fresh)
	signal(l.changed)
	if wake != nil {
		wake()
	}
}

// note puts an entry into the tail, unless it is confirmed already. The lock is
// held.
func (l *Log) note(it *item) error {
	_, known, err := l.facts(it.at.ID)
	if err != nil {
		return err
	}
	b := l.at().space.Batch()
	if !known {
		b.Set(pendingKey(it.at), nil)
	}
	b.Set([]byte{keySeen}, number(l.seen+1))
	if err := b.Apply(); err != nil {
		return err
	}
	l.seen++
	if known {
		return nil
	}
	l.tail.add(it)
	l.age++
	l.barren = 0
	if len(l.unoffered) < maxUnoffered {
		l.unoffered = append(l.unoffered, it)
	}
	return nil
}

// OnPending has wake called whenever something may have become confirmable; it
// must not block. There is one.
func (l *Log) OnPending(wake func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = wake
}

// signal raises a flag that somebody may be waiting for.
func signal(flag chan struct{}) {
	select {
	case flag <- struct{}{}:
	default:
	}
}
