package intersplit

import (
	"context"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// AliasParams are the parameters of expense_rename and expense_merge.
type AliasParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Member  string  `json:"member" jsonschema:"the member, under the name of now"`
	To      string  `json:"to" jsonschema:"rename: the new name; merge: the member who is the same person, and whose name stays"`
	Key     string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content changes nothing more"`
	DryRun  op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be recorded, and record nothing"`
}

func (r *Rooms) renameOp() *op.Op {
	return op.New(op.Spec[AliasParams, Written]{
		Name: "expense_rename", Owner: owner, Summary: "Give a member another name, in all entries",
		Notes: "Whoever still writes the old name means the same member. expense_undo takes it back. " +
			"When others renamed the member at the same time (conflict, field name), renaming it again picks; its name of now picks that one.",
		Access:   op.Write,
		Effects:  op.Effects{OpenWorld: true},
		Synonyms: map[string][]string{"channel": roomSynonyms["channel"], "member": {"from"}, "to": {"name"}},
		Example:  `{"channel":"trip-nyc","member":"alice","to":"alicia","dry_run":true}`,
		Run: func(ctx context.Context, in AliasParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.rename)
		},
		Text: Written.text,
	})
}

func (r *Rooms) mergeOp() *op.Op {
	return op.New(op.Spec[AliasParams, Written]{
		Name: "expense_merge", Owner: owner, Summary: "Say that two members are the same person",
		Notes:    "Their balances become one, under the name in to. expense_undo takes it back, to the cent.",
		Access:   op.Write,
		Effects:  op.Effects{OpenWorld: true},
		Synonyms: map[string][]string{"channel": roomSynonyms["channel"], "member": {"from"}, "to": {"into"}},
		Example:  `{"channel":"trip-nyc","member":"bob","to":"alice","dry_run":true}`,
		Run: func(ctx context.Context, in AliasParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.merge)
		},
		Text: Written.text,
	})
}

func (in AliasParams) rename(l *ledger.Ledger) (ledger.Body, error) {
	body, err := in.alias(l, ledger.KindRename)
	if err != nil {
		return ledger.Body{}, err
	}
	if _, err := member(l, in.To); err == nil && body.Alias.From != body.Alias.To {
		return ledger.Body{}, fault.New(fault.Conflict, "%q is a member already", body.Alias.To).
			WithHint("choose another name, or expense_merge when both are the same person")
	}
	return body, nil
}

func (in AliasParams) merge(l *ledger.Ledger) (ledger.Body, error) {
	body, err := in.alias(l, ledger.KindMerge)
	if err == nil {
		_, err = member(l, in.To)
	}
	return body, err
}

func (in AliasParams) alias(l *ledger.Ledger, kind ledger.Kind) (ledger.Body, error) {
	from, err := member(l, in.Member)
	if err != nil {
		return ledger.Body{}, err
	}
	alias := ledger.Alias{From: from, To: ledger.Name(in.To), After: l.Aliases(from)}
	if to, err := ledger.ParseName(in.To); err == nil && to == from && len(l.DisputesOf(from)) == 0 {
		alias.After = nil // there is nothing to pick: the ledger refuses it
	}
	return ledger.NewAlias(kind, alias, in.Key)
}

// LeaveParams are the parameters of expense_leave.
type LeaveParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Member  string  `json:"member" jsonschema:"who leaves"`
	Key     string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content changes nothing more"`
	DryRun  op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be recorded, and record nothing"`
}

func (r *Rooms) leaveOp() *op.Op {
	return op.New(op.Spec[LeaveParams, Written]{
		Name: "expense_leave", Owner: owner, Summary: "Say that a member has left",
		Notes: "The member keeps the balance, stays in every plan until it is settled, and is no longer offered for new splits. " +
			"expense_undo takes it back.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true},
		Synonyms: roomSynonyms, Args: []string{"member"},
		Example: `{"channel":"trip-nyc","member":"bob","dry_run":true}`,
		Run: func(ctx context.Context, in LeaveParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.compose)
		},
		Text: Written.text,
	})
}

func (in LeaveParams) compose(l *ledger.Ledger) (ledger.Body, error) {
	name, err := member(l, in.Member)
	if err != nil {
		return ledger.Body{}, err
	}
	for _, m := range l.Members() {
		if m.Name == name && m.Left {
			return ledger.Body{}, fault.New(fault.Conflict, "%q has left already", name).WithHint("expense_undo the leave when they are back")
		}
	}
	return ledger.NewLeave(string(name), in.Key)
}

// UnitParams are the parameters of expense_unit.
type UnitParams struct {
	Channel  Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Unit     string  `json:"unit" jsonschema:"name of the unit, such as nights: a to z, digits and -"`
	Decimals int     `json:"decimals,omitempty" jsonschema:"how many decimals its amounts have, 0 (the default) to 4"`
	Key      string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content changes nothing more"`
	DryRun   op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be recorded, and record nothing"`
}

func (r *Rooms) unitOp() *op.Op {
	return op.New(op.Spec[UnitParams, Written]{
		Name: "expense_unit", Owner: owner, Summary: "Declare a unit of the room that is no currency, such as nights",
		Notes:  "From then on it is a currency of this ledger. Currencies and units are never netted against each other.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true},
		Synonyms: roomSynonyms, Args: []string{"unit"},
		Example: `{"channel":"trip-nyc","unit":"nights","dry_run":true}`,
		Run: func(ctx context.Context, in UnitParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.compose)
		},
		Text: Written.text,
	})
}

func (in UnitParams) compose(l *ledger.Ledger) (ledger.Body, error) {
	body, err := ledger.NewUnit(in.Unit, in.Decimals, in.Key)
	if err != nil {
		return ledger.Body{}, err
	}
	if known, declared := l.Unit(body.Unit.Code()); declared {
		return ledger.Body{}, fault.New(fault.Conflict, "%s is a unit of this ledger already, with %d decimals", known.Code(), known.Decimals()).
			WithHint("use it, or choose another name")
	}
	return body, nil
}
