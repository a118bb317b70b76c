package intersplit

import (
	"context"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

// SettleParams are the parameters of expense_settle.
type SettleParams struct {
	Channel  Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Currency *string `json:"currency,omitempty" jsonschema:"only this currency; all are settled when it is left out"`
	Confirm  op.Flag `json:"confirm,omitempty" jsonschema:"book the payments; without it the answer only tells what would be booked"`
	Note     string  `json:"note,omitempty" jsonschema:"note, one line"`
	Key      string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key settles nothing more"`
	DryRun   op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be booked, and record nothing, whatever confirm says"`
}

// SettleResult is the result of expense_settle.
type SettleResult struct {
	Channel     string       `json:"channel" jsonschema:"channel of the ledger"`
	Settlements []Settlement `json:"settlements" jsonschema:"the payments of the plan"`
	Entry       *Entry       `json:"entry,omitempty" jsonschema:"the one entry that holds them all; absent when there is nothing to pay"`
	SentTo      int          `json:"sent_to" jsonschema:"to how many connected members it was handed; those who are away fetch it later"`
	Joined      bool         `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	DryRun      bool         `json:"dry_run,omitempty" jsonschema:"nothing was recorded"`
	Freshness
}

func (r *Rooms) settleOp() *op.Op {
	return op.New(op.Spec[SettleParams, SettleResult]{
		Name: "expense_settle", Owner: owner, Summary: "Book every payment of the plan at once",
		Notes: "It records that everybody has paid; it moves no money. Ask your user, then call it with confirm. " +
			"All payments are one entry, which one expense_undo takes back.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Common: true,
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc"}`,
		Run:      r.settle,
		Text:     SettleResult.text,
	})
}

func (r *Rooms) settle(ctx context.Context, in SettleParams) (SettleResult, error) {
	dry := in.DryRun || !in.Confirm
	v, err := r.visit(ctx, in.Channel, bool(dry))
	if err != nil {
		return SettleResult{}, err
	}
	out := SettleResult{Channel: v.channel, Settlements: []Settlement{}, Joined: v.joined, DryRun: bool(dry), Freshness: v.fresh}
	if even, err := r.nothingDue(v.room, in); err != nil || even {
		return out, err
	}
	written := Written{}
	if dry {
		err = r.pretend(v.room, in.Key, in.compose, &written)
	} else {
		written, err = r.write(ctx, recording{channel: in.Channel, key: in.Key}, in.compose)
	}
	if err != nil {
		return SettleResult{}, err
	}
	out.Entry, out.SentTo = &written.Entry, written.SentTo
	out.Settlements = append(out.Settlements, written.Entry.Payments...)
	if dry && !in.DryRun && out.Hint == "" {
		out.Hint = "call again with confirm once everybody has paid"
	}
	return out, nil
}

// nothingDue says whether there is nothing to pay, and no entry of the key that
// tells what was.
func (r *Rooms) nothingDue(rm *room, in SettleParams) (even bool, err error) {
	if in.Key != "" {
		if before, err := r.byKey(rm, in.Key); err != nil || before != nil {
			return false, err
		}
	}
	lookErr := rm.look(func(l *ledger.Ledger) {
		var due []ledger.Transfer
		due, err = in.due(l)
		even = len(due) == 0
	})
	if lookErr != nil {
		return false, lookErr
	}
	return even, err
}

func (in SettleParams) compose(l *ledger.Ledger) (ledger.Body, error) {
	due, err := in.due(l)
	if err != nil {
		return ledger.Body{}, err
	}
	return ledger.NewSettlement(ledger.Settlement{Payments: due, Note: in.Note}, in.Key)
}

// due is the payments of the plan.
func (in SettleParams) due(l *ledger.Ledger) ([]ledger.Transfer, error) {
	currencies := l.Currencies()
	if in.Currency != nil {
		c, err := currencyNamed(l, *in.Currency)
		if err != nil {
			return nil, err
		}
		currencies = []money.Currency{c}
	}
	var due []ledger.Transfer
	for _, c := range currencies {
		before, paid := l.Tail(c)
		made, err := stable(before, paid)
		if err != nil {
			return nil, err
		}
		for _, p := range made.Payments {
			lines, err := transfers(l, p, c)
			if err != nil {
				return nil, err
			}
			due = append(due, lines...)
		}
	}
	return due, nil
}

// maxParts bounds the parts of one payment.
const maxParts = 100

func tooLarge(p plan.Payment, c money.Currency) error {
	return fault.New(fault.Limited, "%s owes %s %s, which is too much for one entry", p.From, p.To, p.Amount.Format(c)).
		WithHint("book it in parts with expense_pay")
}

// transfers is a payment of a plan as one entry takes it: in parts, when it is
// beyond what one amount may be.
func transfers(l *ledger.Ledger, p plan.Payment, c money.Currency) ([]ledger.Transfer, error) {
	t := ledger.Transfer{From: l.Writable(ledger.Name(p.From)), To: l.Writable(ledger.Name(p.To)), Currency: c}
	var lines []ledger.Transfer
	for rest := p.Amount; rest.Sign() > 0; rest = rest.Minus(money.SumOf(t.Amount)) {
		if len(lines) == maxParts {
			return nil, tooLarge(p, c)
		}
		t.Amount = money.Limit
		if rest.Cmp(money.SumOf(money.Limit)) < 0 {
			amount, err := money.Parse(rest.Format(c), c)
			if err != nil {
				return nil, err
			}
			t.Amount = amount
		}
		lines = append(lines, t)
	}
	return lines, nil
}
