package ledger

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"intercom/intersplit/money"
)

// drawEntries draws entries of every kind as several authors make them, each
// knowing some of the others, and some authors not being honest.
func drawEntries(t *rapid.T) []Entry {
	n := rapid.IntRange(0, 40).Draw(t, "entries")
	d := &drawing{T: t, knows: map[ID]map[ID]bool{}}
	for i := range n {
		e := Entry{Author: Author{byte(rapid.IntRange(1, 3).Draw(t, "author"))}, TS: int64(i), Height: 1}
		// Ids do not follow the order in which entries are made.
		binary.BigEndian.PutUint64(e.ID[:], rapid.Uint64().Draw(t, "id"))
		binary.BigEndian.PutUint64(e.ID[8:], uint64(i)+1)
		knows := map[ID]bool{}
		for range rapid.IntRange(0, 3).Draw(t, "parents") {
			if i == 0 {
				break
			}
			// Mostly recent ones, as a feed has them.
			p := d.entries[max(0, i-1-rapid.IntRange(0, 5).Draw(t, "back"))]
			if !slices.Contains(e.Parents, p.ID) {
				e.Parents = append(e.Parents, p.ID)
				e.Height = max(e.Height, p.Height+1)
				knows[p.ID] = true
				maps.Copy(knows, d.knows[p.ID])
			}
		}
		e.Body = d.body(knows)
		d.knows[e.ID] = knows
		d.entries = append(d.entries, e)
	}
	return d.entries
}

type drawing struct {
	*rapid.T
	entries []Entry
	knows   map[ID]map[ID]bool // ancestors
}

var drawnNames = []Name{"ann", "ben", "cleo", "dov", "élan"}

func (d *drawing) name(label string) Name { return rapid.SampledFrom(drawnNames).Draw(d.T, label) }

// view is the ledger of an author who knows some entries.
func (d *drawing) view(knows map[ID]bool) *Ledger {
	l := New()
	for _, e := range d.entries {
		if knows[e.ID] {
			if err := l.Apply(e); err != nil {
				d.Fatal(err)
			}
		}
	}
	l.refresh()
	return l
}

func (d *drawing) body(knows map[ID]bool) Body {
	l := d.view(knows)
	switch kind := rapid.IntRange(0, 19).Draw(d.T, "kind"); kind {
	case 0:
		return must(NewClear(""))(d.T)
	case 1:
		return must(NewClose(""))(d.T)
	case 2:
		return Decode([]byte(`{"kind":"loan","v":1}`))
	case 3:
		return must(NewLeave(string(d.name("leaver")), ""))(d.T)
	case 4:
		return must(NewUnit("nights", rapid.IntRange(0, 4).Draw(d.T, "decimals"), ""))(d.T)
	case 5:
		a := Alias{From: d.name("from"), To: d.name("to")}
		if a.After = l.Aliases(a.From); a.From == a.To && len(a.After) == 0 {
			a.To = "zoe"
		}
		return must(NewAlias(rapid.SampledFrom([]Kind{KindRename, KindMerge}).Draw(d.T, "alias"), a, ""))(d.T)
	case 6, 7, 8:
		target := d.target(l, func(e *Entry) bool { return true })
		return must(NewMark(KindUndo, Mark{Target: target.ID}, ""))(d.T)
	case 9, 10:
		target := d.target(l, (*Entry).listable)
		kind := rapid.SampledFrom([]Kind{KindDelete, KindUndelete}).Draw(d.T, "mark")
		return must(NewMark(kind, Mark{Target: target.ID, After: target.Known()}, ""))(d.T)
	case 11, 12, 13:
		return d.edit(l)
	case 14:
		return must(NewPayment(Payment{Transfer: d.transfer(), Source: d.source()}))(d.T)
	case 15:
		return must(NewSettlement(Settlement{Payments: []Transfer{d.transfer(), d.transfer()}}, ""))(d.T)
	case 16:
		x := drawExpense(d.T)
		return must(NewRule(Rule{Expense: &x, First: "2026-01-31", Every: Monthly, Interval: 1}, ""))(d.T)
	default:
		x := drawExpense(d.T)
		if x.Source = d.source(); x.Source != "" { // mostly the same content
			x = Expense{Amount: 900, Payers: []Part{{"ann", 900}}, Split: []Portion{{"ann", ""}, {"ben", ""}}, Source: x.Source}
			x.Note = rapid.SampledFrom([]string{"", "", "", "other"}).Draw(d.T, "twin")
		}
		return must(NewExpense(x))(d.T)
	}
}

