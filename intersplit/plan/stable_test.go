package plan_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

func book(balances []plan.Balance, p plan.Payment) []plan.Balance {
	booked := slices.Clone(balances)
	for i, b := range booked {
		switch b.Member {
		case p.From:
			booked[i].Amount = b.Amount.Plus(p.Amount)
		case p.To:
			booked[i].Amount = b.Amount.Minus(p.Amount)
		}
	}
	return booked
}

// Booking any line leaves a least plan of one payment fewer, and a room keeps
// exactly the other lines, until nothing is left.
func TestBookingALineLeavesALeastPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := even(t, 10)
		first := settle(t, before)
		var paid []plan.Payment
		now, left := before, first.Payments
		for len(left) > 0 {
			i := rapid.IntRange(0, len(left)-1).Draw(t, "line")
			paid, now = append(paid, left[i]), book(now, left[i])
			left = slices.Delete(slices.Clone(left), i, i+1)
			if anew := settle(t, now); len(anew.Payments) != len(left) {
				t.Fatalf("%d payments, %d expected", len(anew.Payments), len(left))
			}
			kept, err := plan.Stable(before, paid)
			if err != nil || !slices.Equal(kept.Payments, left) || !kept.Optimal || kept.LowerBound != len(left) {
				t.Fatalf("%+v (%v), not %v", kept, err, left)
			}
		}
	})
}

// Whatever is paid, the room's plan settles what is left.
func TestAnyOtherPaymentMakesANewPlan(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := even(t, 8)
		now := before
		var paid []plan.Payment
		for range rapid.IntRange(1, 40).Draw(t, "payments") {
			p := plan.Payment{
				From:   rapid.SampledFrom(now).Draw(t, "from").Member,
				To:     rapid.SampledFrom(now).Draw(t, "to").Member,
				Amount: money.SumOf(money.Minor(rapid.Int64Range(1, 9).Draw(t, "amount"))),
			}
			if lines := settle(t, now).Payments; len(lines) > 0 && rapid.Bool().Draw(t, "a line") {
				p = rapid.SampledFrom(lines).Draw(t, "which")
			}
			if p.From == p.To {
				continue
			}
			paid, now = append(paid, p), book(now, p)
		}
		kept, err := plan.Stable(before, paid)
		if err != nil {
			t.Fatal(err)
		}
		checkSettles(t, now, kept.Payments)
		if least := settle(t, now); len(kept.Payments) != len(least.Payments) {
			t.Fatalf("%d payments, %d are enough", len(kept.Payments), len(least.Payments))
		}
	})
}

func TestAPaymentByAStrangerIsPlanned(t *testing.T) {
	p, err := plan.Stable(nil, []plan.Payment{{From: "ann", To: "ben", Amount: money.SumOf(5)}})
	if err != nil || len(p.Payments) != 1 || p.Payments[0] != (plan.Payment{From: "ben", To: "ann", Amount: money.SumOf(5)}) {
		t.Error(p, err)
	}
}

func TestAroundAMember(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		balances := even(t, 9)
		hub := rapid.SampledFrom([]string{"a", "c", "z", "stranger"}).Draw(t, "hub")
		p, err := plan.Around(balances, hub)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range p.Payments {
			if line.From != hub && line.To != hub {
				t.Fatalf("%v does not touch %s", line, hub)
			}
		}
		checkSettles(t, append(slices.Clone(balances), plan.Balance{Member: "stranger"}), p.Payments)
		if p.LowerBound > len(p.Payments) || p.LowerBound != settle(t, balances).LowerBound {
			t.Fatalf("%+v", p)
		}
	})
}

// Pairs are netted, and taking an entry back leaves no trace.
func TestPairsAreNetted(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var pairs plan.Pairs
		sums := map[string]money.Sum{}
		var entries [][]plan.Balance
		for range rapid.IntRange(0, 6).Draw(t, "entries") {
			entry := even(t, 5)
			entries = append(entries, entry)
			pairs.Add(entry)
			for _, b := range entry {
				sums[b.Member] = sums[b.Member].Plus(b.Amount)
			}
		}
		var balances []plan.Balance
		for member, amount := range sums {
			balances = append(balances, plan.Balance{Member: member, Amount: amount})
		}
		p, err := pairs.Plan(balances)
		if err != nil {
			t.Fatal(err)
		}
		checkSettles(t, balances, p.Payments)
		seen := map[[2]string]bool{}
		for _, line := range p.Payments {
			at := [2]string{min(line.From, line.To), max(line.From, line.To)}
			if seen[at] {
				t.Fatalf("%v is not netted", at)
			}
			seen[at] = true
		}
		for _, entry := range entries {
			for i, b := range entry {
				entry[i].Amount = b.Amount.Neg()
			}
			pairs.Add(entry)
		}
		if p, err := pairs.Plan(nil); err != nil || len(p.Payments) != 0 {
			t.Fatalf("%+v %v", p, err)
		}
	})
}

// The rule for one payer is what people expect: each who shares owes the payer.
func TestPairsOfSeveralPayers(t *testing.T) {
	var pairs plan.Pairs
	amount := func(m money.Minor) money.Sum { return money.SumOf(m) }
	entry := []plan.Balance{{Member: "ann", Amount: amount(30)}, {Member: "ben", Amount: amount(-20)}, {Member: "cleo", Amount: amount(-10)}}
	pairs.Add(entry)
	pairs.Add([]plan.Balance{{Member: "ben", Amount: amount(5)}, {Member: "ann", Amount: amount(-5)}})
	p, err := pairs.Plan([]plan.Balance{{Member: "ann", Amount: amount(25)}, {Member: "ben", Amount: amount(-15)}, {Member: "cleo", Amount: amount(-10)}})
	want := []plan.Payment{{From: "ben", To: "ann", Amount: amount(15)}, {From: "cleo", To: "ann", Amount: amount(10)}}
	if err != nil || !slices.Equal(p.Payments, want) || !p.Optimal {
		t.Error(p, err)
	}
}
