package intersplit

import (
	"context"

	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// ClearParams are the parameters of expense_clear.
type ClearParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Key     string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key clears nothing more"`
	DryRun  op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would go, and clear nothing"`
}

// ClearResult is the result of expense_clear.
type ClearResult struct {
	Channel string  `json:"channel" jsonschema:"channel of the ledger"`
	Cleared int     `json:"cleared" jsonschema:"how many expenses and payments went out of effect"`
	Totals  []Total `json:"totals" jsonschema:"what they added up to, by currency"`
	SentTo  int     `json:"sent_to" jsonschema:"to how many connected members it was handed; those who are away fetch it later"`
	ID      string  `json:"id,omitempty" jsonschema:"the clear; expense_undo with this id takes it back"`
	Joined  bool    `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	DryRun  bool    `json:"dry_run,omitempty" jsonschema:"nothing was cleared"`
}

func (r *Rooms) clearOp() *op.Op {
	return op.New(op.Spec[ClearParams, ClearResult]{
		Name: "expense_clear", Owner: owner, Summary: "Empty a channel's ledger for every member",
		Notes: "It covers what this peer knows now: what others added meanwhile survives. Try dry_run first. " +
			"expense_undo with the id of the answer brings everything back. In an empty room nothing is recorded.",
		Access: op.Write, Effects: op.Effects{Destructive: true, OpenWorld: true}, Common: true,
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc","dry_run":true}`,
		Run:      r.clear,
		Text:     ClearResult.text,
	})
}

func (r *Rooms) clear(ctx context.Context, in ClearParams) (ClearResult, error) {
	v, err := r.visit(ctx, in.Channel, bool(in.DryRun))
	if err != nil {
		return ClearResult{}, err
	}
	body, err := ledger.NewClear(in.Key)
	if err != nil {
		return ClearResult{}, err
	}
	compose := func(*ledger.Ledger) (ledger.Body, error) { return body, nil }
	out := &ClearResult{Channel: v.channel, Joined: v.joined, DryRun: bool(in.DryRun), Totals: []Total{}}
	var id ledger.ID
	if in.DryRun {
		id, err = r.wouldBe(v.room, in.Key, compose)
	} else {
		id, out.SentTo, err = r.recordCover(ctx, v.room, in.Key, compose, (*ledger.Ledger).Clearable)
	}
	if err == nil {
		out.ID = idText(id)
		err = v.room.look(func(l *ledger.Ledger) { out.took(l.Took(id)) })
	}
	return *out, err
}

// wouldBe gives the id of the entry that a key stands for, if there is one.
func (r *Rooms) wouldBe(rm *room, key string, compose composer) (ledger.ID, error) {
	before, _, err := r.preview(rm, key, compose)
	if err != nil || before == nil {
		return ledger.ID{}, err
	}
	return ledger.ID(before.ID()), nil
}

// recordCover records a clear or a close, and nothing where there is nothing to
// cover, unless a key asks for an entry that stands for it: or the same call,
// repeated later, would cover what was added since.
func (r *Rooms) recordCover(ctx context.Context, rm *room, key string, compose composer, any func(*ledger.Ledger) bool) (ledger.ID, int, error) {
	empty := false
	if err := rm.look(func(l *ledger.Ledger) { empty = !any(l) }); err != nil || empty && key == "" {
		return ledger.ID{}, 0, err
	}
	e, sent, err := r.record(ctx, rm, key, compose)
	if err != nil {
		return ledger.ID{}, 0, err
	}
	return e.ID, sent, nil
}

func (out *ClearResult) took(expenses int, totals []ledger.Total) {
	out.Cleared = expenses
	for _, t := range totals {
		out.Totals = append(out.Totals, Total{Currency: t.Currency.Code(), Amount: t.Amount.Format(t.Currency)})
	}
}
