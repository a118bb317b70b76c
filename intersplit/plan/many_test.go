package plan

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/intersplit/money"
)

// drawOpen draws unsettled balances that add up to zero and hold no pair of
// opposites, by name.
func drawOpen(t *rapid.T, most int, spread int64) []Balance {
	var balances []Balance
	var sum money.Sum
	for i := range rapid.IntRange(0, most).Draw(t, "members") {
		amount := money.SumOf(money.Minor(rapid.Int64Range(-spread, spread).Draw(t, "balance")))
		sum = sum.Plus(amount)
		balances = append(balances, Balance{Member: string(rune('a' + i)), Amount: amount})
	}
	open, err := unsettled(append(balances, Balance{Member: "~", Amount: sum.Neg()}))
	if err != nil {
		t.Fatal(err)
	}
	_, open = pairOpposites(open)
	return open
}

// What is proven beyond MaxExact is proven rightly: where both ways can be gone,
// they agree, and where nobody is left over they pick the same division.
func TestPackingAgreesWithTheExactDivision(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		open := drawOpen(t, 13, rapid.SampledFrom([]int64{4, 12, 60}).Draw(t, "spread"))
		exact := divide(open)
		payments, least := settleMany(open)
		want := len(open) - len(exact)
		if least > want || len(payments) < want {
			t.Fatalf("%d payments are least; the bound says %d and the plan has %d", want, least, len(payments))
		}
		if len(open) >= 3 && least != len(payments) {
			t.Fatalf("all sets are known, yet %d payments with a bound of %d", len(payments), least)
		}
		sets, _ := smallSets(open)
		best, _ := pack(len(open), sets, len(open)-1, len(open))
		if len(without(open, best)) > 0 {
			return
		}
		for i, group := range exact {
			if !slices.Equal(group, pick(open, best[i])) {
				t.Fatalf("group %d: %v, not %v", i, pick(open, best[i]), group)
			}
		}
	})
}

// Beyond MaxExact the division is the rule's where the package says so: also when
// larger sets are not looked at and some members are left over.
func TestPackingIsTheRulesWhereNoTwoGroupsCanBeLarge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		open := drawOpen(t, 13, rapid.SampledFrom([]int64{4, 8, 12}).Draw(t, "spread"))
		if len(open) == 0 {
			return
		}
		exact := divide(open)
		sets, whole := smallSets(open)
		whole = min(whole, rapid.IntRange(2, 8).Draw(t, "whole"))
		sets = slices.DeleteFunc(sets, func(s set) bool { return len(s) > whole })
		best, bound := pack(len(open), sets, whole, len(open))
		var packed [][]Balance
		for _, s := range best {
			packed = append(packed, pick(open, s))
		}
		if rest := without(open, best); len(rest) > 0 {
			packed = append(packed, rest)
		}
		k := len(packed)
		if k != bound || 3*(k-2)+2*(whole+1) <= len(open) {
			return
		}
		slices.SortFunc(packed, func(a, b []Balance) int { return strings.Compare(a[0].Member, b[0].Member) })
		if !slices.EqualFunc(packed, exact, slices.Equal) {
			t.Fatalf("up to %d: %v, not %v", whole, packed, exact)
		}
	})
}

// When sets are cut off at a small size, the bound still holds.
func TestBoundHoldsWhenLargerSetsAreNotLookedAt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		open := drawOpen(t, 12, 20)
		if len(open) == 0 {
			return
		}
		sets, whole := smallSets(open)
		whole = min(whole, rapid.IntRange(2, 6).Draw(t, "whole"))
		sets = slices.DeleteFunc(sets, func(s set) bool { return len(s) > whole })
		best, bound := pack(len(open), sets, whole, len(open))
		k := len(divide(open))
		if bound < k || len(best) > k {
			t.Fatalf("%d groups, bound %d, packed %d", k, bound, len(best))
		}
	})
}

// Members whose sums coincide all the time: the bounds end the search.
func TestCoincidencesAreBounded(t *testing.T) {
	sizes := []int{26, 40, 64, 300, 2000, 70_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		var open []Balance
		var sum money.Sum
		for i := range n - 1 {
			amount := money.SumOf(money.Minor(1 + i%2)) // ones and twos
			sum = sum.Plus(amount)
			open = append(open, Balance{Member: string(rune(0x4e00+i/1000)) + string(rune(0x4e00+i%1000)), Amount: amount})
		}
		for range 8 { // and a few who owe
			part := money.SumOf(money.Minor(n / 8))
			sum = sum.Minus(part)
			open = append(open, Balance{Member: string(rune('a' + len(open)%8)), Amount: part.Neg()})
		}
		open = append(open, Balance{Member: "z", Amount: sum.Neg()})
		p, err := Settle(open)
		if err != nil || p.LowerBound > len(p.Payments) {
			t.Fatal(n, err, p.LowerBound, len(p.Payments))
		}
	}
}
