package feed

import (
	"context"
	"errors"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// errNoRoom tells a held entry that is passed over from a feed that is full.
var errNoRoom = errors.New("no room among the entries dated ahead")

// hold keeps an entry that is dated ahead, on the disk, until it is due. The
// lane is held.
func (f *Feeds) hold(r *round, c *checked, from identity.PublicKey) error {
	a := ahead{ref{c.Feed, c.id}, c.TS, from}
	f.held.mu.Lock()
	defer f.held.mu.Unlock()
	if _, ok := f.held.byID[a.ref]; ok {
		return nil
	}
	victim, full, ok := f.held.room(a)
	if !ok {
		return fault.New(fault.Limited, "%w for one dated %s", errNoRoom, time.UnixMilli(c.TS).UTC().Format(time.RFC3339)).
			WithHint("send it again when it is due")
	}
	b := f.space.Batch()
	if full {
		b.Delete(victim.key())
	}
	b.Set(a.key(), append(from[:], c.raw...))
	if err := f.apply(r, b); err != nil {
		return err
	}
	if full {
		delete(f.held.byID, victim.ref)
		f.tally.evicted.Add(1)
	}
	f.held.byID[a.ref] = a
	return nil
}

// Due stores the held entries that are no longer dated more than [Ahead] at
// that time, and tells how many. The owner calls it every few seconds.
func (f *Feeds) Due(ctx context.Context, now time.Time) (released int, err error) {
	for _, a := range f.held.due(now.Add(Ahead).UnixMilli()) {
		if err := ctx.Err(); err != nil {
			return released, err
		}
		r := &round{lane: f.lane(a.feed)}
		err := f.release(r, a, now)
		if finishErr := f.finish(r); err == nil {
			err = finishErr
		}
		if err != nil {
			return released, err
		}
		released++
	}
	return released, nil
}

// release stores one held entry; the record that held it goes in the same
// batch.
func (f *Feeds) release(r *round, a ahead, now time.Time) error {
	r.lane.mu.Lock()
	defer r.lane.mu.Unlock()
	err := f.releaseLocked(r, a, now)
	r.close()
	return err
}

func (f *Feeds) releaseLocked(r *round, a ahead, now time.Time) error {
	v, ok, err := f.space.Get(a.key())
	if err != nil {
		return err
	}
	if !ok {
		f.held.remove(a) // another Due was here first
		return nil
	}
	e, from, err := decodeHeld(v)
	if err != nil {
		return damaged("held entry", a.feed)
	}
	c := &checked{Entry: e, id: a.id, raw: v[32:]}
	outcome, err := f.admit(r, c, from, now, func(b *store.Batch) { b.Delete(a.key()) })
	refused := fault.KindOf(err) == fault.Invalid || fault.KindOf(err) == fault.Limited
	if err != nil && !refused {
		return err
	}
	if outcome == Known || refused {
		b := f.space.Batch()
		b.Delete(a.key())
		err = f.apply(r, b)
	}
	if err != nil {
		return err
	}
	f.held.remove(a)
	if outcome == Stored {
		return f.wake(r, c, now)
	}
	return nil
}
