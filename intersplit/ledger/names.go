package ledger

import (
	"maps"
	"slices"

	"intercom/intersplit/money"
)

// named puts the names of now into a body.
func (l *Ledger) named(b *Body) Body {
	named := *b
	if l.names == nil || len(l.names.now) == 0 {
		return named
	}
	switch {
	case b.Expense != nil:
		named.Expense = l.namedExpense(b.Expense)
	case b.Payment != nil:
		p := *b.Payment
		p.Transfer = l.namedTransfer(p.Transfer)
		named.Payment = &p
	case b.Settlement != nil:
		s := Settlement{Note: b.Settlement.Note, Source: b.Settlement.Source}
		for _, t := range b.Settlement.Payments {
			s.Payments = append(s.Payments, l.namedTransfer(t))
		}
		named.Settlement = &s
	case b.Rule != nil:
		r := *b.Rule
		r.Expense = l.namedExpense(r.Expense)
		named.Rule = &r
	case b.Edit != nil:
		e := *b.Edit
		if e.Money != nil {
			e.Money = l.namedExpense(e.Money)
		}
		if e.Transfer != nil {
			t := l.namedTransfer(*e.Transfer)
			e.Transfer = &t
		}
		named.Edit = &e
	}
	return named
}

func (l *Ledger) namedExpense(x *Expense) *Expense {
	named := *x
	named.Payers, named.Split = slices.Clone(x.Payers), slices.Clone(x.Split)
	for i := range named.Payers {
		named.Payers[i].Member = l.names.nameOf(named.Payers[i].Member)
	}
	for i := range named.Split {
		named.Split[i].Member = l.names.nameOf(named.Split[i].Member)
	}
	return &named
}

func (l *Ledger) namedTransfer(t Transfer) Transfer {
	t.From, t.To = l.names.nameOf(t.From), l.names.nameOf(t.To)
	return t
}

// Member is somebody whom an entry in effect names.
type Member struct {
	Name Name
	Left bool // and is no longer offered
}

// Members lists everyone whom an entry in effect names, by name.
func (l *Ledger) Members() []Member {
	l.refresh()
	left := map[Name]bool{}
	for _, e := range l.acting(KindLeave) {
		left[l.names.nameOf(e.Body.Member)] = true
	}
	known := map[Name]bool{}
	for _, b := range l.books {
		for name := range b.accounts {
			known[l.names.nameOf(name)] = true
		}
	}
	members := make([]Member, 0, len(known))
	for _, name := range slices.Sorted(maps.Keys(known)) {
		members = append(members, Member{Name: name, Left: left[name]})
	}
	return members
}

// Writable gives the name to write into an entry for a member as people know
// them: another one only when the name was given away and somebody else has it
// now.
func (l *Ledger) Writable(name Name) Name {
	l.refresh()
	if _, moved := l.names.now[name]; moved {
		if once, known := l.names.once[name]; known {
			return once
		}
	}
	return name
}

// NameOf is the name that a member has now.
func (l *Ledger) NameOf(name Name) Name {
	l.refresh()
	return l.names.nameOf(name)
}

// Unit finds a unit that the room has declared; of two declarations that differ
// the greater by (height, id).
func (l *Ledger) Unit(code string) (money.Currency, bool) {
	l.refresh()
	for _, e := range slices.Backward(l.acting(KindUnit)) {
		if e.Body.Unit.Code() == code {
			return e.Body.Unit, true
		}
	}
	return "", false
}

// Aliases gives what whoever renames or merges a member now knows of it: the ids
// of the renames and merges of its name in effect, and of those in dispute.
func (l *Ledger) Aliases(from Name) []ID {
	l.refresh()
	var known []ID
	know := func(id ID) {
		if len(known) < MaxAfter && !slices.Contains(known, id) {
			known = append(known, id)
		}
	}
	for _, e := range slices.Backward(l.acting(KindRename)) {
		if e.Body.Alias.From == from {
			know(e.ID)
		}
	}
	for _, c := range l.DisputesOf(from) {
		know(c.Counts)
		for _, id := range c.Others {
			know(id)
		}
	}
	return known
}
