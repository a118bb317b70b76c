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
	Channel   Channel  `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Payer     string   `json:"payer,omitempty" jsonschema:"who paid; a payer bears a share only when listed in split"`
	Payers    Payers   `json:"payers,omitempty" jsonschema:"instead of payer, when several paid: [{member, amount}] or text ann:20,bob:10; adds up to amount"`
	Amount    Amount   `json:"amount" jsonschema:"decimal number with at most the decimals of the currency, such as 30.00; negative is a refund"`
	Split     Split    `json:"split" jsonschema:"who shares it: text ann,bob or ann:2,bob:1, or a list of names or of {member, value}"`
	Mode      string   `json:"mode,omitempty" jsonschema:"how values in split are read: equal (no values, the default), exact (amounts; who has none shares the rest), shares (weights) or percent (adds up to 100)"`
	Currency  *string  `json:"currency,omitempty" jsonschema:"ISO 4217 code or a unit of the room; may be left out in a room with at most one currency"`
	ConvertTo string   `json:"convert_to,omitempty" jsonschema:"currency that it counts in, when not its own; needs rate"`
	Rate      Amount   `json:"rate,omitempty" jsonschema:"how many units of convert_to one unit of currency is worth, such as 0.92; the total is converted once, to the nearest unit"`
	Date      string   `json:"date,omitempty" jsonschema:"day of the expense, YYYY-MM-DD"`
	Category  string   `json:"category,omitempty" jsonschema:"category, free text"`
	Tags      []string `json:"tags,omitempty" jsonschema:"free tags"`
	Note      string   `json:"note,omitempty" jsonschema:"what it was for, one line"`
	Key       string   `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content adds nothing"`
	DryRun    op.Flag  `json:"dry_run,omitempty" jsonschema:"answer what would be recorded, and record nothing"`
}

// AddResult is the result of expense_add.
type AddResult = Written

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
	return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.compose)
}

// compose makes the body that the parameters describe, in the room's state.
func (in AddParams) compose(l *ledger.Ledger) (ledger.Body, error) {
	x, err := in.expense(l)
	if err != nil {
		return ledger.Body{}, err
	}
	return ledger.NewExpense(x)
}

func (in AddParams) expense(l *ledger.Ledger) (ledger.Expense, error) {
	c, err := currencyOf(l, in.Currency)
	if err != nil {
		return ledger.Expense{}, err
	}
	amount, err := money.Parse(string(in.Amount), c)
	if err != nil {
		return ledger.Expense{}, err
	}
	payers, err := in.payers(l, amount, c)
	if err != nil {
		return ledger.Expense{}, err
	}
	x := ledger.Expense{
		Amount: amount, Currency: c, Rate: money.Rate(in.Rate), Payers: payers, Mode: ledger.Mode(in.Mode), Split: in.Split.portions(l),
		Date: in.Date, Category: in.Category, Tags: in.Tags, Note: in.Note, Key: in.Key,
	}
	if in.ConvertTo != "" {
		x.ConvertTo, err = currencyNamed(l, in.ConvertTo)
	}
	return x, err
}

func (s Split) portions(l *ledger.Ledger) []ledger.Portion {
	var portions []ledger.Portion
	for _, line := range s {
		portions = append(portions, ledger.Portion{Member: writable(l, line.Member), Value: string(line.Value)})
	}
	return portions
}

func (in AddParams) payers(l *ledger.Ledger, amount money.Minor, c money.Currency) ([]ledger.Part, error) {
	if in.Payer != "" && len(in.Payers) > 0 {
		return nil, fault.New(fault.Invalid, "both payer and payers are given").WithHint("give payer, or payers when several paid")
	}
	if in.Payer == "" && len(in.Payers) == 0 {
		return nil, nil // which the ledger refuses
	}
	if len(in.Payers) == 0 {
		return []ledger.Part{{Member: writable(l, in.Payer), Amount: amount.Abs()}}, nil
	}
	return in.Payers.parts(l, c)
}

func (p Payers) parts(l *ledger.Ledger, c money.Currency) ([]ledger.Part, error) {
	paid := make([]ledger.Part, len(p))
	for i, line := range p {
		part, err := money.Parse(string(line.Value), c)
		if err != nil {
			return nil, err
		}
		paid[i] = ledger.Part{Member: writable(l, line.Member), Amount: part}
	}
	return paid, nil
}
