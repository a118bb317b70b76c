package feed

import (
	"context"
	"time"

	"intercom/core/fault"
	"intercom/core/store"
)

// AppendOption adds to what one Append does.
type AppendOption func(*appending)

type appending struct {
	record func(*store.Batch, *Entry)
	unless func() (*Entry, error)
}

// WithRecord has record write into the batch that stores the entry, so that
// both are there or neither; [store.Batch.In] reaches the caller's own space.
// record only writes.
func WithRecord(record func(b *store.Batch, e *Entry)) AppendOption {
	return func(a *appending) { a.record = record }
}

// Unless asks before anything is written whether the entry is there already,
// for instance under the caller's idempotency key. When it finds one, Append
// writes nothing and returns that one. No other writer of the feed comes
// between the question and the write, so two calls with one key give one entry.
// unless only reads.
func Unless(unless func() (found *Entry, err error)) AppendOption {
	return func(a *appending) { a.unless = unless }
}

// Append signs an entry with that body and stores it. Its parents are the
// feed's heads, the author's previous entry first; of more than 16 it takes
// that one and the greatest heads by (height, id), and leaves the others to the
// entries after it. When Append returns, the entry is on the disk.
//
// Appends of several goroutines share their fsync, also within one feed. ctx is
// heeded until the entry is written.
func (f *Feeds) Append(ctx context.Context, feed FeedID, signer Signer, body []byte, now time.Time, options ...AppendOption) (*Entry, error) {
	var a appending
	for _, option := range options {
		option(&a)
	}
	ts := now.UnixMilli()
	switch {
	case len(body) > MaxBody:
		return nil, fault.New(fault.Limited, "a body of %d bytes", len(body)).
			WithHint("the most is %d bytes: send less, or in parts", MaxBody)
	case ts < 0 || ts >= numbersBelow:
		return nil, fault.New(fault.Invalid, "the time %s", now).WithHint("set the clock of this machine")
	}
	l := f.lane(feed)
	r := &round{lane: l}
	e, err := f.appendLocked(ctx, r, &Entry{
		Feed: feed, Author: signer.PublicKey(), TS: ts, Body: append([]byte(nil), body...),
	}, signer, a)
	if err != nil {
		return nil, err
	}
	if err := f.finish(r); err != nil {
		return nil, err
	}
	return e, nil
}

// appendLocked decides and writes under the lane's lock, and closes the round
// unless it failed.
func (f *Feeds) appendLocked(ctx context.Context, r *round, e *Entry, signer Signer, a appending) (*Entry, error) {
	r.lane.mu.Lock()
	defer r.lane.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if a.unless != nil {
		found, err := a.unless()
		if err != nil {
			return nil, err
		}
		if found != nil {
			r.close() // whoever is writing it now has the turn before
			return found, nil
		}
	}
	if err := f.link(r.lane, e); err != nil {
		return nil, err
	}
	preimage := e.Preimage()
	sig := signer.Sign(preimage)
	if len(sig) != sigSize {
		return nil, fault.New(fault.Internal, "a signature of %d bytes", len(sig))
	}
	e.Sig = [sigSize]byte(sig)
	c := &checked{Entry: e, id: hash(preimage), raw: append(preimage, sig...)}
	record := func(b *store.Batch) {
		if a.record != nil {
			a.record(b, e)
		}
	}
	if err := f.put(r, c, record); err != nil {
		return nil, f.abandon(r, err)
	}
	if err := f.wake(r, c, time.UnixMilli(e.TS)); err != nil {
		return nil, f.abandon(r, err)
	}
	r.close()
	return e, nil
}

// abandon ends a round whose write failed: the store is closed or broken, and
// nobody is told of what it wrote.
func (f *Feeds) abandon(r *round, err error) error {
	if r.wrote {
		f.loose.Add(-1)
	}
	return err
}

// link fills in what the entry builds on.
func (f *Feeds) link(l *lane, e *Entry) error {
	s, err := f.state(l, e.Feed)
	if err != nil {
		return err
	}
	last, found, err := f.latest(s, e.Author)
	if err != nil {
		return err
	}
	if found {
		e.Seq = last.seq + 1
		e.Height = last.at.Height
		e.Parents = append(e.Parents, last.at.ID)
	}
	heads, err := f.topHeads(s)
	if err != nil {
		return err
	}
	for _, head := range heads {
		if found && head == last.at {
			continue
		}
		if len(e.Parents) < MaxParents {
			e.Parents = append(e.Parents, head.ID)
			e.Height = max(e.Height, head.Height)
		}
	}
	e.Height++
	return nil
}
