package intersplit

import (
	"context"
	"fmt"

	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// CloseParams are the parameters of expense_close.
type CloseParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Key     string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key closes nothing more"`
	DryRun  op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be closed, and record nothing"`
}

// CloseResult is the result of expense_close.
type CloseResult struct {
	Channel  string    `json:"channel" jsonschema:"channel of the ledger"`
	Closed   int       `json:"closed" jsonschema:"how many expenses and payments went out of totals and lists"`
	Totals   []Total   `json:"totals" jsonschema:"what was spent in the period, by currency"`
	Balances []Balance `json:"balances" jsonschema:"what is carried forward"`
	SentTo   int       `json:"sent_to" jsonschema:"to how many connected members it was handed; those who are away fetch it later"`
	ID       string    `json:"id,omitempty" jsonschema:"the close; expense_undo with this id takes it back"`
	Joined   bool      `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	DryRun   bool      `json:"dry_run,omitempty" jsonschema:"nothing was recorded"`
}

func (r *Rooms) closeOp() *op.Op {
	return op.New(op.Spec[CloseParams, CloseResult]{
		Name: "expense_close", Owner: owner, Summary: "Close a period: totals and list begin anew, balances are carried forward",
		Notes: "No balance changes. It covers what this peer knows now: what others added meanwhile stays open. " +
			"Closed entries are not edited; expense_list shows them with include_closed.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true},
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc","dry_run":true}`,
		Run:      r.close,
		Text:     CloseResult.text,
	})
}

func (r *Rooms) close(ctx context.Context, in CloseParams) (CloseResult, error) {
	v, err := r.visit(ctx, in.Channel, bool(in.DryRun))
	if err != nil {
		return CloseResult{}, err
	}
	body, err := ledger.NewClose(in.Key)
	if err != nil {
		return CloseResult{}, err
	}
	out := CloseResult{Channel: v.channel, Joined: v.joined, DryRun: bool(in.DryRun), Totals: []Total{}, Balances: []Balance{}}
	compose := func(*ledger.Ledger) (ledger.Body, error) { return body, nil }
	var id ledger.ID
	if in.DryRun {
		id, err = r.wouldBe(v.room, in.Key, compose)
	} else {
		id, out.SentTo, err = r.recordCover(ctx, v.room, in.Key, compose, func(l *ledger.Ledger) bool { return l.InEffect() > 0 })
	}
	if err != nil {
		return CloseResult{}, err
	}
	out.ID = idText(id)
	err = v.room.look(func(l *ledger.Ledger) { out.carry(l, id) })
	return out, err
}

// carry tells what a close covered, as its author knew it.
func (out *CloseResult) carry(l *ledger.Ledger, id ledger.ID) {
	if id != (ledger.ID{}) {
		l = l.Before(id)
	}
	out.Closed = l.InEffect()
	for _, c := range l.Currencies() {
		out.Totals = append(out.Totals, Total{Currency: c.Code(), Amount: l.Total(c).Format(c)})
		for _, b := range l.Balances(c) {
			out.Balances = append(out.Balances, Balance{Member: string(b.Member), Currency: c.Code(), Amount: b.Amount.Format(c)})
		}
	}
}

func (r CloseResult) text() string {
	did := "closed"
	if r.DryRun {
		did = "would close"
	}
	return fmt.Sprintf("[expense:%s] %s %d entries total=%s", r.Channel, did, r.Closed, spokenTotals(r.Totals))
}
