// Package plan says who pays whom so that everybody is even, in few payments.
//
// The rule is min-v1. Members whose balances are exact opposites are paired
// first, in name order, which never costs a payment. Whoever is left is divided
// into as many groups as possible that are even among themselves: n members in k
// groups take n - k payments, and no plan does with fewer. Among equally good
// divisions the rule names one, so every peer prints the same plan: the first
// open member's group is the smallest, then the first in name order, that still
// allows the greatest number. Within a group debtors pay creditors in name order.
//
// Up to [MaxExact] members left, every division is weighed: the plan is proven
// least, and it is the one that the rule names. Beyond, the small even groups are
// found by meeting in the middle and packed, in the rule's order; members in none
// form a last group. The search is bounded by counts, not by time, so it ends
// alike on every peer; the plan says how far the bound is.
//
// So every peer prints the same plan, whatever the number. Beyond MaxExact it is
// the one of the rule for certain when the packing reaches a number k of groups
// that is proven the greatest, when neither it nor the search for the members who
// are best left over is ended by its bound, and when the n members left cannot
// hold two groups larger than w, the size up to which no even group was missed:
// 3(k-2) + 2(w+1) > n. Of random balances that is so for nearly all of 25 to 30
// members (w is 8 to 14) and for few beyond 40. Otherwise a division into as many
// groups that starts with a smaller one may have been missed, and the plan is the
// first of the best that were seen.
//
// Plans that people may prefer to the least one are here too: [Pairs] and
// [Around]; and [Stable], which keeps a room's plan while it is being paid. All
// are pure functions of balances and payments.
package plan

import (
	"cmp"
	"slices"
	"strings"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

// Balance is what a member is owed, or owes when it is negative.
type Balance struct {
	Member string
	Amount money.Sum
}

// Payment moves Amount, which is positive, from a debtor to a creditor.
type Payment struct {
	From, To string
	Amount   money.Sum
}

// Plan is a list of payments after which every balance is zero.
type Plan struct {
	Payments   []Payment // by from, then to
	LowerBound int       // no plan has fewer payments
	Optimal    bool      // this one has as few
}

// Settle plans the payments. Members must differ and the balances must add up to
// zero; their order does not matter.
func Settle(balances []Balance) (Plan, error) {
	open, err := unsettled(balances)
	if err != nil {
		return Plan{}, err
	}
	payments, open := pairOpposites(open)
	bound := len(payments)
	if len(open) <= MaxExact {
		for _, group := range divide(open) {
			payments = append(payments, inNameOrder(group)...)
		}
		bound = len(payments)
	} else {
		more, least := settleMany(open)
		payments = append(payments, more...)
		bound += least
	}
	return planOf(payments, bound), nil
}

// planOf puts payments in order.
func planOf(payments []Payment, bound int) Plan {
	slices.SortFunc(payments, func(a, b Payment) int {
		return cmp.Or(strings.Compare(a.From, b.From), strings.Compare(a.To, b.To))
	})
	return Plan{Payments: payments, LowerBound: bound, Optimal: bound == len(payments)}
}

// unsettled gives the balances that are not zero, by name.
func unsettled(balances []Balance) ([]Balance, error) {
	var sum money.Sum
	var open []Balance
	seen := make(map[string]bool, len(balances))
	for _, b := range balances {
		if seen[b.Member] {
			return nil, fault.New(fault.Invalid, "%q has two balances", b.Member).WithHint("give every member one balance")
		}
		seen[b.Member] = true
		sum = sum.Plus(b.Amount)
		if b.Amount.Sign() != 0 {
			open = append(open, b)
		}
	}
	if sum.Sign() != 0 {
		return nil, fault.New(fault.Invalid, "the balances add up to %s minor units, not to zero", sum.Digits()).
			WithHint("what some are owed is what the others owe")
	}
	slices.SortFunc(open, func(a, b Balance) int { return strings.Compare(a.Member, b.Member) })
	return open, nil
}

// pairOpposites settles every member with the first later one whose balance is
// the exact opposite, and gives back who is left.
func pairOpposites(open []Balance) (payments []Payment, left []Balance) {
	waiting := map[money.Sum][]int{} // balance → members that have it, by name
	for i, b := range open {
		waiting[b.Amount] = append(waiting[b.Amount], i)
	}
	paired := make([]bool, len(open))
	for i, b := range open {
		if paired[i] {
			continue
		}
		// Who has the same balance as an earlier unpaired member finds the list of
		// opposites empty, so both lists are used up in name order.
		waiting[b.Amount] = waiting[b.Amount][1:]
		opposites := waiting[b.Amount.Neg()]
		if len(opposites) == 0 {
			left = append(left, b)
			continue
		}
		other := opposites[0]
		waiting[b.Amount.Neg()] = opposites[1:]
		paired[other] = true
		payments = append(payments, payment(b, open[other], b.Amount.Abs()))
	}
	return payments, left
}

// payment is between a debtor and a creditor, whichever is which.
func payment(a, b Balance, amount money.Sum) Payment {
	if a.Amount.Sign() < 0 {
		return Payment{From: a.Member, To: b.Member, Amount: amount}
	}
	return Payment{From: b.Member, To: a.Member, Amount: amount}
}

// inNameOrder settles a group that is even: debtors and creditors by name, each
// payment as large as both sides allow. A group without an even part in it takes
// one payment less than it has members.
func inNameOrder(group []Balance) []Payment {
	debtors, creditors := sides(group)
	return match(debtors, creditors)
}

func sides(open []Balance) (debtors, creditors []Balance) {
	for _, b := range open {
		if b.Amount.Sign() < 0 {
			debtors = append(debtors, b)
		} else {
			creditors = append(creditors, b)
		}
	}
	return debtors, creditors
}

// match lets the first debtor pay the first creditor until all are even.
func match(debtors, creditors []Balance) []Payment {
	var payments []Payment
	for len(debtors) > 0 && len(creditors) > 0 {
		amount := least(debtors[0], creditors[0])
		payments = append(payments, payment(debtors[0], creditors[0], amount))
		debtors = pay(debtors, amount)
		creditors = pay(creditors, amount.Neg())
	}
	return payments
}

func least(a, b Balance) money.Sum {
	if a.Amount.Abs().Cmp(b.Amount.Abs()) < 0 {
		return a.Amount.Abs()
	}
	return b.Amount.Abs()
}

// pay moves the first balance by amount, and drops it when it is even.
func pay(side []Balance, amount money.Sum) []Balance {
	side[0].Amount = side[0].Amount.Plus(amount)
	if side[0].Amount.Sign() == 0 {
		return side[1:]
	}
	return side
}
