package intersplit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
	"intercom/intersplit/plan"
)

// PlanMode is which plan is wanted.
type PlanMode string

// The modes of a plan.
const (
	PlanMinimal PlanMode = "minimal" // the fewest payments
	PlanDirect  PlanMode = "direct"  // what each two owe each other, netted
	PlanAround  PlanMode = "around"  // all through one member
)

// Schema is the rule of a mode.
func (PlanMode) Schema() op.Schema {
	return op.Schema{"type": "string", "enum": []PlanMode{PlanMinimal, PlanDirect, PlanAround}}
}

// with gives the mode that is meant when a member may be named, and that member's
// name in its one spelling.
func (m PlanMode) with(around string) (PlanMode, string, error) {
	if around == "" {
		switch m {
		case "":
			return PlanMinimal, "", nil
		case PlanAround:
			return "", "", fault.New(fault.Invalid, "mode around names no member").WithHint(`say through whom, as in "around": "ann"`)
		}
		return m, "", nil
	}
	if m != "" && m != PlanAround {
		return "", "", fault.New(fault.Invalid, "mode %s does not go around %q", m, around).WithHint("leave mode out, or leave around out")
	}
	name, err := ledger.ParseName(around)
	return PlanAround, string(name), err
}

// PlanParams are the parameters of expense_plan.
type PlanParams struct {
	Balances Standing `json:"balances" jsonschema:"where everyone stands: {name: amount} or text ann:10,ben:-10; what a member is owed, negative for what it owes; adds up to zero"`
	Currency string   `json:"currency,omitempty" jsonschema:"currency of the amounts, which says how many decimals they may have"`
	Mode     PlanMode `json:"mode,omitempty" jsonschema:"minimal (the default) or around; direct needs a room's entries: ask expense_balance"`
	Around   string   `json:"around,omitempty" jsonschema:"member through whom every payment goes"`
}

// PlanResult is the result of expense_plan.
type PlanResult struct {
	Settlements []Settlement `json:"settlements" jsonschema:"payments after which everybody is even, by from, then to"`
	PlanFacts
}

func (r *Rooms) planOp() *op.Op {
	return op.New(op.Spec[PlanParams, PlanResult]{
		Name: "expense_plan", Owner: owner, Summary: "Plan the fewest payments that settle given balances",
		Notes: "Needs no channel and records nothing. optimal says whether no plan can have fewer payments; " +
			"lower_bound is what no plan stays below.",
		Access: op.Read, Effects: op.Effects{Idempotent: true},
		Example: `{"balances":{"ann":"25.00","ben":"-10.00","cleo":"-15.00"}}`,
		Run:     planBalances,
		Text:    PlanResult.text,
	})
}

func planBalances(_ context.Context, in PlanParams) (PlanResult, error) {
	mode, around, err := in.Mode.with(in.Around)
	if err != nil {
		return PlanResult{}, err
	}
	c, err := money.ParseCurrency(in.Currency)
	if err != nil {
		return PlanResult{}, err
	}
	balances, err := in.Balances.read(c)
	if err != nil {
		return PlanResult{}, err
	}
	var made plan.Plan
	switch mode {
	case PlanDirect:
		return PlanResult{}, fault.New(fault.Invalid, "balances alone do not tell what each pair owes each other").
			WithHint("mode direct is for a room: expense_balance with mode direct")
	case PlanAround:
		made, err = plan.Around(balances, around)
	default:
		made, err = plan.Settle(balances)
	}
	if err != nil {
		return PlanResult{}, err
	}
	s := statement{books: []currencyBook{{currency: c, plan: made}}}
	return PlanResult{Settlements: s.settlements(), PlanFacts: s.facts()}, nil
}

func (r PlanResult) text() string {
	var out strings.Builder
	for _, p := range r.Settlements {
		fmt.Fprintf(&out, "%s\n", spokenSettlement(p))
	}
	if len(r.Settlements) == 0 {
		out.WriteString("everybody is even\n")
	}
	if !r.Optimal {
		fmt.Fprintf(&out, "%d payments, at least %d are needed\n", r.Payments, r.LowerBound)
	}
	return out.String()
}

// Standing is where members stand, as a caller wrote it: {name: amount}, or text
// "ann:10,ben:-10".
type Standing []Line

// maxStanding bounds how many balances one call has.
const maxStanding = 10_000

// Schema is the rule of given balances.
func (Standing) Schema() op.Schema {
	return op.Schema{"type": []string{"object", "string"}, "maxProperties": maxStanding, "additionalProperties": Amount("").Schema()}
}

// UnmarshalJSON reads either form. A member twice is kept, for read to refuse.
func (s *Standing) UnmarshalJSON(raw []byte) (err error) {
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return err
		}
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			*s, err = readLines(raw, "amount")
			return err
		}
		raw = []byte(text) // a terminal passes an object as text
		if !json.Valid(raw) {
			return fault.New(fault.Invalid, "balances %.60q are no JSON object", text).WithHint(`write {"ann":"10","ben":"-10"} or ann:10,ben:-10`)
		}
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	if _, err := in.Token(); err != nil {
		return err
	}
	for in.More() {
		if len(*s) == maxStanding {
			return fault.New(fault.Limited, "more than %d balances are too many", maxStanding).WithHint("use at most %d", maxStanding)
		}
		name, err := in.Token()
		if err != nil {
			return err
		}
		var line Line
		line.Member, _ = name.(string)
		if err := in.Decode(&line.Value); err != nil {
			return err
		}
		*s = append(*s, line)
	}
	return nil
}

// read gives the balances in a currency. They add up to zero.
func (s Standing) read(c money.Currency) ([]plan.Balance, error) {
	var sum money.Sum
	seen := make(map[ledger.Name]bool, len(s))
	balances := make([]plan.Balance, len(s))
	for i, line := range s {
		name, err := ledger.ParseName(line.Member)
		if err != nil {
			return nil, err
		}
		if seen[name] {
			return nil, fault.New(fault.Invalid, "%q has two balances", name).WithHint("give every member one balance; names are compared without case")
		}
		seen[name] = true
		amount, err := money.Parse(string(line.Value), c)
		if err != nil {
			return nil, err
		}
		balances[i] = plan.Balance{Member: string(name), Amount: money.SumOf(amount)}
		sum = sum.Plus(balances[i].Amount)
	}
	if sum.Sign() != 0 {
		return nil, fault.New(fault.Invalid, "the balances add up to %s, not to zero", withCode(sum.Format(c), string(c))).
			WithHint("what some are owed is what the others owe")
	}
	return balances, nil
}
