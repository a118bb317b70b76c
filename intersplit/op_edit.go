package intersplit

import (
	"context"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// EditParams are the parameters of expense_edit. What is absent stays.
type EditParams struct {
	Channel   Channel   `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	ID        EntryID   `json:"id" jsonschema:"id of the expense or payment, its first 8 or more digits, or last"`
	Payer     *string   `json:"payer,omitempty" jsonschema:"who paid the whole amount"`
	Payers    Payers    `json:"payers,omitempty" jsonschema:"who paid how much: [{member, amount}] or text ann:20,bob:10"`
	Amount    *Amount   `json:"amount,omitempty" jsonschema:"new amount"`
	Split     Split     `json:"split,omitempty" jsonschema:"who shares it, as in expense_add"`
	Mode      *string   `json:"mode,omitempty" jsonschema:"equal, exact, shares or percent; another mode without split keeps the members and drops their values"`
	Currency  *string   `json:"currency,omitempty" jsonschema:"new currency; the decimal amounts stay as they are written"`
	ConvertTo *string   `json:"convert_to,omitempty" jsonschema:"currency that it counts in; empty text ends the conversion"`
	Rate      *Amount   `json:"rate,omitempty" jsonschema:"how many units of convert_to one unit of currency is worth"`
	From      *string   `json:"from,omitempty" jsonschema:"of a payment: who paid"`
	To        *string   `json:"to,omitempty" jsonschema:"of a payment: who was paid"`
	Date      *string   `json:"date,omitempty" jsonschema:"YYYY-MM-DD; empty text takes it away"`
	Category  *string   `json:"category,omitempty" jsonschema:"category; empty text takes it away"`
	Tags      *[]string `json:"tags,omitempty" jsonschema:"free tags; an empty list takes them away"`
	Note      *string   `json:"note,omitempty" jsonschema:"note; empty text takes it away"`
	Key       string    `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content changes nothing more"`
	DryRun    op.Flag   `json:"dry_run,omitempty" jsonschema:"answer what the entry would be, and record nothing"`
}

func (r *Rooms) editOp() *op.Op {
	return op.New(op.Spec[EditParams, Written]{
		Name: "expense_edit", Owner: owner, Summary: "Change an expense or a payment",
		Notes: "What is absent stays. Payers, amount, currency and split are one field: of two such edits made apart the greater " +
			"(height, id) counts and the entry shows conflict, until somebody who has both edits it again. " +
			"What is deleted is not edited: expense_undelete first. The id of the entry stays.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Common: true,
		Synonyms: map[string][]string{
			"channel": roomSynonyms["channel"], "payer": {"p"}, "amount": {"a"}, "split": {"members", "with"}, "note": {"memo"},
		},
		Args:    []string{"id"},
		Example: `{"channel":"trip-nyc","id":"last","amount":"31.00","dry_run":true}`,
		Run: func(ctx context.Context, in EditParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.compose)
		},
		Text: Written.text,
	})
}

func (in EditParams) compose(l *ledger.Ledger) (ledger.Body, error) {
	e, err := changeable(l, in.ID)
	if err != nil {
		return ledger.Body{}, err
	}
	edit := ledger.Edit{Target: e.ID, After: e.Known(), Note: in.Note, Date: in.Date, Category: in.Category, Tags: in.Tags}
	now := e.Merged()
	switch {
	case now.Payment != nil:
		edit.Transfer, err = in.transfer(l, now.Payment.Transfer)
	case now.Expense != nil:
		edit.Money, err = in.money(l, *now.Expense)
	default:
		err = fault.New(fault.Invalid, "a %s is not edited", now.Kind).WithHint("expense_undo it and record it anew")
	}
	if err != nil {
		return ledger.Body{}, err
	}
	return ledger.NewEdit(edit, in.Key)
}

// changeable finds a listed entry that is in effect.
func changeable(l *ledger.Ledger, id EntryID) (*ledger.Entry, error) {
	e, err := id.find(l, func(e *ledger.Entry) bool { return e.Body.Kind.Subject() && e.Shown() && !e.Closed() })
	if err != nil {
		return nil, err
	}
	if !e.Body.Kind.Subject() {
		return nil, fault.New(fault.Invalid, "%s is a %s, and not an expense or a payment", idText(e.ID)[:minID], e.Body.Kind).
			WithHint("give the id of the entry that it is about; expense_undo takes a %s back", e.Body.Kind)
	}
	if e.Standing() == ledger.Twin {
		e = e.Listed()
	}
	return e, inEffect(e)
}

// inEffect refuses what one knows to be out of effect, or closed.
func inEffect(e *ledger.Entry) error {
	refuse := func(is, hint string) error {
		return fault.New(fault.Conflict, "entry %s is %s", idText(e.ID)[:minID], is).WithHint("%s", hint)
	}
	switch e.Standing() {
	case ledger.Deleted:
		return refuse("deleted", "expense_undelete it first")
	case ledger.Undone:
		return refuse("undone", "expense_undo the undo first: expense_history tells its id")
	case ledger.Cleared:
		return refuse("cleared", "expense_undelete brings it back, or expense_undo the clear")
	case ledger.Void:
		return refuse("of another version", "update this peer")
	}
	if e.Closed() {
		return refuse("closed", "expense_undo the close first, or record a correction")
	}
	return nil
}

