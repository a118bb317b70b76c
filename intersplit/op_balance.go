package intersplit

import (
	"context"

	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// BalanceParams are the parameters of expense_balance.
type BalanceParams struct {
	Channel  Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Currency *string `json:"currency,omitempty" jsonschema:"only this currency, as an ISO 4217 code; all are shown when it is left out"`
}

// BalanceResult is the result of expense_balance.
type BalanceResult struct {
	Channel     string       `json:"channel" jsonschema:"channel of the ledger"`
	Entries     int          `json:"entries" jsonschema:"how many expenses are in effect"`
	Totals      []Total      `json:"totals" jsonschema:"what was spent, by currency"`
	Balances    []Balance    `json:"balances" jsonschema:"where everyone stands; currencies are never netted"`
	Settlements []Settlement `json:"settlements" jsonschema:"the plan: payments after which everybody is even"`
	Plan        PlanFacts    `json:"plan" jsonschema:"how good the plan is"`
	Cleared     *Cleared     `json:"cleared,omitempty" jsonschema:"the room was cleared; absent when it never was"`
	Joined      bool         `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
}

func (r *Rooms) balanceOp() *op.Op {
	return op.New(op.Spec[BalanceParams, BalanceResult]{
		Name: "expense_balance", Owner: owner, Summary: "Show balances and the fewest payments that settle them",
		Notes:  "A positive balance is owed to the member, a negative one is what the member owes. Every peer with the same entries shows the same plan.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Common: true, Untrusted: true,
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc"}`,
		Run:      r.balance,
		Text:     BalanceResult.text,
	})
}

func (r *Rooms) balance(ctx context.Context, in BalanceParams) (BalanceResult, error) {
	var only *money.Currency
	if in.Currency != nil {
		c, err := money.ParseCurrency(*in.Currency)
		if err != nil {
			return BalanceResult{}, err
		}
		only = &c
	}
	v, err := r.visit(ctx, in.Channel, false)
	if err != nil {
		return BalanceResult{}, err
	}
	s, err := v.room.statement(only, func(*ledger.Ledger) []Entry { return nil })
	if err != nil {
		return BalanceResult{}, err
	}
	return BalanceResult{
		Channel: v.channel, Joined: v.joined, Entries: s.expenses, Totals: s.totals(), Balances: s.balances(),
		Settlements: s.settlements(), Plan: s.facts(), Cleared: s.cleared,
	}, nil
}
