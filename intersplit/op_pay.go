package intersplit

import (
	"context"

	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// PayParams are the parameters of expense_pay.
type PayParams struct {
	Channel  Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	From     string  `json:"from" jsonschema:"who paid"`
	To       string  `json:"to" jsonschema:"who was paid"`
	Amount   Amount  `json:"amount" jsonschema:"decimal number above zero with at most the decimals of the currency"`
	Currency *string `json:"currency,omitempty" jsonschema:"ISO 4217 code or a unit of the room; may be left out in a room with at most one currency"`
	Date     string  `json:"date,omitempty" jsonschema:"day of the payment, YYYY-MM-DD"`
	Note     string  `json:"note,omitempty" jsonschema:"what it was, one line"`
	Key      string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content adds nothing"`
	DryRun   op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be recorded, and record nothing"`
}

func (r *Rooms) payOp() *op.Op {
	return op.New(op.Spec[PayParams, Written]{
		Name: "expense_pay", Owner: owner, Summary: "Record that one member paid another",
		Notes: "It settles what is owed and is never counted as spending: for what was bought use expense_add. " +
			"It records a payment that was made; it moves no money.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Common: true,
		Synonyms: map[string][]string{
			"channel": roomSynonyms["channel"], "from": {"payer"}, "to": {"payee"}, "amount": {"a"}, "note": {"memo"},
		},
		Example: `{"channel":"trip-nyc","from":"bob","to":"alice","amount":"15.00"}`,
		Run: func(ctx context.Context, in PayParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.compose)
		},
		Text: Written.text,
	})
}

func (in PayParams) compose(l *ledger.Ledger) (ledger.Body, error) {
	c, err := currencyOf(l, in.Currency)
	if err != nil {
		return ledger.Body{}, err
	}
	amount, err := money.Parse(string(in.Amount), c)
	if err != nil {
		return ledger.Body{}, err
	}
	return ledger.NewPayment(ledger.Payment{
		Transfer: ledger.Transfer{From: writable(l, in.From), To: writable(l, in.To), Amount: amount, Currency: c},
		Date:     in.Date, Note: in.Note, Key: in.Key,
	})
}
