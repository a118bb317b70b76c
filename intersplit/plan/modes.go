package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"intercom/intersplit/money"
)

// Around plans payments that all go through one member, who may be anybody: who
// owes pays the member, and the member pays who is owed.
func Around(balances []Balance, member string) (Plan, error) {
	least, err := Settle(balances)
	if err != nil {
		return Plan{}, err
	}
	var payments []Payment
	for _, b := range balances {
		switch {
		case b.Member == member:
		case b.Amount.Sign() < 0:
			payments = append(payments, Payment{From: b.Member, To: member, Amount: b.Amount.Neg()})
		case b.Amount.Sign() > 0:
			payments = append(payments, Payment{From: member, To: b.Member, Amount: b.Amount})
		}
	}
	return planOf(payments, least.LowerBound), nil
}

// Pairs is what each two members owe each other directly, entry by entry. The
// zero value is ready; it is not safe for concurrent use.
type Pairs struct {
	owed map[pair]money.Sum // what the second of the pair owes the first
}

// pair is two members in name order.
type pair struct{ first, second string }

// Add counts one entry, whose balances add up to zero: who bore more than he paid
// owes who paid more than he bore. Among several of both, debtors and creditors
// meet in name order. An entry that is taken back is added with its balances
// negated.
func (p *Pairs) Add(entry []Balance) {
	if p.owed == nil {
		p.owed = map[pair]money.Sum{}
	}
	open := slices.DeleteFunc(slices.Clone(entry), func(b Balance) bool { return b.Amount.Sign() == 0 })
	slices.SortFunc(open, func(a, b Balance) int { return strings.Compare(a.Member, b.Member) })
	for _, debt := range inNameOrder(open) {
		p.move(debt.To, debt.From, debt.Amount)
	}
}

// move lets debtor owe creditor amount more.
func (p *Pairs) move(creditor, debtor string, amount money.Sum) {
	at := pair{creditor, debtor}
	if debtor < creditor {
		at, amount = pair{debtor, creditor}, amount.Neg()
	}
	if left := p.owed[at].Plus(amount); left.Sign() == 0 {
		delete(p.owed, at)
	} else {
		p.owed[at] = left
	}
}

// Plan nets each pair: nobody pays who is not owed by him. The bound is that of
// the balances, which are what the entries add up to.
func (p *Pairs) Plan(balances []Balance) (Plan, error) {
	least, err := Settle(balances)
	if err != nil {
		return Plan{}, err
	}
	payments := make([]Payment, 0, len(p.owed))
	for _, at := range slices.SortedFunc(maps.Keys(p.owed), func(a, b pair) int {
		return cmp.Or(strings.Compare(a.first, b.first), strings.Compare(a.second, b.second))
	}) {
		payment := Payment{From: at.second, To: at.first, Amount: p.owed[at]}
		if payment.Amount.Sign() < 0 {
			payment = Payment{From: at.first, To: at.second, Amount: payment.Amount.Neg()}
		}
		payments = append(payments, payment)
	}
	return planOf(payments, least.LowerBound), nil
}
