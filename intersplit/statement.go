package intersplit

import (
	"intercom/core/identity"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

// statement is a room at one moment, in one currency or in all of them: what
// balance and every export are written from.
type statement struct {
	channel  string
	signed   []string // all signed entries of the room, where they are asked for
	expenses int
	books    []currencyBook
	entries  []Entry
	cleared  *Cleared

	conflicts []Conflict // over the names of members
}

// currencyBook is one currency's part of a statement.
type currencyBook struct {
	currency money.Currency
	total    money.Sum
	balances []ledger.Balance
	plan     plan.Plan
}

// totals is never nil, and neither are the other lists.
func (s *statement) totals() []Total {
	totals := make([]Total, len(s.books))
	for i, b := range s.books {
		totals[i] = Total{Currency: b.currency.Code(), Amount: b.total.Format(b.currency)}
	}
	return totals
}

func (s *statement) balances() []Balance {
	balances := []Balance{}
	for _, b := range s.books {
		for _, member := range b.balances {
			balances = append(balances, Balance{
				Member: string(member.Member), Currency: b.currency.Code(), Amount: member.Amount.Format(b.currency),
			})
		}
	}
	return balances
}

func (s *statement) settlements() []Settlement {
	settlements := []Settlement{}
	for _, b := range s.books {
		for _, p := range b.plan.Payments {
			settlements = append(settlements, Settlement{
				From: p.From, To: p.To, Amount: p.Amount.Format(b.currency), Currency: b.currency.Code(),
			})
		}
	}
	return settlements
}

func (s *statement) facts() PlanFacts {
	facts := PlanFacts{Optimal: true}
	for _, b := range s.books {
		facts.Payments += len(b.plan.Payments)
		facts.LowerBound += b.plan.LowerBound
		facts.Optimal = facts.Optimal && b.plan.Optimal
	}
	return facts
}

// clearedOf says whether and how a room was cleared; nil means never.
func clearedOf(l *ledger.Ledger) *Cleared {
	expenses, last := l.Cleared()
	if last == nil {
		return nil
	}
	return &Cleared{ID: idText(last.ID), TS: last.TS, By: identity.PublicKey(last.Author).Address(), Expenses: expenses}
}

// shownEntries gives what is in effect, and what cannot be read, in order.
func shownEntries(l *ledger.Ledger) []Entry {
	shown := []Entry{}
	for _, e := range l.Entries() {
		if e.Shown() {
			shown = append(shown, entryOf(e))
		}
	}
	return shown
}
