// Package store keeps the bytes of one peer on disk, in order of their keys.
//
// It is pebble behind a small port. Each owner works in a [Space] of its own,
// and two owners never meet. A [Batch] is written as a whole or not at all, and
// what [Batch.Commit] or [Space.Sync] acknowledged survives kill -9 and the cut
// of power. Commits of several goroutines share their fsync, which is what
// makes fsync cheap. After [Store.Close] every call answers
// [fault.Unavailable]; nothing panics.
//
// What keys and values mean is left to their owners, and so is the lock that
// keeps a second peer off a home: the store only refuses to be opened twice.
package store

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"intercom/core/fault"
)

// Store is one open store. Its methods may be called from any goroutine.
type Store struct {
	db     *pebble.DB
	unlock func() error
	log    *slog.Logger
	broken atomic.Pointer[fault.Error] // why writing ended for good, if it did

	mu     sync.RWMutex // guards closed, and calls.Add against calls.Wait
	closed bool
	calls  sync.WaitGroup // calls that pebble is serving
	ended  error          // what Close answered
	once   sync.Once
}

// errClosed answers every call after Close.
var errClosed = fault.New(fault.Unavailable, "the store is closed").
	WithHint("the peer is ending; call again when it runs")

// enter admits a call, so that Close waits for it; leave ends it.
func (s *Store) enter() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.closed {
		return errClosed
	}
	s.calls.Add(1)
	return nil
}

func (s *Store) leave() { s.calls.Done() }

// Close waits for the calls under way, makes everything durable and releases
// the directory. It must not be called from inside a [Space.Scan]. A second
// Close answers as the first.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.once.Do(func() {
		s.calls.Wait()
		s.ended = s.shut()
	})
	return s.ended
}

// shut closes pebble, then the lock. A database whose log broke cannot be
// closed in good order: pebble waits for the write that never ends. It is left
// to the end of the process; what was acknowledged is on the disk.
func (s *Store) shut() error {
	if why := s.broken.Load(); why != nil {
		return why
	}
	s.flush()
	err := contain(s.db.Close)
	if unlockErr := s.unlock(); err == nil {
		err = unlockErr
	}
	if err != nil {
		return fault.New(fault.Unavailable, "the store did not close: %w", err).
			WithHint("what was committed is safe; look at the peer's log")
	}
	return nil
}

// flushTime is how long Close tries to spare the next Open the replay of the
// log. A full disk never takes the tables; the log has everything.
const flushTime = 2 * time.Second

func (s *Store) flush() {
	var flushed <-chan struct{}
	if err := contain(func() (err error) { flushed, err = s.db.AsyncFlush(); return err }); err != nil {
		s.log.Debug("the store was not flushed", "err", err)
		return
	}
	select {
	case <-flushed:
	case <-time.After(flushTime):
		s.log.Warn("the disk takes no tables; the next start replays the log")
	}
}

// write runs one write of pebble. A disk that refuses the log is the end of
// writing: pebble cannot go on, and a peer that claimed to keep what it cannot
// would be worse.
func (s *Store) write(do func() error) error {
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if why := s.broken.Load(); why != nil {
		return why
	}
	err := contain(do)
	if err == nil {
		return nil
	}
	why := fault.New(fault.Unavailable, "the store cannot write: %w", err).
		WithHint("check the disk's space and health, then start the peer again")
	if s.broken.CompareAndSwap(nil, why) {
		s.log.Error("the store stopped writing", "err", err)
	}
	return why
}

// unreadable is the fault of a read that pebble refused.
func unreadable(err error) error {
	return fault.New(fault.Unavailable, "the store cannot read: %w", err).
		WithHint("check the disk; if it is damaged, restore the store from a copy")
}
