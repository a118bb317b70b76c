package plan

// settleMany settles more members than can be divided exactly: it packs the small
// even sets, and settles who is left over as well as it can. least is a bound: no
// plan has fewer payments.
func settleMany(open []Balance) (payments []Payment, least int) {
	debtors, creditors := sides(open)
	sets, whole := smallSets(open)
	best, groups := pack(len(open), sets, whole, min(len(debtors), len(creditors)))
	rest := open
	for _, s := range best {
		payments = append(payments, inNameOrder(pick(open, s))...)
	}
	rest = without(open, best)
	payments = append(payments, settleRest(rest)...)
	if greedy := largestFirst(open); len(greedy) < len(payments) {
		payments = greedy
	}
	return payments, len(open) - groups
}

// settleRest settles members among whom no small set is even.
func settleRest(rest []Balance) (payments []Payment) {
	if len(rest) <= MaxExact {
		for _, group := range divide(rest) {
			payments = append(payments, inNameOrder(group)...)
		}
		return payments
	}
	payments = inNameOrder(rest)
	if greedy := largestFirst(rest); len(greedy) < len(payments) {
		return greedy
	}
	return payments
}

func pick(members []Balance, s set) []Balance {
	picked := make([]Balance, len(s))
	for i, m := range s {
		picked[i] = members[m]
	}
	return picked
}

func without(members []Balance, sets []set) []Balance {
	gone := map[uint16]bool{}
	for _, s := range sets {
		for _, m := range s {
			gone[m] = true
		}
	}
	var rest []Balance
	for i, m := range members {
		if !gone[uint16(i)] {
			rest = append(rest, m)
		}
	}
	return rest
}
