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
	all, err := f.AppendAll(ctx, feed, signer, [][]byte{body}, now, options...)
	if err != nil {
		return nil, err
	}
	return all[0], nil
}

// AppendAll appends entries with those bodies in their order, as Append would
// one by one, with few fsyncs. Unless is asked once, before anything is
// written; what it finds is then all that AppendAll gives. After an error the
// first of the entries may be there, never others.
func (f *Feeds) AppendAll(ctx context.Context, feed FeedID, signer Signer, bodies [][]byte, now time.Time, options ...AppendOption) ([]*Entry, error) {
	var a appending
	for _, option := range options {
		option(&a)
	}
	if ts := now.UnixMilli(); ts < 0 || ts >= numbersBelow {
		return nil, fault.New(fault.Invalid, "the time %s", now).WithHint("set the clock of this machine")
	}
	entries := make([]*Entry, len(bodies))
	for i, body := range bodies {
		if len(body) > MaxBody {
			return nil, fault.New(fault.Limited, "a body of %d bytes", len(body)).
				WithHint("the most is %d bytes: send less, or in parts", MaxBody)
		}
		entries[i] = &Entry{Feed: feed, Author: signer.PublicKey(), TS: now.UnixMilli(), Body: append([]byte(nil), body...)}
	}
	for rest := entries; len(rest) > 0; rest = rest[min(len(rest), roundSize):] {
		found, err := f.appendRound(ctx, rest[:min(len(rest), roundSize)], signer, a)
		if found != nil || err != nil {
			return []*Entry{found}, err
		}
		a.unless = nil
	}
	return entries, nil
}

// appendRound links, signs and stores entries under one hold of the lane, and
// returns when they are durable; or it gives the entry that unless found.
func (f *Feeds) appendRound(ctx context.Context, entries []*Entry, signer Signer, a appending) (found *Entry, err error) {
	r := &round{lane: f.lane(entries[0].Feed)}
	found, err = f.appendLocked(ctx, r, entries, signer, a)
	if finishErr := f.finish(r); err == nil {
		err = finishErr
	}
	return found, err
}

// appendLocked decides and writes under the lane's lock, and closes the round.
func (f *Feeds) appendLocked(ctx context.Context, r *round, entries []*Entry, signer Signer, a appending) (found *Entry, err error) {
	r.lane.mu.Lock()
	defer r.lane.mu.Unlock()
	defer r.close() // also when one is found: whoever is writing it now has the turn before
	if a.unless != nil {
		if found, err = a.unless(); found != nil || err != nil {
			return found, err
		}
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := f.appendOne(r, e, signer, a); err != nil {
			return nil, err
		}
	}
	return nil, nil
}

func (f *Feeds) appendOne(r *round, e *Entry, signer Signer, a appending) error {
	if err := f.link(r.lane, e); err != nil {
		return err
	}
	if err := f.guarded(r.lane, e); err != nil {
		return err
	}
	preimage := e.Preimage()
	sig := signer.Sign(preimage)
	if len(sig) != sigSize {
		return fault.New(fault.Internal, "a signature of %d bytes", len(sig))
	}
	e.Sig = [sigSize]byte(sig)
	c := &checked{Entry: e, id: hash(preimage), raw: append(preimage, sig...)}
	record := func(b *store.Batch) {
		if a.record != nil {
			a.record(b, e)
		}
	}
	if err := f.put(r, c, record); err != nil {
		return err
	}
	return f.wake(r, c, time.UnixMilli(e.TS))
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
