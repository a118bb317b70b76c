package feed

import (
	"context"
	"time"

	"intercom/core/identity"
)

// Foreseen is entries that were checked, and what would become of them.
type Foreseen struct {
	// Outcomes has one for each entry before the first that is refused.
	Outcomes []Outcome

	ready []*checked
}

// Foresee tells what AddAll would make of entries, and changes nothing. Every
// rule is checked, the signatures of stored entries too; only the guard is not
// asked. After an error the number of outcomes tells which entry it is about.
func (f *Feeds) Foresee(ctx context.Context, entries []*Entry, now time.Time) (*Foreseen, error) {
	ready, refused := f.checkAll(ctx, entries, f.checkNew)
	x := &Foreseen{ready: ready}
	here := make(map[ref]facts, len(ready)) // what would be stored by then
	for _, c := range ready {
		outcome, err := f.foresee(c, here, now)
		if err != nil {
			return x, err
		}
		if outcome == Stored {
			here[ref{c.Feed, c.id}] = facts{c.Height, c.Seq, c.Author}
		}
		x.Outcomes = append(x.Outcomes, outcome)
	}
	return x, refused
}

// foresee is admit without the writing.
func (f *Feeds) foresee(c *checked, here map[ref]facts, now time.Time) (Outcome, error) {
	if _, twice := here[ref{c.Feed, c.id}]; twice {
		return Known, nil
	}
	if _, known, err := f.kin(c.Feed, c.id); err != nil || known {
		return Known, err
	}
	missing, err := kinship(c, func(feed FeedID, id ID) (facts, bool, error) {
		if known, ok := here[ref{feed, id}]; ok {
			return known, true, nil
		}
		return f.kin(feed, id)
	})
	switch {
	case err != nil:
		return 0, err
	case len(missing) > 0:
		return Parked, nil
	case c.TS > now.Add(Ahead).UnixMilli():
		return Held, nil
	}
	return Stored, nil
}

// AddForeseen takes the entries that were foreseen, as AddAll does, without
// checking their signatures again.
func (f *Feeds) AddForeseen(ctx context.Context, x *Foreseen, from identity.PublicKey, now time.Time) (outcomes []Outcome, err error) {
	return f.addAll(ctx, x.ready, from, now)
}
