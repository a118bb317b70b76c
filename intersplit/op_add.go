package intersplit

import (
	"context"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

const owner = "InterSplit"

// AddParams are the parameters of expense_add.
type AddParams struct {
	Channel  Channel  `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Payer    string   `json:"payer,omitempty" jsonschema:"who paid; a payer bears a share only when listed in split"`
	Payers   Payers   `json:"payers,omitempty" jsonschema:"instead of payer, when several paid: [{member, amount}] or text ann:20,bob:10; adds up to amount"`
	Amount   Amount   `json:"amount" jsonschema:"decimal number with at most the decimals of the currency, such as 30.00; negative is a refund"`
	Split    Split    `json:"split" jsonschema:"who shares it: text ann,bob or ann:2,bob:1, or a list of names or of {member, value}"`
	Mode     string   `json:"mode,omitempty" jsonschema:"how values in split are read: equal (no values, the default), exact (amounts; who has none shares the rest), shares (weights) or percent (adds up to 100)"`
	Currency *string  `json:"currency,omitempty" jsonschema:"ISO 4217 code; may be left out in a room with at most one currency"`
	Date     string   `json:"date,omitempty" jsonschema:"day of the expense, YYYY-MM-DD"`
	Category string   `json:"category,omitempty" jsonschema:"category, free text"`
	Tags     []string `json:"tags,omitempty" jsonschema:"free tags"`
	Note     string   `json:"note,omitempty" jsonschema:"what it was for, one line"`
	Key      string   `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content adds nothing"`
	DryRun   op.Flag  `json:"dry_run,omitempty" jsonschema:"answer what would be recorded, and record nothing"`
}

// AddResult is the result of expense_add.
type AddResult struct {
	Channel string `json:"channel" jsonschema:"channel of the ledger"`
	Entry   Entry  `json:"entry" jsonschema:"the entry as recorded"`
	SentTo  int    `json:"sent_to" jsonschema:"to how many connected members it was handed; those who are away fetch it later"`
	Joined  bool   `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	DryRun  bool   `json:"dry_run,omitempty" jsonschema:"nothing was recorded"`
}

// roomSynonyms are upstream's other names for parameters (upstream 10.1).
var roomSynonyms = map[string][]string{"channel": {"ch", "room"}}

func (r *Rooms) addOp() *op.Op {
	return op.New(op.Spec[AddParams, AddResult]{
		Name: "expense_add", Owner: owner, Summary: "Add an expense to a channel's ledger",
		Notes: "Amounts are exact: nothing is rounded for you. Everyone who bears a share stands in split, the payer too. " +
			"The entry is on disk before the answer; sent_to 0 means that nobody was connected, not that it is lost.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Common: true,
		Synonyms: map[string][]string{
			"channel": roomSynonyms["channel"], "payer": {"p"}, "amount": {"a"}, "split": {"members", "with"}, "note": {"memo"},
		},
		Example: `{"channel":"trip-nyc","payer":"alice","amount":"30.00","split":"alice,bob","note":"dinner"}`,
		Run:     r.add,
		Text:    AddResult.text,
	})
}

func (r *Rooms) add(ctx context.Context, in AddParams) (AddResult, error) {
	v, err := r.visit(ctx, in.Channel, bool(in.DryRun))
	if err != nil {
		return AddResult{}, err
	}
	out := AddResult{Channel: v.channel, Joined: v.joined, DryRun: bool(in.DryRun)}
	compose := func(l *ledger.Ledger) (ledger.Body, error) { return r.compose(l, in) }
	if in.DryRun {
		e, err := r.preview(v.room, in.Key, compose)
		if err != nil {
			return AddResult{}, err
		}
		out.Entry = entryOf(e)
		return out, nil
	}
	e, sent, err := r.record(ctx, v.room, in.Key, compose)
	if err != nil {
		return AddResult{}, err
	}
	out.Entry, out.SentTo = entryOf(e), sent
	return out, nil
}

// compose makes the body that the parameters describe, in the room's state.
func (r *Rooms) compose(l *ledger.Ledger, in AddParams) (ledger.Body, error) {
	c, err := r.currency(l, in)
	if err != nil {
		return ledger.Body{}, err
	}
	amount, err := money.Parse(string(in.Amount), c)
	if err != nil {
		return ledger.Body{}, err
	}
	payers, err := in.payers(amount, c)
	if err != nil {
		return ledger.Body{}, err
	}
	e := ledger.Expense{
		Amount: amount, Currency: c, Payers: payers, Mode: ledger.Mode(in.Mode),
		Date: in.Date, Category: in.Category, Tags: in.Tags, Note: in.Note, Key: in.Key,
	}
	for _, line := range in.Split {
		e.Split = append(e.Split, ledger.Portion{Member: ledger.Name(line.Member), Value: string(line.Value)})
	}
	return ledger.NewExpense(e)
}

// currency is the one that is named; without a name that of an entry with the
// same key, so that a call can be repeated, else the only one of the room.
func (r *Rooms) currency(l *ledger.Ledger, in AddParams) (money.Currency, error) {
	if in.Currency != nil {
		return money.ParseCurrency(*in.Currency)
	}
	if before, known := l.ByKey(r.self, in.Key); known && in.Key != "" && before.Body.Expense != nil {
		return before.Body.Expense.Currency, nil
	}
	switch known := l.Currencies(); len(known) {
	case 0:
		return "", nil
	case 1:
		return known[0], nil
	default:
		return "", fault.New(fault.Invalid, "currency is missing, and the room has %d: %q", len(known), known).
			WithHint(`say which one with currency; "" is the one without a code`)
	}
}

func (in AddParams) payers(amount money.Minor, c money.Currency) ([]ledger.Part, error) {
	if in.Payer != "" && len(in.Payers) > 0 {
		return nil, fault.New(fault.Invalid, "both payer and payers are given").WithHint("give payer, or payers when several paid")
	}
	if in.Payer == "" && len(in.Payers) == 0 {
		return nil, nil // which the ledger refuses
	}
	if len(in.Payers) == 0 {
		return []ledger.Part{{Member: ledger.Name(in.Payer), Amount: amount.Abs()}}, nil
	}
	paid := make([]ledger.Part, len(in.Payers))
	for i, line := range in.Payers {
		part, err := money.Parse(string(line.Value), c)
		if err != nil {
			return nil, err
		}
		paid[i] = ledger.Part{Member: ledger.Name(line.Member), Amount: part}
	}
	return paid, nil
}
