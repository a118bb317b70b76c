package feed

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

// Outcome is what became of an entry that a neighbour sent.
type Outcome int

const (
	Stored Outcome = iota + 1 // it is on the disk
	Known                     // it was there before
	Parked                    // a parent is missing: see [Feeds.Missing]
	Held                      // it is dated ahead: see [Feeds.Due]
)

func (o Outcome) String() string {
	switch o {
	case Stored:
		return "stored"
	case Known:
		return "known"
	case Parked:
		return "parked"
	case Held:
		return "held"
	}
	return "none"
}

// Add takes an entry that the neighbour from sent. Everything about it is
// checked; an entry that breaks a rule is [fault.Invalid], and one dated ahead
// for which there is no room is [fault.Limited]. Entries that waited for this
// one are stored with it.
func (f *Feeds) Add(ctx context.Context, e *Entry, from identity.PublicKey, now time.Time) (Outcome, error) {
	outcomes, err := f.AddAll(ctx, []*Entry{e}, from, now)
	if err != nil {
		return 0, err
	}
	return outcomes[0], nil
}

// AddAll takes entries in order, as Add would one by one, with few fsyncs and
// on all cores. It stops at the first that is refused; outcomes has one for
// each entry before it.
func (f *Feeds) AddAll(ctx context.Context, entries []*Entry, from identity.PublicKey, now time.Time) (outcomes []Outcome, err error) {
	ready, refused := f.checkAll(ctx, entries, f.check)
	if outcomes, err = f.addAll(ctx, ready, from, now); err == nil {
		err = refused
	}
	return outcomes, err
}

// addAll takes entries whose own rules and signatures hold.
func (f *Feeds) addAll(ctx context.Context, ready []*checked, from identity.PublicKey, now time.Time) (outcomes []Outcome, err error) {
	var rounds []*round
	for len(ready) > 0 && err == nil {
		n := oneRound(ready)
		r := &round{lane: f.lane(ready[0].Feed)}
		var done []Outcome
		done, err = f.addLocked(ctx, r, ready[:n], from, now)
		outcomes, rounds, ready = append(outcomes, done...), append(rounds, r), ready[n:]
	}
	if finishErr := f.finish(rounds...); finishErr != nil {
		return nil, finishErr
	}
	return outcomes, err
}

// roundSize is how many entries are decided under one hold of a lane: more
// make others wait longer, fewer let them in more often.
const roundSize = 256

// oneRound tells how many of the first entries are of one feed and fit.
func oneRound(ready []*checked) int {
	n := 1
	for n < len(ready) && n < roundSize && ready[n].Feed == ready[0].Feed {
		n++
	}
	return n
}

// checkAll checks the entries on all cores. It returns those before the first
// one that is refused, and why that one is.
func (f *Feeds) checkAll(ctx context.Context, entries []*Entry, check func(context.Context, *Entry) (*checked, error)) ([]*checked, error) {
	ready, faults := make([]*checked, len(entries)), make([]error, len(entries))
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(entries)); i = next.Add(1) - 1 {
			ready[i], faults[i] = check(ctx, entries[i])
			if faults[i] != nil {
				return // the entries behind it are not wanted
			}
		}
	}
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(entries)/8) {
		workers.Go(work)
	}
	work()
	workers.Wait()
	for i, err := range faults {
		if err != nil {
			if fault.KindOf(err) == fault.Invalid {
				f.tally.refused.Add(1)
			}
			return ready[:i], err
		}
	}
	return ready, nil
}

// check checks one entry, the cheapest first. The signature of one that is
// stored is not looked at: nothing comes of it.
func (f *Feeds) check(ctx context.Context, e *Entry) (*checked, error) {
	c, err := f.unverified(ctx, e)
	if err != nil {
		return nil, err
	}
	if _, known, err := f.kin(e.Feed, c.id); err != nil || known {
		return c, err
	}
	return c, e.verify(c.preimage())
}

// checkNew is check for an entry that is probably not stored, and saves asking.
func (f *Feeds) checkNew(ctx context.Context, e *Entry) (*checked, error) {
	c, err := f.unverified(ctx, e)
	if err != nil {
		return nil, err
	}
	return c, e.verify(c.preimage())
}