// transfer is a payment as the edit has it; nil when that part stays.
func (in EditParams) transfer(l *ledger.Ledger, t ledger.Transfer) (*ledger.Transfer, error) {
	if in.Payer != nil || len(in.Payers) > 0 || len(in.Split) > 0 || in.Mode != nil || in.ConvertTo != nil || in.Rate != nil ||
		in.Category != nil || in.Tags != nil {
		return nil, fault.New(fault.Invalid, "the entry is a payment, which has no payers, split, conversion, category or tags").
			WithHint("change from, to, amount, currency, date or note")
	}
	if in.From == nil && in.To == nil && in.Amount == nil && in.Currency == nil {
		return nil, nil
	}
	text := t.Amount.Format(t.Currency)
	if in.From != nil {
		t.From = writable(l, *in.From)
	}
	if in.To != nil {
		t.To = writable(l, *in.To)
	}
	if in.Amount != nil {
		text = string(*in.Amount)
	}
	var err error
	if in.Currency != nil {
		if t.Currency, err = currencyNamed(l, *in.Currency); err != nil {
			return nil, err
		}
	}
	t.Amount, err = money.Parse(text, t.Currency)
	return &t, err
}

// money is what an expense comes to as the edit has it; nil when that part stays.
func (in EditParams) money(l *ledger.Ledger, x ledger.Expense) (*ledger.Expense, error) {
	if in.From != nil || in.To != nil {
		return nil, fault.New(fault.Invalid, "the entry is an expense, which has no from and to").WithHint("change payer, payers or split")
	}
	if in.Payer == nil && len(in.Payers) == 0 && in.Amount == nil && len(in.Split) == 0 && in.Mode == nil &&
		in.Currency == nil && in.ConvertTo == nil && in.Rate == nil {
		return nil, nil
	}
	before := x.Currency
	if in.Currency != nil {
		var err error
		if x.Currency, err = currencyNamed(l, *in.Currency); err != nil {
			return nil, err
		}
	}
	for _, step := range []func(*ledger.Ledger, *ledger.Expense, money.Currency) error{in.amounts, in.payers, in.split, in.conversion} {
		if err := step(l, &x, before); err != nil {
			return nil, err
		}
	}
	return &x, nil
}

// amounts sets the amount and, when one member paid it, what that member paid.
// What is not given keeps its decimal text in another currency.
func (in EditParams) amounts(_ *ledger.Ledger, x *ledger.Expense, before money.Currency) (err error) {
	text := x.Amount.Format(before)
	if in.Amount != nil {
		text = string(*in.Amount)
	}
	if x.Amount, err = money.Parse(text, x.Currency); err != nil {
		return err
	}
	payers := make([]ledger.Part, len(x.Payers))
	for i, p := range x.Payers {
		payers[i].Member = p.Member
		if payers[i].Amount, err = money.Parse(p.Amount.Format(before), x.Currency); err != nil {
			return err
		}
	}
	if len(payers) == 1 {
		payers[0].Amount = x.Amount.Abs()
	}
	x.Payers = payers
	return nil
}

func (in EditParams) payers(l *ledger.Ledger, x *ledger.Expense, _ money.Currency) error {
	given := AddParams{Payers: in.Payers}
	if in.Payer != nil {
		given.Payer = *in.Payer
		if given.Payer == "" {
			return fault.New(fault.Invalid, "payer is blank").WithHint("leave it out to keep who paid")
		}
	}
	payers, err := given.payers(l, x.Amount, x.Currency)
	if err == nil && payers != nil {
		x.Payers = payers
	}
	return err
}

func (in EditParams) split(l *ledger.Ledger, x *ledger.Expense, before money.Currency) error {
	mode := x.Mode
	if in.Mode != nil {
		mode = ledger.Mode(*in.Mode)
	}
	switch {
	case len(in.Split) > 0:
		x.Split = in.Split.portions(l)
	case mode != x.Mode:
		split := make([]ledger.Portion, len(x.Split))
		for i, p := range x.Split {
			split[i].Member = p.Member
		}
		x.Split = split
	}
	x.Mode = mode
	return nil
}

func (in EditParams) conversion(l *ledger.Ledger, x *ledger.Expense, _ money.Currency) (err error) {
	if in.Rate != nil {
		x.Rate = money.Rate(*in.Rate)
	}
	switch {
	case in.ConvertTo == nil:
	case *in.ConvertTo == "":
		x.ConvertTo = ""
		if in.Rate == nil {
			x.Rate = ""
		}
	default:
		x.ConvertTo, err = currencyNamed(l, *in.ConvertTo)
	}
	return err
}
