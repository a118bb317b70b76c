package ledger

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

// planOf is the plan of a room in one currency.
func planOf(t *rapid.T, l *Ledger, c money.Currency) plan.Plan {
	before, paid := l.Tail(c)
	balances := make([]plan.Balance, len(before))
	for i, b := range before {
		balances[i] = plan.Balance{Member: string(b.Member), Amount: b.Amount}
	}
	payments := make([]plan.Payment, len(paid))
	for i, p := range paid {
		payments[i] = plan.Payment{From: string(p.From), To: string(p.To), Amount: money.SumOf(p.Amount)}
	}
	made, err := plan.Stable(balances, payments)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// Whatever happened in a room: booking its plan leaves everybody even, and booking
// one line of it leaves exactly the others.
func TestBookingThePlanLeavesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := deliver(t, drawEntries(t))
		for _, c := range l.Currencies() {
			whole := planOf(t, l, c)
			left := slices.Clone(whole.Payments)
			for len(left) > 0 {
				at := rapid.IntRange(0, len(left)-1).Draw(t, "line")
				amount, err := money.Parse(left[at].Amount.Format(c), c)
				if err != nil {
					t.Fatal(err)
				}
				body, err := NewPayment(Payment{Transfer: Transfer{
					From: l.Writable(Name(left[at].From)), To: l.Writable(Name(left[at].To)), Amount: amount, Currency: c,
				}})
				if err != nil {
					t.Fatal(err)
				}
				l.append(t, body)
				left = slices.Delete(left, at, at+1)
				if now := planOf(t, l, c); !slices.Equal(now.Payments, left) {
					t.Fatalf("left %v, want %v", now.Payments, left)
				}
			}
			for _, b := range l.Balances(c) {
				if b.Amount.Sign() != 0 {
					t.Fatalf("%s is left with %s", b.Member, b.Amount.Digits())
				}
			}
		}
	})
}

// append adds an entry behind all others, as its author would who knows them all.
func (l *Ledger) append(t interface{ Fatal(...any) }, body Body) *Entry {
	e := Entry{Author: Author{1}, Body: body}
	binary.BigEndian.PutUint64(e.ID[:], uint64(l.Len())+1)
	e.ID[31] = 0xff
	child := map[int32]bool{}
	for _, parents := range l.parents {
		for _, p := range parents {
			child[p] = true
		}
	}
	for _, a := range l.entries {
		if !child[a.index] {
			e.Parents = append(e.Parents, a.ID)
			e.Height = max(e.Height, a.Height+1)
		}
	}
	if err := l.Apply(e); err != nil {
		t.Fatal(err)
	}
	added, _ := l.ByID(e.ID)
	return added
}

// Undoing what was just done gives back the state of before, and undoing that the
// state of then: whatever it was, and however deep.
func TestAnUndoTakesBackExactlyWhatWasDone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := drawEntries(t)
		l := deliver(t, entries)
		states := []string{balancesOf(l)}
		d := &drawing{T: t, entries: entries, knows: map[ID]map[ID]bool{}}
		knows := map[ID]bool{}
		for _, e := range entries {
			knows[e.ID] = true
		}
		e := l.append(t, d.body(knows))
		if e.Body.Kind == KindUndo || e.Body.Kind == KindUnsupported {
			return
		}
		states = append(states, balancesOf(l))
		for i := range 4 {
			e = l.append(t, must(NewMark(KindUndo, Mark{Target: e.ID}, ""))(t))
			if got := balancesOf(l); got != states[i%2] {
				t.Fatalf("undo %d of a %s\ngot\n%s\nwant\n%s", i+1, e.Body.Kind, got, states[i%2])
			}
		}
	})
}

// balancesOf is what counts in a room.
func balancesOf(l *Ledger) string {
	var s strings.Builder
	for _, c := range l.Currencies() {
		fmt.Fprintln(&s, c, l.Total(c).Digits(), l.InEffectIn(c), l.Balances(c))
	}
	fmt.Fprintln(&s, l.InEffect(), l.Members())
	return s.String()
}

func TestTwoUndosAreOne(t *testing.T) {
	l := New()
	e := l.append(t, must(NewExpense(Expense{Amount: 100, Payers: []Part{{"a", 100}}, Split: []Portion{{"b", ""}}}))(t))
	for i, undone := range []bool{true, true, true} {
		u := l.append(t, must(NewMark(KindUndo, Mark{Target: e.ID}, ""))(t))
		if e.Shown() == undone {
			t.Fatal("after undo", i+1)
		}
		if i == 2 { // one of three undone: the others hold
			l.append(t, must(NewMark(KindUndo, Mark{Target: u.ID}, ""))(t))
			if e.Shown() {
				t.Fatal("two undos were one")
			}
		}
	}
}

