package ledger

import (
	"slices"

	"intercom/intersplit/money"
)

// Tail is what a plan that stays while it is being paid is made of: the balances
// behind the last entry that is no payment, and the payments since, in order.
// Entries in other currencies alone do not matter.
func (l *Ledger) Tail(c money.Currency) (before []Balance, paid []Transfer) {
	all := l.Entries()
tail:
	for _, e := range slices.Backward(all) {
		switch standing := e.Standing(); {
		case standing == Void, standing == Twin:
		case e.Body.Payment != nil && standing == Counts:
			if p := e.Current().Payment; p.Currency == c {
				paid = append(paid, p.Transfer)
			}
		case e.Body.Settlement != nil && standing == Counts:
			for _, t := range slices.Backward(e.Current().Settlement.Payments) {
				if t.Currency == c {
					paid = append(paid, t)
				}
			}
		case e.Body.Expense != nil && standing == Counts && e.subject.posted != nil && !touches(e.subject.posted, c):
		default:
			break tail
		}
	}
	slices.Reverse(paid)
	before = l.Balances(c)
	for _, t := range paid {
		before = append(before, Balance{t.From, money.SumOf(-t.Amount)}, Balance{t.To, money.SumOf(t.Amount)})
	}
	return gather(before), paid
}

func touches(b *Body, c money.Currency) bool {
	for p := range b.postings() {
		if p.Currency == c {
			return true
		}
	}
	return false
}

// EachPosting visits what every entry in effect moves in a currency, entry by
// entry in order; the balances of one entry add up to zero, and are by name.
func (l *Ledger) EachPosting(c money.Currency, visit func(e *Entry, moved []Balance)) {
	for _, e := range l.Entries() {
		if e.subject == nil || e != e.subject.base || e.subject.posted == nil {
			continue
		}
		var moved []Balance
		for p := range e.subject.posted.postings() {
			if p.Currency == c {
				moved = append(moved, Balance{l.names.nameOf(p.Member), money.SumOf(p.Amount)})
			}
		}
		if len(moved) > 0 {
			visit(e, gather(moved))
		}
	}
}
