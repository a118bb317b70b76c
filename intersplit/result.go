package intersplit

import (
	"encoding/hex"
	"slices"
	"time"

	"intercom/core/identity"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// Part is what one member paid or bears.
type Part struct {
	Member string `json:"member" jsonschema:"name of the member"`
	Amount string `json:"amount" jsonschema:"decimal text, negative in a refund"`
}

// Value is the value that a split gives a member.
type Value struct {
	Member string `json:"member" jsonschema:"name of the member"`
	Value  string `json:"value" jsonschema:"amount, share or percentage, as the mode says"`
}

// Entry is an entry of a ledger as every surface shows it: as it counts now, with
// the edits in effect and members under the names that they have now.
type Entry struct {
	ID        string       `json:"id" jsonschema:"hash of the signed entry; empty when it was not recorded"`
	Kind      string       `json:"kind" jsonschema:"expense, payment, settlement (payments booked as one), rule, or what else was recorded; unsupported for what another version wrote: it is kept and counts nowhere"`
	Payers    []Part       `json:"payers" jsonschema:"who paid how much; adds up to the amount"`
	Payer     string       `json:"payer,omitempty" jsonschema:"the payer, when there is one only"`
	From      string       `json:"from,omitempty" jsonschema:"of a payment: who paid"`
	To        string       `json:"to,omitempty" jsonschema:"of a payment: who was paid; of a rename or merge: the name from then on"`
	Amount    string       `json:"amount" jsonschema:"decimal text; negative is a refund"`
	Currency  string       `json:"currency" jsonschema:"ISO 4217 code, a unit of the room, or empty in a room without one"`
	Converted *Converted   `json:"converted,omitempty" jsonschema:"what counts, when the amount was converted"`
	Mode      string       `json:"mode" jsonschema:"how the split is read: equal, exact, shares or percent"`
	Split     []string     `json:"split" jsonschema:"who shares it, in order"`
	Values    []Value      `json:"values,omitempty" jsonschema:"values of the split, in a mode that has some"`
	Shares    []Part       `json:"shares" jsonschema:"what each member bears; adds up to the amount"`
	Payments  []Settlement `json:"payments,omitempty" jsonschema:"of a settlement: what was paid"`
	Note      string       `json:"note" jsonschema:"what it was for, in its author's words"`
	TS        int64        `json:"ts" jsonschema:"when it was recorded, ms since 1970 by its author's clock"`
	Date      string       `json:"date,omitempty" jsonschema:"day of the expense"`
	Category  string       `json:"category,omitempty" jsonschema:"category"`
	Tags      []string     `json:"tags" jsonschema:"free tags"`
	By        string       `json:"by" jsonschema:"trac address of the author who signed it"`
	Source    string       `json:"source,omitempty" jsonschema:"import id: of a room's equal ones one counts"`
	Recurs    *Recurs      `json:"recurs,omitempty" jsonschema:"of a rule: when it is due"`
	Member    string       `json:"member,omitempty" jsonschema:"of a rename, merge or leave: who"`
	Unit      *Unit        `json:"unit,omitempty" jsonschema:"of a unit: what was declared"`
	Target    string       `json:"target,omitempty" jsonschema:"of an edit, delete, undelete or undo: the entry that it names"`
	Changes   []string     `json:"changes,omitempty" jsonschema:"of an edit: the fields it sets; money is amount, currency, payers and split, or who paid whom"`
	State     string       `json:"state,omitempty" jsonschema:"why it is not in effect: deleted, undone, cleared or duplicate; or closed, when it counts in balances only"`
	Conflict  []Conflict   `json:"conflict,omitempty" jsonschema:"what members said without knowing of each other; expense_edit, expense_delete, expense_undelete or, of a name, expense_rename picks"`
	Reason    string       `json:"reason,omitempty" jsonschema:"why an unsupported entry does not count"`
}

// Converted is an expense in the currency that it counts in.
type Converted struct {
	Currency string `json:"currency" jsonschema:"currency that it counts in"`
	Rate     string `json:"rate" jsonschema:"its units for one unit of the entry's currency"`
	Amount   string `json:"amount" jsonschema:"the total, converted once to the nearest unit"`
	Payers   []Part `json:"payers" jsonschema:"who paid how much of it"`
	Shares   []Part `json:"shares" jsonschema:"what each member bears of it"`
}

// Recurs says when a rule is due.
type Recurs struct {
	First    string `json:"first" jsonschema:"first day"`
	Every    string `json:"every" jsonschema:"day, week, month or year"`
	Interval int    `json:"interval" jsonschema:"how many of these from one to the next"`
	Last     string `json:"last,omitempty" jsonschema:"last day; absent for no end"`
}

// Unit is a unit that a room counts in.
type Unit struct {
	Name     string `json:"name" jsonschema:"what to pass as currency"`
	Decimals int    `json:"decimals" jsonschema:"how many decimals its amounts have"`
}

// Conflict is a field of which members said different things.
type Conflict struct {
	Field  string   `json:"field" jsonschema:"money, note, date, category or tags; deleted or cleared when a change met a delete or a clear; source when an import id came with two contents; name when a member was renamed or merged twice; shared when two members were renamed to one name, and so are one"`
	Counts string   `json:"counts" jsonschema:"id of the entry that counts: the greater by height and id"`
	Others []string `json:"others" jsonschema:"ids of those that do not; expense_history shows all"`
	Member string   `json:"member,omitempty" jsonschema:"of a name: the member's name before; of shared: the name of now"`
	Names  []string `json:"names,omitempty" jsonschema:"of a name: what they make of it, the one that counts first; expense_rename or expense_merge of that member picks. Of shared: the names before; expense_undo of either parts them, expense_rename of the name to itself says that they are one"`
}

// entryOf shows a ledger entry.
func entryOf(e *ledger.Entry) Entry {
	shown := headOf(e)
	shown.Conflict = conflictsOf(e.Conflicts())
	shown.say(e.Current())
	return shown
}

func conflictsOf(list []ledger.Conflict) (shown []Conflict) {
	for _, c := range list {
		conflict := Conflict{Field: string(c.Field), Counts: idText(c.Counts), Others: []string{}, Member: string(c.Member)}
		for _, id := range c.Others {
			conflict.Others = append(conflict.Others, idText(id))
		}
		for _, name := range c.Names {
			conflict.Names = append(conflict.Names, string(name))
		}
		shown = append(shown, conflict)
	}
	return shown
}

// saidOf shows what an entry itself says, whatever was said about it since.
func saidOf(e *ledger.Entry) Entry {
	said := headOf(e)
	said.say(e.Unedited())
	return said
}

// headOf is what all entries have.
func headOf(e *ledger.Entry) Entry {
	return Entry{
		ID: idText(e.ID), Kind: string(e.Body.Kind), TS: e.TS, By: identity.PublicKey(e.Author).Address(),
		Payers: []Part{}, Split: []string{}, Shares: []Part{}, Tags: []string{}, Reason: e.Body.Reason, State: stateOf(e),
	}
}

var states = map[ledger.Standing]string{
	ledger.Deleted: "deleted", ledger.Undone: "undone", ledger.Cleared: "cleared", ledger.Twin: "duplicate",
}

func stateOf(e *ledger.Entry) string {
	if e.Shown() && e.Closed() {
		return "closed"
	}
	return states[e.Standing()]
}

// say fills in what a body says.
func (e *Entry) say(b ledger.Body) {
	switch {
	case b.Expense != nil:
		e.fill(b.Expense)
	case b.Payment != nil:
		e.transfer(b.Payment.Transfer)
		e.Note, e.Date, e.Source = b.Payment.Note, b.Payment.Date, b.Payment.Source
	case b.Settlement != nil:
		e.Note, e.Source = b.Settlement.Note, b.Settlement.Source
		for _, t := range b.Settlement.Payments {
			e.Payments = append(e.Payments, Settlement{
				From: string(t.From), To: string(t.To), Amount: t.Amount.Format(t.Currency), Currency: t.Currency.Code(),
			})
		}
	case b.Rule != nil:
		e.fill(b.Rule.Expense)
		e.Recurs = &Recurs{First: b.Rule.First, Every: string(b.Rule.Every), Interval: b.Rule.Interval, Last: b.Rule.Last}
	case b.Edit != nil:
		e.edit(b.Edit)
	case b.Mark != nil:
		e.Target = idText(b.Mark.Target)
	case b.Alias != nil:
		e.Member, e.To = string(b.Alias.From), string(b.Alias.To)
	case b.Kind == ledger.KindLeave:
		e.Member = string(b.Member)
	case b.Kind == ledger.KindUnit:
		e.Unit = &Unit{Name: b.Unit.Code(), Decimals: b.Unit.Decimals()}
	}
}

func (e *Entry) transfer(t ledger.Transfer) {
	e.From, e.To, e.Amount, e.Currency = string(t.From), string(t.To), t.Amount.Format(t.Currency), t.Currency.Code()
}

// edit shows the fields that an edit sets.
func (e *Entry) edit(x *ledger.Edit) {
	e.Target = idText(x.Target)
	set := func(field ledger.Field) { e.Changes = append(e.Changes, string(field)) }
	if x.Money != nil {
		e.fill(x.Money)
		set(ledger.FieldMoney)
	}
	if x.Transfer != nil {
		e.transfer(*x.Transfer)
		set(ledger.FieldMoney)
	}
	for _, text := range []struct {
		field ledger.Field
		from  *string
		to    *string
	}{{ledger.FieldNote, x.Note, &e.Note}, {ledger.FieldDate, x.Date, &e.Date}, {ledger.FieldCategory, x.Category, &e.Category}} {
		if text.from != nil {
			*text.to = *text.from
			set(text.field)
		}
	}
	if x.Tags != nil {
		e.Tags = append(e.Tags, *x.Tags...)
		set(ledger.FieldTags)
	}
}

func (e *Entry) fill(x *ledger.Expense) {
	e.Amount, e.Currency, e.Mode = x.Amount.Format(x.Currency), x.Currency.Code(), string(x.Mode)
	e.Note, e.Date, e.Category, e.Source = x.Note, x.Date, x.Category, x.Source
	e.Tags = append(e.Tags, x.Tags...)
	e.Payers = parts(x.Paid(), x.Currency)
	if len(e.Payers) == 1 {
		e.Payer = e.Payers[0].Member
	}
	borne, err := x.Borne()
	if err != nil {
		panic("intersplit: an expense that was checked cannot be split: " + err.Error())
	}
	e.Shares = parts(borne, x.Currency)
	for _, p := range x.Split {
		if !slices.Contains(e.Split, string(p.Member)) { // two who were merged since stand there once
			e.Split = append(e.Split, string(p.Member))
		}
		if p.Value != "" {
			e.Values = append(e.Values, Value{Member: string(p.Member), Value: p.Value})
		}
	}
	if x.ConvertTo != "" {
		e.convert(x)
	}
}

func (e *Entry) convert(x *ledger.Expense) {
	booked, err := x.Booked()
	if err != nil {
		panic("intersplit: an expense that was checked cannot be converted: " + err.Error())
	}
	e.Converted = &Converted{
		Currency: booked.Currency.Code(), Rate: string(x.Rate), Amount: booked.Total.Format(booked.Currency),
		Payers: parts(booked.Paid, booked.Currency), Shares: parts(booked.Borne, booked.Currency),
	}
}

// parts shows what members paid or bear. Two who were merged since are one.
func parts(list []ledger.Part, c money.Currency) []Part {
	shown := make([]Part, 0, len(list))
	merged := make(map[ledger.Name]money.Sum, len(list))
	for _, p := range list {
		before, again := merged[p.Member]
		merged[p.Member] = before.Plus(money.SumOf(p.Amount))
		if !again {
			shown = append(shown, Part{Member: string(p.Member)})
		}
	}
	for i := range shown {
		shown[i].Amount = merged[ledger.Name(shown[i].Member)].Format(c)
	}
	return shown
}

// idText is the id of an entry as text; an entry that was not recorded has none.
func idText(id ledger.ID) string {
	if id == (ledger.ID{}) {
		return ""
	}
	return hex.EncodeToString(id[:])
}

// Total is what was spent in one currency.
type Total struct {
	Currency string `json:"currency" jsonschema:"ISO 4217 code, or empty in a room without one"`
	Amount   string `json:"amount" jsonschema:"decimal text"`
}

// Balance is where one member stands in one currency.
type Balance struct {
	Member   string `json:"member" jsonschema:"name of the member"`
	Currency string `json:"currency" jsonschema:"ISO 4217 code, or empty in a room without one"`
	Amount   string `json:"amount" jsonschema:"what the member is owed; negative is what it owes"`
}

// Settlement is one payment of the plan.
type Settlement struct {
	From     string `json:"from" jsonschema:"who pays"`
	To       string `json:"to" jsonschema:"who is paid"`
	Amount   string `json:"amount" jsonschema:"decimal text, positive"`
	Currency string `json:"currency" jsonschema:"ISO 4217 code, or empty in a room without one"`
}

// PlanFacts says how good the plan is.
type PlanFacts struct {
	Payments   int  `json:"payments" jsonschema:"how many payments it takes"`
	LowerBound int  `json:"lower_bound" jsonschema:"no plan has fewer"`
	Optimal    bool `json:"optimal" jsonschema:"whether it is proven to be the least"`
}

// Cleared tells an emptied room from one that never had anything.
type Cleared struct {
	ID       string `json:"id" jsonschema:"the last clear"`
	TS       int64  `json:"ts" jsonschema:"when, ms since 1970 by its author's clock"`
	By       string `json:"by" jsonschema:"trac address of who cleared"`
	Expenses int    `json:"expenses" jsonschema:"how many expenses and payments clears took out of effect"`
}

// isoTime writes ms since 1970 as JavaScript's toISOString does.
func isoTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
