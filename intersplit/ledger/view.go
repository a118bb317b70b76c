package ledger

import (
	"maps"
	"slices"

	"intercom/intersplit/money"
)

// Shown says whether the entry belongs in a list: it counts, or this version does
// not support it and no clear has covered it.
func (e *Entry) Shown() bool {
	switch standing := e.Standing(); {
	case e.Body.Kind.Subject():
		return standing == Counts
	default:
		return standing == Void && !e.veiled[veilClear]
	}
}

// Standing says whether the entry is in effect, and why not. The ledger must have
// been asked for something since the last [Ledger.Apply].
func (e *Entry) Standing() Standing {
	s := e.subject
	switch {
	case e.Body.Kind == KindUnsupported:
		return Void
	case e.Body.Kind.Subject() && s != nil && e == s.base:
		return s.standing
	case !e.valid:
		return Undone
	case e.veiled[veilClear] && e.Body.Kind != KindUndo:
		return Cleared
	case e.Body.Kind.Subject() && s != nil && s.standing == Deleted:
		return Deleted
	case e.Body.Kind.Subject() && s != nil: // a preview stands nowhere yet
		return Twin
	}
	return Counts
}

// Closed says whether a close has taken the entry out of totals and lists.
func (e *Entry) Closed() bool { return e.veiled[veilClose] }

// Conflicts is what members said of the entry without knowing of each other.
func (e *Entry) Conflicts() []Conflict {
	if e.subject == nil || e != e.subject.base {
		return nil
	}
	return e.subject.conflicts
}

// Current is what the entry says now: with the edits in effect, and members under
// the names that they have now.
func (e *Entry) Current() Body {
	if e.in == nil {
		return e.Body
	}
	if e.subject != nil && e == e.subject.base {
		return e.in.named(e.subject.now)
	}
	return e.in.named(&e.Body)
}

// Merged is what the entry says now under the names that its author used: what an
// edit starts from.
func (e *Entry) Merged() Body {
	if e.subject != nil && e == e.subject.base {
		return *e.subject.now
	}
	return e.Body
}

// Unedited is what the entry itself says, with members under the names that they
// have now.
func (e *Entry) Unedited() Body {
	if e.in == nil {
		return e.Body
	}
	return e.in.named(&e.Body)
}

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

// Aliases gives the renames and merges of a name in effect, for whoever makes
// another: their ids.
func (l *Ledger) Aliases(from Name) []ID {
	l.refresh()
	var known []ID
	for _, e := range slices.Backward(l.acting(KindRename)) {
		if e.Body.Alias.From == from && len(known) < MaxAfter {
			known = append(known, e.ID)
		}
	}
	return known
}

// Known gives what whoever changes an entry now knows of it: its latest changes
// and, when it is cleared, the clear.
func (e *Entry) Known() []ID {
	s := e.subject
	if s == nil {
		return nil
	}
	var known []ID
	if e.veiled[veilClear] {
		if last := e.in.veils[veilClear].last(); last != nil {
			known = append(known, last.ID)
		}
	}
	for _, c := range newHistory(s.changes).latest(func(*Entry) bool { return true }) {
		if len(known) < MaxAfter {
			known = append(known, c.ID)
		}
	}
	return known
}

// Listed is the entry that stands in the list for this one: the one that an edit
// or a delete changes, or the first with the same import id; nil for an entry
// that is about no other.
func (e *Entry) Listed() *Entry {
	if e.subject == nil {
		return nil
	}
	return e.subject.base
}

// Story is everything that was said about a listed entry, in order: its twins, its
// changes, and what undid and redid them.
func (l *Ledger) Story(e *Entry) []*Entry {
	l.refresh()
	var story []*Entry
	if e.subject == nil {
		story = append(story, e)
	} else {
		story = append(append(story, e.subject.members...), e.subject.changes...)
	}
	seen := map[*Entry]bool{}
	for i := 0; i < len(story); i++ {
		for _, undo := range l.undos[story[i].ID] {
			if !seen[undo] {
				seen[undo] = true
				story = append(story, undo)
			}
		}
	}
	slices.SortFunc(story, Compare)
	return story
}

