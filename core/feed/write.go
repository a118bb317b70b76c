package feed

import (
	"slices"

	"intercom/core/store"
)

// checked is an entry whose own rules and signature hold, with what was
// computed on the way.
type checked struct {
	*Entry
	id  ID
	raw []byte // its encoding
}

func (c *checked) preimage() []byte { return c.raw[:len(c.raw)-sigSize] }

func (c *checked) at() Position { return Position{c.Height, c.id} }

// round is what one holder of a lane wrote, to be made durable and reported
// together.
type round struct {
	lane   *lane
	ticket uint64
	stored []*Entry
	wrote  bool // something is to be made durable
}

// close takes the round's turn; the lane must still be held.
func (r *round) close() { r.ticket = r.lane.turns.take() }

// finish makes closed rounds durable with one fsync and reports them, each in its
// turn. Rounds of one caller are closed in their order.
func (f *Feeds) finish(rounds ...*round) error {
	var err error
	wrote := slices.ContainsFunc(rounds, func(r *round) bool { return r.wrote })
	if wrote {
		err = f.space.Sync()
	}
	for _, r := range rounds {
		if r.wrote {
			f.loose.Add(-1)
		}
	}
	for _, r := range rounds {
		f.report(r, err == nil)
	}
	return err
}

// report tells the listeners of a round's entries, if they are durable, and
// gives the turn on.
func (f *Feeds) report(r *round, durable bool) {
	r.lane.turns.wait(r.ticket)
	defer r.lane.turns.done()
	if !durable {
		return
	}
	f.tally.stored.Add(uint64(len(r.stored)))
	listeners := f.listeners.Load()
	if listeners == nil {
		return
	}
	for _, e := range r.stored {
		for _, listen := range *listeners {
			listen(e)
		}
	}
}

// apply writes a batch so that it is seen; finish makes it durable.
func (f *Feeds) apply(r *round, b *store.Batch) error {
	if !r.wrote {
		r.wrote = true
		f.loose.Add(1)
	}
	return b.Apply()
}

// settle returns when everything that can be seen is durable. What goes to
// another peer must be, or after a cut of power the author would use a seq
// again that others have seen.
func (f *Feeds) settle() error {
	if f.loose.Load() == 0 {
		return nil
	}
	return f.space.Sync()
}

// put stores an admitted entry with all its index records in one batch; the
// caller may add records of its own. The lane is held.
func (f *Feeds) put(r *round, c *checked, record func(*store.Batch)) error {
	s, err := f.state(r.lane, c.Feed)
	if err != nil {
		return err
	}
	last, found, err := f.latest(s, c.Author)
	if err != nil {
		return err
	}
	b := f.space.Batch()
	covered, err := f.cover(s, b, c)
	if err != nil {
		return err
	}
	at, n := c.at(), s.counts
	n.entries++
	n.bytes += uint64(len(c.raw))
	n.heads += 1 - uint64(len(covered))
	// All lower seqs are ancestors, so a seq that is not new is a fork.
	fork := found && c.Seq <= last.seq
	if fork {
		n.forks++
		b.Set(key(keyFork, c.Feed, c.Author[:], number(c.Seq)), nil)
	}
	leads := !found || c.Seq > last.seq || c.Seq == last.seq && at.Compare(last.at) > 0
	if leads {
		b.Set(key(keyNewest, c.Feed, c.Author[:]), newest{c.Seq, at}.encode())
	}
	b.Set(place(keyEntry, c.Feed, at), c.raw)
	b.Set(place(keyOrder, c.Feed, at), nil)
	b.Set(key(keyID, c.Feed, c.id[:]), facts{c.Height, c.Seq, c.Author}.encode())
	b.Set(key(keyAuthor, c.Feed, c.Author[:], number(c.Seq), c.id[:]), nil)
	b.Set(headKey(c.Feed, at), nil)
	b.Set(key(keyCounts, c.Feed), n.encode())
	if record != nil {
		record(b)
	}
	if err := f.apply(r, b); err != nil {
		r.lane.last = nil // what is there must be read again
		return err
	}
	s.wrote(at, covered, n)
	if leads {
		s.remember(c.Author, newest{c.Seq, at})
	}
	f.wasPut(r, c, fork)
	return nil
}

// wasPut tells the rest of the package of an entry that can now be seen.
func (f *Feeds) wasPut(r *round, c *checked, fork bool) {
	f.sums.touch(c.Feed, c.Height)
	r.stored = append(r.stored, c.Entry)
	if fork {
		f.tally.forks.Add(1)
		f.log.Debug("an author used a seq twice", "feed", c.Feed, "author", c.Author, "seq", c.Seq, "entry", c.id)
	}
}