// A chain of undos is judged once per entry, not once per pair.
func TestALongChainOfUndosIsQuick(t *testing.T) {
	l := New()
	body := must(NewExpense(Expense{Amount: 100, Payers: []Part{{"a", 100}}, Split: []Portion{{"b", ""}}}))(t)
	e := Entry{ID: ID{1}, Height: 1, Body: body}
	const n = 100_000
	begin := time.Now()
	for i := range n {
		if err := l.Apply(e); err != nil {
			t.Fatal(err)
		}
		next := Entry{Height: e.Height + 1, Parents: []ID{e.ID}, Body: Body{Kind: KindUndo, Mark: &Mark{Target: e.ID}}}
		binary.BigEndian.PutUint64(next.ID[:], uint64(i)+2)
		next.ID[31] = 1
		e = next
	}
	shown := l.InEffect()
	if took := time.Since(begin); took > 20*time.Second || shown != 0 {
		t.Errorf("%d undos took %s; %d in effect", n-1, took, shown)
	}
}

func TestOfTwoRenamesApartTheGreaterCounts(t *testing.T) {
	base := Entry{ID: ID{1}, Height: 1, Body: must(NewExpense(Expense{Amount: 100, Payers: []Part{{"a", 100}}, Split: []Portion{{"bob", ""}}}))(t)}
	rename := func(id byte, to Name, after ...ID) Entry {
		return Entry{ID: ID{id}, Height: 2, Parents: []ID{base.ID}, Body: must(NewAlias(KindRename, Alias{From: "bob", To: to, After: after}, ""))(t)}
	}
	for _, order := range [][]Entry{{base, rename(2, "rob"), rename(3, "bert")}, {base, rename(3, "bert"), rename(2, "rob")}} {
		l := New()
		for _, e := range order {
			if err := l.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		if got := l.NameOf("bob"); got != "bert" {
			t.Errorf("bob is %s", got)
		}
		// The name is given up once more, by somebody who knows both.
		l.append(t, must(NewAlias(KindRename, Alias{From: "bert", To: "bob", After: l.Aliases("bert")}, ""))(t))
		if got := l.NameOf("bob"); got != "bob" {
			t.Errorf("bob is %s", got)
		}
	}
}

// Two renames of one member apart are a dispute on every peer, until somebody who
// knows both says what the member is called, or one of them is undone.
func TestRenamesApartAreInDisputeUntilSomebodyPicks(t *testing.T) {
	base := Entry{ID: ID{1}, Height: 1, Body: must(NewExpense(Expense{Amount: 100, Payers: []Part{{"a", 100}}, Split: []Portion{{"bob", ""}}}))(t)}
	alias := func(id byte, kind Kind, to Name) Entry {
		return Entry{ID: ID{id}, Height: 2, Parents: []ID{base.ID}, Body: must(NewAlias(kind, Alias{From: "bob", To: to}, ""))(t)}
	}
	apart := func(all ...Entry) *Ledger {
		l := New()
		for _, e := range append([]Entry{base}, all...) {
			if err := l.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		return l
	}
	rob, bert, merged := alias(2, KindRename, "rob"), alias(3, KindRename, "bert"), alias(4, KindMerge, "a")
	pick := func(l *Ledger, from, to Name) *Entry {
		return l.append(t, must(NewAlias(KindRename, Alias{From: from, To: to, After: l.Aliases(from)}, ""))(t))
	}
	for _, l := range []*Ledger{apart(rob, bert), apart(bert, rob)} {
		got := fmt.Sprint(l.Disputes())
		if want := fmt.Sprint([]Conflict{{Field: FieldName, Member: "bob", Counts: bert.ID, Others: []ID{rob.ID}, Names: []Name{"bert", "rob"}}}); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	for _, c := range []struct{ from, to, now Name }{
		{"bert", "rob", "rob"}, {"bert", "bert", "bert"}, {"bert", "bob", "bob"}, {"rob", "bert", "bert"},
	} {
		l := apart(rob, bert)
		p := pick(l, c.from, c.to)
		if got := l.NameOf("bob"); got != c.now || len(l.Disputes()) != 0 {
			t.Errorf("%s to %s: bob is %s, %v", c.from, c.to, got, l.Disputes())
		}
		l.append(t, must(NewMark(KindUndo, Mark{Target: p.ID}, ""))(t))
		if len(l.Disputes()) != 1 {
			t.Error("the pick is undone, and the dispute did not come back")
		}
	}
	l := apart(rob, bert)
	l.append(t, must(NewMark(KindUndo, Mark{Target: bert.ID}, ""))(t))
	if got := l.NameOf("bob"); got != "rob" || len(l.Disputes()) != 0 {
		t.Errorf("after an undo: bob is %s, %v", got, l.Disputes())
	}
	l = apart(rob, bert)
	pick(l, "bert", "rob")
	if err := l.Apply(merged); err != nil || len(l.Disputes()) != 1 {
		t.Errorf("the pick knew nothing of the merge: %v %v", l.Disputes(), err)
	}
	if e, _ := l.ByID(rob.ID); len(e.Conflicts()) != 1 {
		t.Error("a rename in dispute does not say so")
	}
	if again := apart(rob, alias(5, KindRename, "rob")); len(again.Disputes()) != 0 {
		t.Errorf("both say the same: %v", again.Disputes())
	}
}

// Two members who were renamed to one name apart are one from then on, and that is
// told: an undo of either parts them, and who says that they are one settles it.
func TestTwoMembersGivenOneNameAreInDispute(t *testing.T) {
	base := Entry{ID: ID{1}, Height: 1, Body: must(NewExpense(Expense{Amount: 100, Payers: []Part{{"ann", 100}}, Split: []Portion{{"bob", ""}}}))(t)}
	apart := func() *Ledger {
		l := New()
		for i, from := range []Name{"ann", "bob"} {
			body := must(NewAlias(KindRename, Alias{From: from, To: "zoe"}, ""))(t)
			for _, e := range []Entry{base, {ID: ID{byte(2 + i)}, Height: 2, Parents: []ID{base.ID}, Body: body}} {
				if err := l.Apply(e); err != nil {
					t.Fatal(err)
				}
			}
		}
		return l
	}
	l := apart()
	got, want := fmt.Sprint(l.Disputes()), fmt.Sprint([]Conflict{
		{Field: FieldShared, Member: "zoe", Counts: ID{3}, Others: []ID{{2}}, Names: []Name{"bob", "ann"}},
	})
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	l.append(t, must(NewMark(KindUndo, Mark{Target: ID{2}}, ""))(t))
	if got := fmt.Sprint(l.Members()); len(l.Disputes()) != 0 || got != "[{ann false} {zoe false}]" {
		t.Error("after an undo:", l.Disputes(), got)
	}
	l = apart()
	l.append(t, must(NewAlias(KindRename, Alias{From: "zoe", To: "zoe", After: l.Aliases("zoe")}, ""))(t))
	if got := fmt.Sprint(l.Members()); len(l.Disputes()) != 0 || got != "[{zoe false}]" {
		t.Error("settled:", l.Disputes(), got)
	}
	l = apart() // a merge says that they are one
	l.append(t, must(NewMark(KindUndo, Mark{Target: ID{2}}, ""))(t))
	l.append(t, must(NewAlias(KindMerge, Alias{From: "ann", To: "zoe", After: l.Aliases("ann")}, ""))(t))
	if len(l.Disputes()) != 0 {
		t.Error("merged:", l.Disputes())
	}
}

func TestDaysOfARule(t *testing.T) {
	for _, c := range []struct {
		rule Rule
		upTo string
		want string
	}{
		{Rule{First: "2026-01-31", Every: Monthly, Interval: 1}, "2026-04-29", "2026-01-31 2026-02-28 2026-03-31"},
		{Rule{First: "2028-01-30", Every: Monthly, Interval: 1}, "2028-02-29", "2028-01-30 2028-02-29"},
		{Rule{First: "2028-02-29", Every: Yearly, Interval: 1}, "2029-12-31", "2028-02-29 2029-02-28"},
		{Rule{First: "2026-12-30", Every: Daily, Interval: 2}, "2027-01-03", "2026-12-30 2027-01-01 2027-01-03"},
		{Rule{First: "2026-12-30", Every: Weekly, Interval: 1, Last: "2027-01-06"}, "2028-01-03", "2026-12-30 2027-01-06"},
		{Rule{First: "2026-12-30", Every: Monthly, Interval: 3}, "2026-01-01", ""},
		{Rule{First: "9999-12-01", Every: Monthly, Interval: 1}, "9999-12-31", "9999-12-01"},
	} {
		var days []string
		for day := range c.rule.Days(c.upTo) {
			days = append(days, day)
		}
		if got := strings.Join(days, " "); got != c.want {
			t.Errorf("%+v: %s, want %s", c.rule, got, c.want)
		}
	}
}

func TestBadPaymentsAreRefused(t *testing.T) {
	for _, p := range []Transfer{
		{}, {From: "a", To: "a", Amount: 1}, {From: "a", To: "b"}, {From: "a", To: "b", Amount: -1}, {From: "a", To: "b", Amount: money.Limit + 1},
		{From: "a,b", To: "c", Amount: 1}, {From: "a", To: " ", Amount: 1}, {From: "a", To: "b", Amount: 1, Currency: "DEM"},
	} {
		if _, err := NewPayment(Payment{Transfer: p}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", p, err)
		}
		if _, err := NewSettlement(Settlement{Payments: []Transfer{p}}, ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%+v: %v", p, err)
		}
	}
}

// What 100 000 entries cost: a balance, and one more entry of every kind.
func BenchmarkRoomOf100000(b *testing.B) {
	l := room(b, 100_000, 12)
	b.Run("balances", func(b *testing.B) {
		for b.Loop() {
			if len(l.Balances("")) != 12 {
				b.Fatal("members")
			}
		}
	})
	last := l.Entries()[l.Len()-1]
	b.Run("edit", func(b *testing.B) {
		i := 0
		for b.Loop() {
			i++
			note := fmt.Sprint(i)
			e := Entry{Height: last.Height + 1, Parents: []ID{last.ID}, Body: must(NewEdit(Edit{Target: l.entries[i%1000].ID, Note: &note}, ""))(b)}
			binary.BigEndian.PutUint64(e.ID[8:], uint64(i))
			if err := l.Apply(e); err != nil || len(l.Balances("")) != 12 {
				b.Fatal(err)
			}
		}
	})
}
