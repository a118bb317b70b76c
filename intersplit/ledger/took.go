package ledger

import "intercom/intersplit/money"

// Total is what was spent in one currency.
type Total struct {
	Currency money.Currency
	Amount   money.Sum
}

// Shown says whether the entry belongs in a list: an expense in effect, or one
// that this version does not support and no clear has covered.
func (e *Entry) Shown() bool { return !e.covered && e.Body.Kind != KindClear }

// Clearable says whether a clear would take anything away.
func (l *Ledger) Clearable() bool {
	for i := len(l.entries) - 1; i >= 0; i-- {
		if l.entries[i].Shown() {
			return true
		}
	}
	return false
}

// ExpensesIn is how many expenses in a currency are in effect.
func (l *Ledger) ExpensesIn(c money.Currency) int {
	if b, known := l.books[c]; known {
		return b.expenses
	}
	return 0
}

// Took says what a clear took out of effect: the expenses that its author knew,
// but for those that a clear which the author knew had taken before. It depends
// on the clear's ancestors only, so it is the same whenever and wherever it is
// asked. For an entry that is not there it is what a clear would take now.
func (l *Ledger) Took(clearing ID) (expenses int, totals []Total) {
	e, known := l.byID[clearing]
	if !known {
		for _, c := range l.Currencies() {
			totals = append(totals, Total{Currency: c, Amount: l.Total(c)})
		}
		return l.counting, totals
	}
	ancestors := l.ancestors(e)
	before := map[int32]bool{}
	for i := range ancestors {
		if l.entries[i].Body.Kind == KindClear {
			l.walk(i, before)
		}
	}
	scratch := New()
	for i := range ancestors {
		if x := l.entries[i].Body.Expense; x != nil && !before[i] {
			expenses++
			scratch.book(x.Currency).add(x, +1)
		}
	}
	for _, c := range scratch.Currencies() {
		totals = append(totals, Total{Currency: c, Amount: scratch.Total(c)})
	}
	return expenses, totals
}

func (l *Ledger) ancestors(e *Entry) map[int32]bool {
	seen := map[int32]bool{}
	l.walk(e.index, seen)
	return seen
}

// walk adds an entry's ancestors that are not seen yet.
func (l *Ledger) walk(from int32, seen map[int32]bool) {
	open := []int32{from}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, p := range l.parents[at] {
			if !seen[p] {
				seen[p] = true
				open = append(open, p)
			}
		}
	}
}
