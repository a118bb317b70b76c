package intersplit

import (
	"context"

	"intercom/core/identity"
	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// Written is the result of an operation that records one entry.
type Written struct {
	Channel string  `json:"channel" jsonschema:"channel of the ledger"`
	Entry   Entry   `json:"entry" jsonschema:"the entry as it is now: the one that was recorded or, after an edit, a delete or an undo, the one that was changed"`
	Change  *Change `json:"change,omitempty" jsonschema:"the recorded entry that changed it; expense_undo with its id takes the change back"`
	SentTo  int     `json:"sent_to" jsonschema:"to how many connected members it was handed; those who are away fetch it later"`
	Joined  bool    `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	DryRun  bool    `json:"dry_run,omitempty" jsonschema:"nothing was recorded"`
}

// Change is a recorded entry that changes another.
type Change struct {
	ID   string `json:"id" jsonschema:"hash of the signed entry; empty when it was not recorded"`
	Kind string `json:"kind" jsonschema:"edit, delete, undelete or undo"`
	TS   int64  `json:"ts" jsonschema:"when it was recorded, ms since 1970 by its author's clock"`
	By   string `json:"by" jsonschema:"trac address of the author who signed it"`
}

// recording is what the operations that record one entry share.
type recording struct {
	channel Channel
	key     string
	dry     op.Flag
}

// write records what compose makes, or shows what it would record.
func (r *Rooms) write(ctx context.Context, in recording, compose composer) (Written, error) {
	v, err := r.enter(ctx, in.channel, bool(in.dry))
	if err != nil {
		return Written{}, err
	}
	out := Written{Channel: v.channel, Joined: v.joined, DryRun: bool(in.dry)}
	if in.dry {
		err := r.pretend(v.room, in.key, compose, &out)
		return out, err
	}
	e, sent, err := r.record(ctx, v.room, in.key, compose)
	if err != nil {
		return Written{}, err
	}
	out.SentTo = sent
	err = v.room.look(func(l *ledger.Ledger) {
		if kept, here := l.ByID(e.ID); here {
			e = kept
		}
		out.show(l, e)
	})
	return out, err
}

// pretend shows what an entry would do.
func (r *Rooms) pretend(rm *room, key string, compose composer, out *Written) error {
	before, body, err := r.preview(rm, key, compose)
	if err != nil {
		return err
	}
	return rm.look(func(l *ledger.Ledger) {
		switch _, changes := body.Target(); {
		case before != nil:
			e := ledgerEntry(before)
			if kept, here := l.ByID(e.ID); here {
				e = *kept
			}
			out.show(l, &e)
		case changes:
			out.show(l.With(r.self, r.now().UnixMilli(), body))
		default:
			out.show(l, l.Preview(r.self, r.now().UnixMilli(), body))
		}
	})
}

// show fills in a recorded entry: itself, or what it changes and how.
func (out *Written) show(l *ledger.Ledger, e *ledger.Entry) {
	target, changes := e.Body.Target()
	if !changes {
		out.Entry = entryOf(e)
		return
	}
	out.Change = &Change{ID: idText(e.ID), Kind: string(e.Body.Kind), TS: e.TS, By: identity.PublicKey(e.Author).Address()}
	on, here := l.ByID(target)
	if !here {
		on = e
	}
	// An undo of an edit shows what the edit was of.
	if listed := on.Listed(); listed != nil {
		on = listed
	}
	out.Entry = entryOf(on)
}

// changeOps record what happens to a ledger besides expenses.
func (r *Rooms) changeOps() []*op.Op {
	return []*op.Op{
		r.payOp(), r.settleOp(), r.editOp(), r.deleteOp(), r.undeleteOp(), r.undoOp(),
		r.renameOp(), r.mergeOp(), r.leaveOp(), r.unitOp(), r.repeatOp(), r.dueOp(), r.closeOp(),
	}
}

// viewOps tell more of a ledger than its list and its balances.
func (r *Rooms) viewOps() []*op.Op {
	return []*op.Op{r.explainOp(), r.historyOp(), r.statsOp(), r.roomsOp()}
}
