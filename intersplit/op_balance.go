package intersplit

import (
	"context"

	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// BalanceParams are the parameters of expense_balance.
type BalanceParams struct {
	Channel  Channel  `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Currency *string  `json:"currency,omitempty" jsonschema:"only this currency, as an ISO 4217 code or a unit of the room; all are shown when it is left out"`
	Mode     PlanMode `json:"mode,omitempty" jsonschema:"plan to show: minimal (the default), direct (what each two owe each other, netted) or around (all through one member)"`
	Around   string   `json:"around,omitempty" jsonschema:"member through whom every payment goes"`
}

// BalanceResult is the result of expense_balance.
type BalanceResult struct {
	Channel     string       `json:"channel" jsonschema:"channel of the ledger"`
	Entries     int          `json:"entries" jsonschema:"how many expenses and payments are in effect, since the last close"`
	Totals      []Total      `json:"totals" jsonschema:"what was spent, by currency"`
	Balances    []Balance    `json:"balances" jsonschema:"where everyone stands; currencies are never netted"`
	Settlements []Settlement `json:"settlements" jsonschema:"the plan: payments after which everybody is even"`
	Plan        PlanFacts    `json:"plan" jsonschema:"how good the plan is"`
	Cleared     *Cleared     `json:"cleared,omitempty" jsonschema:"the room was cleared; absent when it never was"`
	Conflict    []Conflict   `json:"conflict,omitempty" jsonschema:"members whom others renamed or merged at the same time, until somebody picks"`
	Incomplete  bool         `json:"incomplete,omitempty" jsonschema:"this peer had no room for all entries: others have more"`
	Joined      bool         `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	Freshness
}

func (r *Rooms) balanceOp() *op.Op {
	return op.New(op.Spec[BalanceParams, BalanceResult]{
		Name: "expense_balance", Owner: owner, Summary: "Show balances and the fewest payments that settle them",
		Notes: "A positive balance is owed to the member, a negative one is what the member owes. Every peer with the same entries shows the same plan. " +
			"It stays while it is being paid: a payment that is a line of it is crossed off.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Common: true, Untrusted: true,
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc"}`,
		Run:      r.balance,
		Text:     BalanceResult.text,
	})
}

func (r *Rooms) balance(ctx context.Context, in BalanceParams) (BalanceResult, error) {
	mode, around, err := in.Mode.with(in.Around)
	if err != nil {
		return BalanceResult{}, err
	}
	v, err := r.visit(ctx, in.Channel, false)
	if err != nil {
		return BalanceResult{}, err
	}
	only, err := v.room.only(in.Currency)
	if err != nil {
		return BalanceResult{}, err
	}
	s, err := v.room.statementBy(planning{mode, around}, only, func(*ledger.Ledger) []Entry { return nil })
	if err != nil {
		return BalanceResult{}, err
	}
	return BalanceResult{
		Channel: v.channel, Freshness: v.fresh, Joined: v.joined, Incomplete: v.room.incomplete(), Entries: s.expenses, Totals: s.totals(), Balances: s.balances(),
		Settlements: s.settlements(), Plan: s.facts(), Cleared: s.cleared, Conflict: s.conflicts,
	}, nil
}

// only reads the currency that a call names, if it names one.
func (rm *room) only(named *string) (only *money.Currency, err error) {
	if named == nil {
		return nil, nil
	}
	lookErr := rm.look(func(l *ledger.Ledger) {
		var c money.Currency
		c, err = currencyNamed(l, *named)
		only = &c
	})
	if lookErr != nil {
		err = lookErr
	}
	return only, err
}