func (f *Feeds) unverified(ctx context.Context, e *Entry) (*checked, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	c := &checked{Entry: e, raw: e.Encode()}
	c.id = hash(c.preimage())
	return c, nil
}

// addLocked decides entries of one feed.
func (f *Feeds) addLocked(ctx context.Context, r *round, entries []*checked, from identity.PublicKey, now time.Time) (outcomes []Outcome, err error) {
	r.lane.mu.Lock()
	defer r.lane.mu.Unlock()
	outcomes, err = f.admitAll(ctx, r, entries, from, now)
	r.close()
	return outcomes, err
}

func (f *Feeds) admitAll(ctx context.Context, r *round, entries []*checked, from identity.PublicKey, now time.Time) (outcomes []Outcome, err error) {
	for _, c := range entries {
		if err := ctx.Err(); err != nil {
			return outcomes, err
		}
		outcome, err := f.admit(r, c, from, now, nil)
		if err == nil && outcome == Stored {
			err = f.wake(r, c, now)
		}
		if err != nil {
			return outcomes, err
		}
		outcomes = append(outcomes, outcome)
	}
	return outcomes, nil
}

// admit decides one entry whose own rules and signature hold. The lane is held.
func (f *Feeds) admit(r *round, c *checked, from identity.PublicKey, now time.Time, record func(*store.Batch)) (Outcome, error) {
	if known, err := f.stored(r.lane, c); err != nil || known {
		return Known, err
	}
	missing, err := kinship(c, f.kin)
	if err != nil {
		if fault.KindOf(err) == fault.Invalid {
			f.tally.refused.Add(1)
		}
		return 0, err
	}
	if len(missing) > 0 {
		f.tally.evicted.Add(f.parked.park(c, from, missing))
		return Parked, nil
	}
	if err := f.guarded(r.lane, c.Entry); err != nil {
		if fault.KindOf(err) == fault.Invalid {
			f.tally.refused.Add(1)
		}
		return 0, err
	}
	if c.TS > now.Add(Ahead).UnixMilli() {
		return Held, f.hold(r, c, from)
	}
	return Stored, f.put(r, c, record)
}

// stored tells whether the entry is there. One with a head for a parent is not, or
// that would be no head; this saves looking for most of what a sync brings.
func (f *Feeds) stored(l *lane, c *checked) (bool, error) {
	s, err := f.state(l, c.Feed)
	if err != nil {
		return false, err
	}
	for _, parent := range c.Parents {
		if slices.ContainsFunc(s.heads, func(head Position) bool { return head.ID == parent }) {
			return false, nil
		}
	}
	_, known, err := f.kin(c.Feed, c.id)
	return known, err
}

// kinship checks the entry against its parents, or names those that look does
// not find.
func kinship(c *checked, look func(FeedID, ID) (facts, bool, error)) (missing []ID, err error) {
	var greatest uint64
	for i, parent := range c.Parents {
		known, ok, err := look(c.Feed, parent)
		if err != nil {
			return nil, err
		}
		if !ok {
			missing = append(missing, parent)
			continue
		}
		if i == 0 && c.Seq > 0 && (known.author != c.Author || known.seq != c.Seq-1) {
			return nil, invalid("seq %d behind entry %d of %s", c.Seq, known.seq, known.author)
		}
		if known.height >= c.Height {
			return nil, invalid("height %d, but a parent of height %d", c.Height, known.height)
		}
		greatest = max(greatest, known.height)
	}
	if len(missing) == 0 && c.Height != greatest+1 {
		return nil, invalid("height %d, but its greatest parent's is %d", c.Height, greatest)
	}
	return missing, nil
}

// wake admits what was parked for an entry that is now stored, and what was
// parked for that, parents before children.
func (f *Feeds) wake(r *round, c *checked, now time.Time) error {
	for arrived := []*checked{c}; len(arrived) > 0; arrived = arrived[1:] {
		for _, child := range f.parked.arrived(arrived[0]) {
			outcome, err := f.admit(r, child.checked, child.from, now, nil)
			switch {
			case fault.KindOf(err) == fault.Invalid, fault.KindOf(err) == fault.Limited:
				f.tally.evicted.Add(f.parked.forget(child.checked)) // they wait in vain
			case err != nil:
				return err
			case outcome == Stored:
				arrived = append(arrived, child.checked)
			}
		}
	}
	return nil
}
