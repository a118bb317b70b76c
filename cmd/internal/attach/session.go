package attach

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

// Embedded is a peer that runs in this process.
type Embedded struct {
	Caller   op.Caller
	Instance string              // of its event hub
	Release  func(client string) // a client went: let go of what it held; may be nil
	Stop     func() error        // ends it; when it returns the store is closed
}

// Start runs a peer on the store whose lock is held. Its context lives until
// Stop has returned; it ends earlier only when the session is given up before
// Start has returned.
type Start func(ctx context.Context) (Embedded, error)

// Session is the peer of a store, wherever it runs: in this process, or in
// another one. It implements [op.Caller]. When the host ends, one of the
// sessions on the store starts a peer and the others attach to it.
type Session struct {
	dir   string
	start Start
	log   *slog.Logger

	mu      sync.Mutex
	now     reached
	ops     []op.Info     // the list known last
	changed chan struct{} // closed and replaced when now changes
}

// reached is what a session has at one time.
type reached struct {
	caller   op.Caller // nil while nobody is reached
	embedded *Embedded // set when it runs here
	err      error     // why nobody is reached, when it is known
	final    bool      // and it stays so
}

// NewSession makes the session of the store at dir. It does nothing before
// [Session.Run].
func NewSession(dir string, start Start, log *slog.Logger) *Session {
	return &Session{dir: dir, start: start, log: log, changed: make(chan struct{})}
}

// retryTime is the pause after a peer could not be reached or started.
const retryTime = 250 * time.Millisecond

var errEnded = fault.New(fault.Unavailable, "this process is ending").WithHint("start it again")

// Run decides, and decides again whenever the host ends, until ctx ends. It
// gives an error only when the first decision fails; after it, failures are
// logged and tried again. When Run returns, a peer of ours has ended and the
// store is free. It must be called once.
func (s *Session) Run(ctx context.Context) error {
	defer func() {
		s.mu.Lock()
		known := s.now.final
		s.mu.Unlock()
		if !known {
			s.set(reached{err: errEnded, final: true})
		}
	}()
	for first := true; ; first = false {
		err := s.once(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && first:
			s.set(reached{err: err, final: true})
			return err
		case err != nil:
			s.log.Warn("the peer is not reached", "err", err)
			s.set(reached{err: err})
			sleep(ctx, retryTime)
		}
	}
}

// once decides and stays with the decision as long as it holds.
func (s *Session) once(ctx context.Context) error {
	outcome, err := Decide(ctx, s.dir)
	switch {
	case err != nil:
		return err
	case outcome.Lock != nil:
		return s.embed(ctx, outcome.Lock)
	}
	client := outcome.Client
	defer client.Close() //nolint:errcheck // nothing is in flight that could be lost
	s.log.Info("attached to the peer that runs on this store")
	s.set(reached{caller: client})
	select {
	case <-client.Done():
		s.log.Info("the process that held the peer has ended")
	case <-ctx.Done():
	}
	s.set(reached{})
	return nil
}

// embed runs a peer here and serves it to others until ctx ends.
func (s *Session) embed(ctx context.Context, lock *Lock) (err error) {
	defer lock.Release() //nolint:errcheck // only reading would need it
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	unhook := context.AfterFunc(ctx, end) // gives up while starting
	peer, err := s.start(life)
	unhook()
	if err != nil {
		return err
	}
	defer func() {
		s.set(reached{})
		err = errors.Join(err, peer.Stop())
	}()
	host, err := Listen(s.dir, peer, s.log)
	if err != nil {
		// The peer serves this process all the same.
		s.log.Warn("other processes cannot attach to this peer", "err", err)
	}
	s.set(reached{caller: peer.Caller, embedded: &peer})
	if host != nil {
		if err := host.Run(ctx); err != nil {
			s.log.Warn("other processes cannot attach to this peer any more", "err", err)
		}
	}
	<-ctx.Done()
	return nil
}

func (s *Session) set(r reached) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = r
	if r.caller != nil {
		s.ops = r.caller.Ops()
	}
	close(s.changed)
	s.changed = make(chan struct{})
}

// Ready waits for the first decision and gives its error.
func (s *Session) Ready(ctx context.Context) error {
	_, err := s.reach(ctx, nil, 0)
	return err
}

// Embedded tells whether the peer runs in this process, now.
func (s *Session) Embedded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.embedded != nil
}

// reach waits until a peer other than not is there; most bounds the wait unless
// it is 0.
func (s *Session) reach(ctx context.Context, not op.Caller, most time.Duration) (op.Caller, error) {
	var late <-chan time.Time
	if most > 0 {
		timer := time.NewTimer(most)
		defer timer.Stop()
		late = timer.C
	}
	for {
		s.mu.Lock()
		now, changed := s.now, s.changed
		s.mu.Unlock()
		switch {
		case now.final:
			return nil, now.err
		case now.caller != nil && now.caller != not:
			return now.caller, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fault.Of(ctx.Err())
		case <-late:
			if now.err != nil {
				return nil, now.err
			}
			return nil, gone
		}
	}
}

// with runs f on the peer. Only what the host cannot have seen is tried again,
// on the next host.
func (s *Session) with(ctx context.Context, f func(op.Caller) error) error {
	var lost op.Caller
	for {
		caller, err := s.reach(ctx, lost, decideTime)
		if err != nil {
			return err
		}
		if err = f(caller); !errors.Is(err, errUnsent) {
			return err
		}
		lost = caller
	}
}

// Ops lists the operations of the peer reached last; before [Session.Ready] has
// returned there are none.
func (s *Session) Ops() []op.Info {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]op.Info{}, s.ops...)
}

// Call runs one operation. While the peer changes hands it waits up to 5 s for
// the next host.
func (s *Session) Call(ctx context.Context, req op.Request) (reply op.Reply, err error) {
	err = s.with(ctx, func(c op.Caller) error {
		reply, err = c.Call(ctx, req)
		return err
	})
	return reply, err
}

// Events waits for events behind the cursor. A cursor of an earlier host gives
// a gap.
func (s *Session) Events(ctx context.Context, after event.Cursor, limit int) (batch event.Batch, err error) {
	err = s.with(ctx, func(c op.Caller) error {
		batch, err = c.Events(ctx, after, limit)
		return err
	})
	if fault.KindOf(err) == fault.Cancelled && ctx.Err() != nil {
		return event.Batch{Events: []event.Event{}, Next: after}, nil
	}
	return batch, err
}

// Now is the cursor behind the newest event.
func (s *Session) Now(ctx context.Context) (cursor event.Cursor, err error) {
	err = s.with(ctx, func(c op.Caller) error {
		cursor, err = c.Now(ctx)
		return err
	})
	return cursor, err
}

// Release tells the peer that a client of a surface went.
func (s *Session) Release(client string) {
	s.mu.Lock()
	now := s.now
	s.mu.Unlock()
	switch caller := now.caller.(type) {
	case *Client:
		caller.Release(client)
	default:
		if now.embedded != nil && now.embedded.Release != nil {
			now.embedded.Release(client)
		}
	}
}
