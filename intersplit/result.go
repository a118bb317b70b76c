package intersplit

import (
	"encoding/hex"
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

// Entry is an entry of a ledger as every surface shows it.
type Entry struct {
	ID       string   `json:"id" jsonschema:"hash of the signed entry; empty when it was not recorded"`
	Kind     string   `json:"kind" jsonschema:"expense, or unsupported for what another version wrote: it is kept and counts nowhere"`
	Payers   []Part   `json:"payers" jsonschema:"who paid how much; adds up to the amount"`
	Payer    string   `json:"payer,omitempty" jsonschema:"the payer, when there is one only"`
	Amount   string   `json:"amount" jsonschema:"decimal text; negative is a refund"`
	Currency string   `json:"currency" jsonschema:"ISO 4217 code, or empty in a room without one"`
	Mode     string   `json:"mode" jsonschema:"how the split is read: equal, exact, shares or percent"`
	Split    []string `json:"split" jsonschema:"who shares it, in order"`
	Values   []Value  `json:"values,omitempty" jsonschema:"values of the split, in a mode that has some"`
	Shares   []Part   `json:"shares" jsonschema:"what each member bears; adds up to the amount"`
	Note     string   `json:"note" jsonschema:"what it was for, in its author's words"`
	TS       int64    `json:"ts" jsonschema:"when it was recorded, ms since 1970 by its author's clock"`
	Date     string   `json:"date,omitempty" jsonschema:"day of the expense"`
	Category string   `json:"category,omitempty" jsonschema:"category"`
	Tags     []string `json:"tags" jsonschema:"free tags"`
	By       string   `json:"by" jsonschema:"trac address of the author who signed it"`
	Reason   string   `json:"reason,omitempty" jsonschema:"why an unsupported entry does not count"`
}

// entryOf shows a ledger entry.
func entryOf(e *ledger.Entry) Entry {
	shown := Entry{
		ID: idText(e.ID), Kind: string(e.Body.Kind), TS: e.TS, By: identity.PublicKey(e.Author).Address(),
		Payers: []Part{}, Split: []string{}, Shares: []Part{}, Tags: []string{}, Reason: e.Body.Reason,
	}
	if e.Body.Expense != nil {
		shown.fill(e.Body.Expense)
	}
	return shown
}

func (e *Entry) fill(x *ledger.Expense) {
	e.Amount, e.Currency, e.Mode = x.Amount.Format(x.Currency), string(x.Currency), string(x.Mode)
	e.Note, e.Date, e.Category = x.Note, x.Date, x.Category
	e.Tags = append(e.Tags, x.Tags...)
	e.Payers = parts(x.Paid(), x.Currency)
	if len(x.Payers) == 1 {
		e.Payer = string(x.Payers[0].Member)
	}
	borne, err := x.Borne()
	if err != nil {
		panic("intersplit: an expense that was checked cannot be split: " + err.Error())
	}
	e.Shares = parts(borne, x.Currency)
	for _, p := range x.Split {
		e.Split = append(e.Split, string(p.Member))
		if p.Value != "" {
			e.Values = append(e.Values, Value{Member: string(p.Member), Value: p.Value})
		}
	}
}

func parts(list []ledger.Part, c money.Currency) []Part {
	shown := make([]Part, len(list))
	for i, p := range list {
		shown[i] = Part{Member: string(p.Member), Amount: p.Amount.Format(c)}
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
	Expenses int    `json:"expenses" jsonschema:"how many expenses this room's clears took out of effect"`
}

// isoTime writes ms since 1970 as JavaScript's toISOString does.
func isoTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