func (e *Entry) listable() bool { return e.Body.Kind.Subject() }

// target draws an entry that the author knows, or seldom one that it does not, or
// that is not there.
func (d *drawing) target(l *Ledger, fits func(e *Entry) bool) *Entry {
	if rapid.IntRange(0, 9).Draw(d.T, "honest") == 0 {
		if i := rapid.IntRange(0, len(d.entries)).Draw(d.T, "stranger"); i < len(d.entries) {
			return &d.entries[i]
		}
		return &Entry{ID: ID{1}}
	}
	known := slices.DeleteFunc(slices.Clone(l.Entries()), func(e *Entry) bool { return !fits(e) })
	if len(known) == 0 {
		return &Entry{ID: ID{2}}
	}
	return rapid.SampledFrom(known).Draw(d.T, "target")
}

func (d *drawing) edit(l *Ledger) Body {
	target := d.target(l, (*Entry).listable)
	e := Edit{Target: target.ID, After: target.Known()}
	for e.Note == nil && e.Money == nil && e.Transfer == nil && e.Tags == nil {
		switch rapid.IntRange(0, 3).Draw(d.T, "field") {
		case 0:
			note := rapid.SampledFrom([]string{"", "a", "b"}).Draw(d.T, "note")
			e.Note = &note
		case 1:
			tags := []string{"x"}
			e.Tags = &tags
		case 2:
			t := d.transfer()
			e.Transfer = &t
		default:
			x := drawExpense(d.T)
			e.Money = &x
		}
	}
	return must(NewEdit(e, ""))(d.T)
}

func (d *drawing) transfer() Transfer {
	t := Transfer{
		From: d.name("payer"), To: d.name("paid"), Amount: money.Minor(rapid.Int64Range(1, 9999).Draw(d.T, "sum")),
		Currency: rapid.SampledFrom([]money.Currency{"", "USD", "nights/0"}).Draw(d.T, "in"),
	}
	if t.From == t.To {
		t.To = "zoe"
	}
	return t
}

func (d *drawing) source() string {
	source := rapid.SampledFrom([]string{"", "", "", "row 1", "row 2", "export"}).Draw(d.T, "source")
	if source != "export" {
		return source
	}
	if len(d.entries) == 0 {
		return ""
	}
	return SourceOf(fmt.Sprintf("%x", rapid.SampledFrom(d.entries).Draw(d.T, "exported").ID))
}

