package feed

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// Ahead is how far an entry may be dated before its time without being held.
const Ahead = 10 * time.Minute

// Signer signs as the author of what a peer appends. It is called with the
// feed locked, so it must answer at once.
type Signer interface {
	PublicKey() identity.PublicKey
	Sign(message []byte) []byte
}

// Feeds is all the feeds of one peer. Its methods may be called from any
// goroutine. A space has one Feeds at a time.
type Feeds struct {
	space  *store.Space
	log    *slog.Logger
	lanes  [64]lane // a feed's lane is chosen by its id
	parked pool
	held   shelf
	sums   buckets
	tally  tally

	loose     atomic.Int64 // writes that are seen but not yet known to be durable
	listening sync.Mutex   // one OnStored at a time
	listeners atomic.Pointer[[]func(*Entry)]
	guard     atomic.Pointer[func(*Entry, Size) error]
	elders    atomic.Pointer[func(FeedID, ID) (Elder, bool, error)]
}

// lane orders the writers of the feeds that share it.
type lane struct {
	mu    sync.Mutex // held while a writer reads, decides and applies
	last  *state     // of the feed written last
	turns turns      // then they wait for the disk together, and report in order
}

func (f *Feeds) lane(feed FeedID) *lane { return &f.lanes[int(feed[0])%len(f.lanes)] }

// Stats counts what happened since Open.
type Stats struct {
	Stored  uint64 // entries stored, own and others'
	Refused uint64 // entries that broke a rule
	Evicted uint64 // parked or held entries that had to go for others
	Forks   uint64 // stored entries whose author had used their seq before
	Parked  int    // entries that wait for a parent now
	Held    int    // entries that wait for their time now
}

type tally struct{ stored, refused, evicted, forks atomic.Uint64 }

// Open gives the feeds that are kept in space.
func Open(space *store.Space, log *slog.Logger) (*Feeds, error) {
	f := &Feeds{space: space, log: log}
	if err := f.held.load(space); err != nil {
		return nil, err
	}
	return f, nil
}

// OnStored has fn called once for each entry stored from now on, own ones too,
// parents before children. Calls for one feed never overlap, those for
// different feeds may. The entry is durable when fn is called, and the Append
// or Add that stored it returns after fn has: a caller sees what its own call
// caused. fn may read the feeds; it must not change the entry, nor call Append,
// Add, Due or Sync, which would wait for it.
func (f *Feeds) OnStored(fn func(e *Entry)) {
	f.listening.Lock()
	defer f.listening.Unlock()
	all := []func(*Entry){fn}
	if before := f.listeners.Load(); before != nil {
		all = append(*before, fn)
	}
	f.listeners.Store(&all)
}

// Size is what a feed holds.
type Size struct{ Entries, Bytes uint64 }

// Guard has fn asked before an entry is stored, own or another's: what it
// refuses is not stored. size is the feed's without the entry. fn may refuse in
// two ways. A [fault.Invalid] is for an entry that breaks a rule of the feed's
// owner; the rule must be read from the entry and its ancestors alone (F3), or
// peers would not agree. A [fault.Limited] is for a feed that is full here, and
// ends a sync. fn is quick and calls nothing of the feeds. There is one guard.
func (f *Feeds) Guard(fn func(e *Entry, size Size) error) { f.guard.Store(&fn) }

// guarded asks the guard; the lane is held.
func (f *Feeds) guarded(l *lane, e *Entry) error {
	guard := f.guard.Load()
	if guard == nil {
		return nil
	}
	s, err := f.state(l, e.Feed)
	if err != nil {
		return err
	}
	return (*guard)(e, Size{s.counts.entries, s.counts.bytes})
}

// Stats gives the counts of now.
func (f *Feeds) Stats() Stats {
	return Stats{
		Stored:  f.tally.stored.Load(),
		Refused: f.tally.refused.Load(),
		Evicted: f.tally.evicted.Load(),
		Forks:   f.tally.forks.Load(),
		Parked:  f.parked.count(),
		Held:    f.held.count(),
	}
}

// damaged is the fault of a record that is not what was written.
func damaged(what string, feed FeedID) error {
	return fault.New(fault.Unavailable, "the store's %s of feed %s is damaged", what, feed).
		WithHint("restore the store from a copy, or start with an empty one and sync")
}
