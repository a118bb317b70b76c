package subnet

import (
	"context"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/planes/subnet/log"
	"intercom/planes/subnet/machine"
)

// The states of what was written. It is accepted when it is on this peer's disk,
// confirmed when the indexers have it in their order, and failed when it stands there
// and did nothing.
const (
	accepted  = "accepted"
	confirmed = "confirmed"
	failed    = "failed"
	simulated = "simulated"
)

// settles is how long an operation waits for its entry to be confirmed when its
// caller does not say: one embedded indexer needs milliseconds.
const settles = 2 * time.Second

// written is what an operation answers about its entry.
type written struct {
	Entry   string `json:"entry" jsonschema:"id of the entry that was written, hex"`
	State   string `json:"state" jsonschema:"accepted: on this peer's disk, it goes on by itself; confirmed: done for everybody; failed: confirmed as having done nothing"`
	Message string `json:"message" jsonschema:"what was done, in upstream's words"`
	Error   string `json:"error,omitempty" jsonschema:"why it failed"`
}

func (w written) text() string {
	switch w.State {
	case failed:
		return "failed: " + w.Error
	case accepted:
		return w.Message + " (accepted, not yet confirmed)"
	}
	return w.Message
}

// write tries a body on the local view, appends it, and waits a little for it to be
// confirmed. What the state refuses is an error, and nothing is written.
func (m *member) write(ctx context.Context, b machine.Body, message string) (written, error) {
	e, err := m.append(ctx, b)
	if err != nil {
		return written{}, err
	}
	w := written{Entry: e.ID().String(), State: accepted, Message: message}
	if o, ok := m.await(ctx, e.ID(), settles); ok {
		w.State = confirmed
		if o.Refused != nil {
			w.State, w.Error = failed, o.Refused.Message
		}
	}
	return w, nil
}

// append tries a body and signs and stores it.
func (m *member) append(ctx context.Context, b machine.Body) (*feed.Entry, error) {
	if err := m.mayWrite(ctx); err != nil {
		return nil, err
	}
	on, err := m.log.Overlay()
	if err != nil {
		return nil, err
	}
	now := time.Now()
	out, err := m.machine.Try(on, m.self, b, uint64(m.log.Status().Height)+1, now.UnixMilli())
	if err != nil {
		return nil, err
	}
	if out.Refused != nil {
		return nil, out.Refused
	}
	raw, err := machine.Encode(b)
	if err != nil {
		return nil, err
	}
	return m.feeds.Append(ctx, m.feedID, m.plane.cfg.Signer, raw, now)
}

// mayWrite tells whether this peer is a writer; it asks to become one when the
// subnet lets writers in by themselves.
func (m *member) mayWrite(ctx context.Context) error {
	if conflict := m.log.Status().Conflict; conflict != nil {
		return conflict
	}
	for end := time.Now().Add(joinPatience); ; {
		state, err := m.log.State()
		if err != nil {
			return err
		}
		now, _, err := machine.MayWrite(state, m.self)
		if err != nil || now {
			return err
		}
		s, err := machine.SettingsOf(state)
		if err != nil {
			return err
		}
		if !s.AutoAdd || time.Now().After(end) {
			return fault.New(fault.Denied, "Peer is not writable.").
				WithHint("the admin of subnet %s lets it write: add_writer with key %s", m.bootstrap, m.self)
		}
		next := m.awaited.next()
		signal(m.plane.poke) // ask
		select {
		case <-next:
		case <-time.After(time.Second):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// awaited wakes those who wait for an entry to be confirmed.
type awaited struct {
	mu      sync.Mutex
	changed chan struct{} // closed and replaced at every block
}

func newAwaited() *awaited { return &awaited{changed: make(chan struct{})} }

// next gives a channel that is closed at the next block.
func (a *awaited) next() <-chan struct{} {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.changed
}

func (a *awaited) wake() {
	a.mu.Lock()
	defer a.mu.Unlock()
	close(a.changed)
	a.changed = make(chan struct{})
}

// await waits until an entry is confirmed and tells what came of it; ok is false
// when that takes longer than limit, or ctx ends.
func (m *member) await(ctx context.Context, id feed.ID, limit time.Duration) (out machine.Outcome, ok bool) {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	for {
		next := m.awaited.next()
		if _, found, err := m.log.Find(id); err != nil {
			return out, false
		} else if found {
			return m.outcome(id)
		}
		select {
		case <-next:
		case <-timer.C:
			return out, false
		case <-ctx.Done():
			return out, false
		case <-m.over.Done():
			return out, false
		}
	}
}

// outcome tells what came of a confirmed entry, from the state.
func (m *member) outcome(id feed.ID) (out machine.Outcome, ok bool) {
	state, err := m.log.State()
	if err != nil {
		return out, false
	}
	out.Entry = id
	refusal, refused, err := machine.RefusalOf(state, id)
	if refused {
		out.Refused = fault.New(refusal.Error, "%s", refusal.Message)
	}
	return out, err == nil
}

// confirmed is told of every block by the engine, which waits.
func (m *member) confirmed(c log.Confirmed) {
	for _, o := range c.Outcomes {
		if out, ok := outcomeIn(o); ok && out.Tx != nil {
			m.results.keep(out.Tx.Tx, out.Tx.Result())
		}
	}
	m.awaited.wake()
	select {
	case m.news <- c:
	default: // whoever reads events finds the rest in the state
		m.logger.Warn("events of a block were left out", "height", c.Height)
	}
}