// must gives a body that its constructor has to accept.
func must(body Body, err error) func(t interface{ Fatal(...any) }) Body {
	return func(t interface{ Fatal(...any) }) Body {
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
}

// oracle says slowly, and from the definitions alone, what counts.
type oracle struct {
	entries []Entry
	byID    map[ID]Entry
	knows   map[ID]map[ID]bool
}

func consult(entries []Entry) *oracle {
	o := &oracle{entries: entries, byID: map[ID]Entry{}, knows: map[ID]map[ID]bool{}}
	for _, e := range entries {
		o.byID[e.ID] = e
		o.knows[e.ID] = map[ID]bool{}
		for _, p := range e.Parents {
			o.knows[e.ID][p] = true
			maps.Copy(o.knows[e.ID], o.knows[p])
		}
	}
	return o
}

func (o *oracle) valid(e Entry) bool {
	for _, u := range o.entries {
		if u.Body.Kind == KindUndo && u.Body.Mark.Target == e.ID && u.Height > e.Height && o.valid(u) {
			return false
		}
	}
	return true
}

func (o *oracle) under(e Entry, kind Kind) bool {
	for _, c := range o.entries {
		if c.Body.Kind == kind && o.knows[c.ID][e.ID] && o.valid(c) {
			return true
		}
	}
	return false
}

// reaches says whether a change names another as known, directly or not.
func (o *oracle) reaches(a, b Entry, of map[ID]bool) bool {
	for _, id := range a.Body.after() {
		if k, here := o.byID[id]; here && of[id] && k.Height < a.Height && (id == b.ID || o.reaches(k, b, of)) {
			return true
		}
	}
	return false
}

// counting gives the body of every entry that counts.
func (o *oracle) counting() map[ID]Body {
	counting := map[ID]Body{}
	subjects := map[string][]Entry{}
	for _, e := range o.entries {
		if e.Body.Kind.Subject() {
			name := e.Body.Source()
			if name == "" {
				name = fmt.Sprintf("intersplit:%x", e.ID)
				if e.Body.Kind == KindRule {
					name = fmt.Sprintf("rule %x", e.ID)
				}
			}
			subjects[name] = append(subjects[name], e)
		}
	}
	for _, members := range subjects {
		slices.SortFunc(members, func(a, b Entry) int {
			if first := (a.Body.Source() == ""); first != (b.Body.Source() == "") {
				if first {
					return -1
				}
				return 1
			}
			return Compare(&a, &b)
		})
		if base, body, ok := o.subject(members); ok {
			counting[base] = body
		}
	}
	return counting
}

func (o *oracle) subject(members []Entry) (ID, Body, bool) {
	var changes []Entry
	of := map[ID]bool{}
	for _, e := range o.entries {
		target, _ := e.Body.Target()
		for _, m := range members {
			if e.Body.Kind.Revises() && target == m.ID && e.Height > m.Height {
				of[e.ID] = true
				changes = append(changes, e)
			}
		}
	}
	slices.SortFunc(changes, func(a, b Entry) int { return Compare(&a, &b) })
	revived := slices.ContainsFunc(changes, func(e Entry) bool {
		return e.Body.Kind != KindDelete && o.valid(e) && !o.under(e, KindClear)
	})
	at := slices.IndexFunc(members, func(m Entry) bool { return o.valid(m) && !o.under(m, KindClear) })
	if at < 0 && revived {
		at = slices.IndexFunc(members, o.valid)
	}
	if at < 0 {
		return ID{}, Body{}, false
	}
	base := members[at]
	for _, d := range changes {
		if d.Body.Kind == KindDelete && o.valid(d) && o.stands(d, changes, of) {
			return ID{}, Body{}, false
		}
	}
	body := &base.Body
	for _, field := range fields {
		var last *Entry
		sets := func(e Entry) bool { return o.valid(e) && e.Body.Edit != nil && e.Body.Edit.sets(field, base.Body.Kind) }
		for _, e := range changes {
			if sets(e) && !slices.ContainsFunc(changes, func(later Entry) bool { return sets(later) && o.reaches(later, e, of) }) {
				last = &e
			}
		}
		if last != nil {
			body = body.edited(last.Body.Edit, field)
		}
	}
	return base.ID, *body, true
}

func (o *oracle) stands(d Entry, changes []Entry, of map[ID]bool) bool {
	for _, e := range changes {
		switch {
		case !o.valid(e):
		case e.Body.Kind == KindUndelete && o.reaches(e, d, of):
			return false
		case e.Body.Kind == KindEdit && !o.reaches(e, d, of) && !o.reaches(d, e, of):
			return false
		}
	}
	// A delete that a later one knew of is that one's business.
	return !slices.ContainsFunc(changes, func(later Entry) bool {
		return later.Body.Kind == KindDelete && o.valid(later) && o.reaches(later, d, of) &&
			!slices.ContainsFunc(changes, func(u Entry) bool {
				return u.Body.Kind == KindUndelete && o.valid(u) && o.reaches(u, later, of)
			})
	})
}

// What a ledger works out piece by piece is what the definitions say of the whole.
func TestTheLedgerIsWhatTheDefinitionsSay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := drawEntries(t)
		l := deliver(t, entries)
		counting := consult(entries).counting()
		n := 0
		for _, e := range l.Entries() {
			if !e.Body.Kind.Subject() {
				continue
			}
			body, counts := counting[e.ID]
			if e.Shown() != counts {
				t.Fatalf("%x: shown %v, want %v", e.ID[:12], e.Shown(), counts)
			}
			if counts && string(content(e.subject.now)) != string(content(&body)) {
				t.Fatalf("%x: %s, want %s", e.ID[:12], content(e.subject.now), content(&body))
			}
			if counts && e.Body.Kind != KindRule && !e.Closed() {
				n++
			}
		}
		if n != l.InEffect() {
			t.Fatalf("%d in effect, want %d", l.InEffect(), n)
		}
	})
}

// Nothing is left over in the books from what came and went.
func TestTheBooksHoldWhatCountsAndNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := drawEntries(t)
		l := deliver(t, entries)
		l.refresh()
		fresh := New()
		for id, body := range consult(entries).counting() {
			fresh.post(&body, +1, l.byID[id].Closed())
		}
		fresh.names = l.names
		for _, c := range l.Currencies() {
			if a, b := fmt.Sprint(l.Balances(c)), fmt.Sprint(fresh.Balances(c)); a != b || l.Total(c) != fresh.Total(c) {
				t.Fatalf("%s\n%s", a, b)
			}
		}
		if a, b := fmt.Sprint(l.Currencies()), fmt.Sprint(fresh.Currencies()); a != b {
			t.Fatalf("%s\n%s", a, b)
		}
	})
}
