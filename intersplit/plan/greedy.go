package plan

import (
	"container/heap"
	"strings"

	"intercom/intersplit/money"
)

// largestFirst settles any even set: always the largest debtor to the largest
// creditor, ties by name.
func largestFirst(open []Balance) []Payment {
	debtors, creditors := sides(open)
	from, to := largest(debtors), largest(creditors)
	heap.Init(&from)
	heap.Init(&to)
	var payments []Payment
	for from.Len() > 0 && to.Len() > 0 {
		amount := least(from[0], to[0])
		payments = append(payments, payment(from[0], to[0], amount))
		from.pay(amount)
		to.pay(amount.Neg())
	}
	return payments
}

// largest is a heap with the greatest absolute balance on top.
type largest []Balance

func (l *largest) pay(amount money.Sum) {
	top := &(*l)[0]
	if top.Amount = top.Amount.Plus(amount); top.Amount.Sign() == 0 {
		heap.Pop(l)
		return
	}
	heap.Fix(l, 0)
}

func (l largest) Len() int      { return len(l) }
func (l largest) Swap(i, j int) { l[i], l[j] = l[j], l[i] }
func (l largest) Less(i, j int) bool {
	if order := l[i].Amount.Abs().Cmp(l[j].Amount.Abs()); order != 0 {
		return order > 0
	}
	return strings.Compare(l[i].Member, l[j].Member) < 0
}

// Push and Pop are the heap's own.
func (l *largest) Push(x any) { *l = append(*l, x.(Balance)) }

// Pop takes the last element.
func (l *largest) Pop() any {
	last := (*l)[len(*l)-1]
	*l = (*l)[:len(*l)-1]
	return last
}
