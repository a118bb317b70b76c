package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

// even draws members whose small balances add up to zero, so that groups are
// common.
func even(t *rapid.T, most int) []plan.Balance {
	n := rapid.IntRange(0, most).Draw(t, "members")
	balances := make([]plan.Balance, 0, n+1)
	var sum money.Sum
	for i := range n {
		amount := money.SumOf(money.Minor(rapid.Int64Range(-9, 9).Draw(t, "balance")))
		sum = sum.Plus(amount)
		balances = append(balances, plan.Balance{Member: string(rune('a' + i)), Amount: amount})
	}
	return append(balances, plan.Balance{Member: "z", Amount: sum.Neg()})
}

func settle(t rapid.TB, balances []plan.Balance) plan.Plan {
	t.Helper()
	p, err := plan.Settle(balances)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func checkSettles(t rapid.TB, balances []plan.Balance, payments []plan.Payment) {
	t.Helper()
	left := map[string]money.Sum{}
	for _, b := range balances {
		left[b.Member] = b.Amount
	}
	for _, p := range payments {
		if p.Amount.Sign() <= 0 {
			t.Fatalf("%s pays %s to %s", p.From, p.Amount.Digits(), p.To)
		}
		left[p.From] = left[p.From].Plus(p.Amount)
		left[p.To] = left[p.To].Minus(p.Amount)
	}
	for member, amount := range left {
		if amount.Sign() != 0 {
			t.Fatalf("%s is left with %s", member, amount.Digits())
		}
	}
}

func TestPlanSettlesEverybodyAndDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		balances := even(t, 12)
		p := settle(t, balances)
		checkSettles(t, balances, p.Payments)
		if p.LowerBound > len(p.Payments) || p.Optimal != (p.LowerBound == len(p.Payments)) {
			t.Fatalf("bound %d, optimal %v, payments %d", p.LowerBound, p.Optimal, len(p.Payments))
		}
		other := settle(t, rapid.Permutation(balances).Draw(t, "order"))
		if !slices.Equal(p.Payments, other.Payments) {
			t.Fatalf("%v and %v", p.Payments, other.Payments)
		}
	})
}

func TestPlanHasTheFewestPayments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		balances := even(t, 9)
		if got, want := len(settle(t, balances).Payments), exhaustive(balances); got != want {
			t.Fatalf("%d payments, %d are enough for %v", got, want, balances)
		}
	})
}

// exhaustive counts n - k by trying every group for the first open member.
func exhaustive(balances []plan.Balance) int {
	var open []money.Sum
	for _, b := range balances {
		if b.Amount.Sign() != 0 {
			open = append(open, b.Amount)
		}
	}
	return len(open) - mostGroups(open)
}

func mostGroups(open []money.Sum) int {
	if len(open) == 0 {
		return 0
	}
	best := 0
	for set := range 1 << (len(open) - 1) {
		sum, rest := open[0], []money.Sum{}
		for i, amount := range open[1:] {
			if set>>i&1 == 1 {
				sum = sum.Plus(amount)
			} else {
				rest = append(rest, amount)
			}
		}
		if sum.Sign() == 0 {
			best = max(best, 1+mostGroups(rest))
		}
	}
	return best
}

// The canonical choice among equals, written out.
func TestPlanPicksTheCanonicalOne(t *testing.T) {
	for name, c := range map[string]struct {
		balances map[string]money.Minor
		want     string
	}{
		"nobody":                    {nil, ""},
		"two":                       {map[string]money.Minor{"alice": 1000, "bob": -1000}, "bob>alice:1000 "},
		"opposites in name order":   {map[string]money.Minor{"a": 5, "b": 5, "c": -5, "d": -5}, "c>a:5 d>b:5 "},
		"smallest group first":      {map[string]money.Minor{"a": 6, "b": -2, "c": -4, "d": -3, "e": 10, "f": -7}, "b>a:2 c>a:4 d>e:3 f>e:7 "},
		"first in name order":       {map[string]money.Minor{"a": 6, "b": -2, "c": -4, "d": -1, "e": -5, "f": 6}, "b>a:2 c>a:4 d>f:1 e>f:5 "},
		"pointers in a group":       {map[string]money.Minor{"a": -7, "b": 4, "c": -2, "d": 5}, "a>b:4 a>d:3 c>d:2 "},
		"zeros are nobody's matter": {map[string]money.Minor{"a": 0, "b": 0}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var balances []plan.Balance
			for member, amount := range c.balances {
				balances = append(balances, plan.Balance{Member: member, Amount: money.SumOf(amount)})
			}
			got := ""
			for _, p := range settle(t, balances).Payments {
				got += fmt.Sprintf("%s>%s:%s ", p.From, p.To, p.Amount.Digits())
			}
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestPlanOfManyIsBoundedHonestly(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	balances := random(rng, 10_000)
	p := settle(t, balances)
	checkSettles(t, balances, p.Payments)
	if p.LowerBound > len(p.Payments) || len(p.Payments) >= 10_000 {
		t.Fatalf("%d payments, bound %d", len(p.Payments), p.LowerBound)
	}
}

func TestPlanRefusesWhatCannotBeSettled(t *testing.T) {
	one := money.SumOf(1)
	for name, balances := range map[string][]plan.Balance{
		"uneven":      {{Member: "a", Amount: one}},
		"named twice": {{Member: "a", Amount: one}, {Member: "a", Amount: one.Neg()}},
	} {
		if _, err := plan.Settle(balances); err == nil {
			t.Errorf("%s: settled", name)
		}
	}
}

func random(rng *rand.Rand, n int) []plan.Balance {
	balances := make([]plan.Balance, n)
	var sum money.Sum
	for i := range balances {
		amount := money.SumOf(money.Minor(rng.Int64N(200_000) - 100_000))
		if i == n-1 {
			amount = sum.Neg()
		}
		sum = sum.Plus(amount)
		balances[i] = plan.Balance{Member: fmt.Sprintf("m%05d", i), Amount: amount}
	}
	return balances
}

func BenchmarkSettle(b *testing.B) {
	for _, n := range []int{8, 12, 16, 20, 22, 24, 32, 40} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			balances := random(rand.New(rand.NewPCG(1, uint64(n))), n)
			for b.Loop() {
				if _, err := plan.Settle(balances); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
