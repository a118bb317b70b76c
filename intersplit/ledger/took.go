package ledger

import "intercom/intersplit/money"

// Total is what was spent in one currency.
type Total struct {
	Currency money.Currency
	Amount   money.Sum
}

// Clearable says whether a clear would take anything away.
func (l *Ledger) Clearable() bool {
	l.refresh()
	for i := len(l.entries) - 1; i >= 0; i-- {
		if e := l.entries[i]; e.Shown() {
			return true
		}
	}
	return false
}

// Cleared is how many expenses and payments clears have taken out of effect, and
// the greatest of these clears by (height, id); nil when none is in effect.
func (l *Ledger) Cleared() (entries int, last *Entry) {
	l.refresh()
	return l.cleared, l.veils[veilClear].last()
}

// Closed is the greatest close in effect; nil when there is none.
func (l *Ledger) Closed() *Entry {
	l.refresh()
	return l.veils[veilClose].last()
}

func (v *veil) last() *Entry {
	var last *Entry
	for _, e := range v.all {
		if e.valid && (v.kind == KindClear || !e.veiled[veilClear]) && (last == nil || Compare(last, e) < 0) {
			last = e
		}
	}
	return last
}

// Took says what a clear took out of effect, or a close out of the totals: the
// entries that counted for its author. It depends on the entry's ancestors only,
// so it is the same whenever and wherever it is asked. For an entry that is not
// there it is what one would take now.
func (l *Ledger) Took(id ID) (entries int, totals []Total) {
	if _, known := l.byID[id]; known {
		l = l.Before(id)
	}
	for _, c := range l.Currencies() {
		totals = append(totals, Total{Currency: c, Amount: l.Total(c)})
	}
	return l.InEffect(), totals
}
