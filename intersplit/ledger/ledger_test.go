package ledger

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/intersplit/money"
)

// deliver applies the entries in a random causal order, some more than once.
func deliver(t *rapid.T, entries []Entry) *Ledger {
	l := New()
	waiting := rapid.Permutation(entries).Draw(t, "arrival")
	for len(waiting) > 0 {
		var parked []Entry
		for _, e := range waiting {
			switch err := l.Apply(e); err {
			case nil:
				if rapid.IntRange(0, 3).Draw(t, "again") == 0 {
					if err := l.Apply(e); err != nil {
						t.Fatal(err)
					}
				}
			case ErrOrphan:
				parked = append(parked, e)
			default:
				t.Fatal(err)
			}
		}
		if len(parked) == len(waiting) {
			t.Fatal("nothing could be applied")
		}
		waiting = parked
	}
	return l
}

// picture writes down everything that a ledger says.
func picture(l *Ledger) string {
	var s strings.Builder
	cleared, last := l.Cleared()
	fmt.Fprintln(&s, l.Len(), l.InEffect(), cleared, last != nil, l.Members())
	if last != nil {
		fmt.Fprintf(&s, "%x\n", last.ID)
	}
	for _, e := range l.Entries() {
		now := e.Current()
		fmt.Fprintf(&s, "%d %x %s %d %v %v", e.Height, e.ID[:16], e.Body.Kind, e.Standing(), e.Shown(), e.Closed())
		if e.Body.Kind != KindUnsupported {
			fmt.Fprintf(&s, " %s %v", content(&now), e.Conflicts())
		}
		for _, told := range l.Story(e) {
			fmt.Fprintf(&s, " %x", told.ID[:2])
		}
		fmt.Fprintln(&s)
	}
	fmt.Fprintln(&s, l.Disputes())
	for _, c := range l.Currencies() {
		fmt.Fprintln(&s, c, l.Total(c).Digits(), l.InEffectIn(c))
		for _, b := range l.Balances(c) {
			fmt.Fprintln(&s, b.Member, b.Amount.Digits())
		}
		before, paid := l.Tail(c)
		fmt.Fprintln(&s, before, paid)
	}
	return s.String()
}

func TestAnyOrderAndDuplicationGiveTheSameState(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := drawEntries(t)
		one, other := picture(deliver(t, entries)), picture(deliver(t, entries))
		if one != other {
			t.Fatalf("%s\nand\n%s", one, other)
		}
	})
}

func TestBalancesOfEachCurrencyAddUpToZero(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := deliver(t, drawEntries(t))
		for _, c := range l.Currencies() {
			var sum money.Sum
			for _, b := range l.Balances(c) {
				sum = sum.Plus(b.Amount)
			}
			if sum != (money.Sum{}) {
				t.Fatalf("%s: %s", c, sum.Digits())
			}
		}
	})
}

// What a clear took is the same wherever it is asked, and all that every clear
// took is what went.
func TestWhatAClearTookDoesNotDependOnArrival(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := drawEntries(t)
		one, other := deliver(t, entries), deliver(t, entries)
		for _, e := range entries {
			if e.Body.Kind != KindClear {
				continue
			}
			n, totals := one.Took(e.ID)
			m, others := other.Took(e.ID)
			if n != m || !slices.Equal(totals, others) {
				t.Fatalf("%d %v and %d %v", n, totals, m, others)
			}
		}
		if n, totals := one.Took(ID{}); n != one.InEffect() || len(totals) != len(one.Currencies()) {
			t.Fatalf("a clear would take %d of %d", n, one.InEffect())
		}
	})
}

func TestARefundUndoesItsExpense(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := drawExpense(t)
		l := New()
		for i := range 2 {
			body, err := NewExpense(e)
			if err != nil {
				t.Fatal(err)
			}
			if err := l.Apply(Entry{ID: ID{byte(i)}, Body: body}); err != nil {
				t.Fatal(err)
			}
			e.Amount = -e.Amount
		}
		for _, c := range l.Currencies() {
			for _, b := range l.Balances(c) {
				if b.Amount.Sign() != 0 {
					t.Fatalf("%s is left with %s", b.Member, b.Amount.Digits())
				}
			}
			if l.Total(c).Sign() != 0 {
				t.Fatal("spent", l.Total(c).Digits())
			}
		}
	})
}

func TestAnOrphanChangesNothing(t *testing.T) {
	l := New()
	if err := l.Apply(Entry{ID: ID{2}, Parents: []ID{{1}}, Body: Body{Kind: KindClear}}); err != ErrOrphan || l.Len() != 0 {
		t.Error(err, l.Len())
	}
}

func TestAPayerBearsAShareOnlyWhenListed(t *testing.T) {
	l := New()
	body, err := NewExpense(Expense{Amount: 100, Payers: []Part{{"alice", 100}}, Split: []Portion{{"Bob", ""}, {"cleo", ""}, {"bob", ""}, {"dov", ""}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Apply(Entry{Body: body}); err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, b := range l.Balances("") {
		got += fmt.Sprintf("%s %s, ", b.Member, b.Amount.Signed(""))
	}
	if want := "alice +1.00, bob -0.34, cleo -0.33, dov -0.33, "; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// room builds a room of n expenses among members, each entry on top of the one
// before.
func room(tb testing.TB, n, members int) *Ledger {
	l, rng := New(), rand.New(rand.NewPCG(1, 2))
	var before []ID
	for i := range n {
		name := func() Name { return Name(fmt.Sprint("member", rng.IntN(members))) }
		amount := money.Minor(1 + rng.Int64N(10_000))
		body, err := NewExpense(Expense{Amount: amount, Payers: []Part{{name(), amount}}, Split: []Portion{{name(), ""}, {name(), ""}, {name(), ""}}})
		if err != nil {
			tb.Fatal(err)
		}
		e := Entry{Height: uint64(i), Parents: before, Body: body}
		binary.BigEndian.PutUint64(e.ID[:], uint64(i)+1)
		if err := l.Apply(e); err != nil {
			tb.Fatal(err)
		}
		before = []ID{e.ID}
	}
	return l
}

func BenchmarkBalances(b *testing.B) {
	l := room(b, 10_000, 12)
	for b.Loop() {
		if len(l.Balances("")) != 12 {
			b.Fatal("members")
		}
	}
}

func BenchmarkApply(b *testing.B) {
	for b.Loop() {
		room(b, 10_000, 12)
	}
}