// UndoneBy gives the undos of an entry that are in effect.
func (l *Ledger) UndoneBy(e *Entry) []*Entry {
	l.refresh()
	return slices.DeleteFunc(slices.Clone(l.undos[e.ID]), func(u *Entry) bool { return !u.valid || u.Height <= e.Height })
}

// LastOf is an author's last entry in effect that is no undo; nil when there is
// none.
func (l *Ledger) LastOf(author Author) *Entry {
	for _, e := range slices.Backward(l.Entries()) {
		if e.Author == author && e.Body.Kind.Undoable() && e.Body.Kind != KindUndo && e.Standing() == Counts {
			return e
		}
	}
	return nil
}

// Tail is what a plan that stays while it is being paid is made of: the balances
// behind the last entry that is no payment, and the payments since, in order.
// Entries in other currencies alone do not matter.
func (l *Ledger) Tail(c money.Currency) (before []Balance, paid []Transfer) {
	all := l.Entries()
tail:
	for _, e := range slices.Backward(all) {
		switch standing := e.Standing(); {
		case standing == Void, standing == Twin:
		case e.Body.Payment != nil && standing == Counts:
			if p := e.Current().Payment; p.Currency == c {
				paid = append(paid, p.Transfer)
			}
		case e.Body.Settlement != nil && standing == Counts:
			for _, t := range slices.Backward(e.Current().Settlement.Payments) {
				if t.Currency == c {
					paid = append(paid, t)
				}
			}
		case e.Body.Expense != nil && standing == Counts && e.subject.posted != nil && !touches(e.subject.posted, c):
		default:
			break tail
		}
	}
	slices.Reverse(paid)
	before = l.Balances(c)
	for _, t := range paid {
		before = append(before, Balance{t.From, money.SumOf(-t.Amount)}, Balance{t.To, money.SumOf(t.Amount)})
	}
	return gather(before), paid
}

func touches(b *Body, c money.Currency) bool {
	for p := range b.postings() {
		if p.Currency == c {
			return true
		}
	}
	return false
}

// EachPosting visits what every entry in effect moves in a currency, entry by
// entry in order; the balances of one entry add up to zero, and are by name.
func (l *Ledger) EachPosting(c money.Currency, visit func(e *Entry, moved []Balance)) {
	for _, e := range l.Entries() {
		if e.subject == nil || e != e.subject.base || e.subject.posted == nil {
			continue
		}
		var moved []Balance
		for p := range e.subject.posted.postings() {
			if p.Currency == c {
				moved = append(moved, Balance{l.names.nameOf(p.Member), money.SumOf(p.Amount)})
			}
		}
		if len(moved) > 0 {
			visit(e, gather(moved))
		}
	}
}

// With is the room as it would be after one more entry, whose id is zero, and that
// entry. It takes as long as building the room.
func (l *Ledger) With(author Author, ts int64, body Body) (*Ledger, *Entry) {
	next := New()
	added := Entry{Author: author, TS: ts, Body: body}
	child := make([]bool, len(l.entries))
	for _, e := range l.entries {
		again := Entry{ID: e.ID, Author: e.Author, Height: e.Height, TS: e.TS, Body: e.Body}
		for _, p := range l.parents[e.index] {
			child[p] = true
			again.Parents = append(again.Parents, l.entries[p].ID)
		}
		next.mustApply(again)
	}
	for i, e := range l.entries {
		if !child[i] {
			added.Parents = append(added.Parents, e.ID)
			added.Height = max(added.Height, e.Height+1)
		}
	}
	next.mustApply(added)
	e, _ := next.ByID(ID{})
	return next, e
}

// mustApply adds an entry whose parents are here.
func (l *Ledger) mustApply(e Entry) {
	if err := l.Apply(e); err != nil {
		panic("ledger: an entry stands before its parents: " + err.Error())
	}
}

// Preview is an entry as the room would show it, without adding it.
func (l *Ledger) Preview(author Author, ts int64, body Body) *Entry {
	l.refresh()
	return &Entry{Author: author, TS: ts, Body: body, in: l, valid: true}
}
