package intersplit

import (
	"context"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// MarkParams are the parameters of expense_delete and expense_undelete.
type MarkParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	ID      EntryID `json:"id" jsonschema:"id of the entry, its first 8 or more digits, or last"`
	Key     string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content changes nothing more"`
	DryRun  op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be, and record nothing"`
}

// UndoParams are the parameters of expense_undo.
type UndoParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	ID      EntryID `json:"id,omitempty" jsonschema:"id of the entry to undo, of any kind; this peer's own last entry in effect when it is left out"`
	Key     string  `json:"key,omitempty" jsonschema:"idempotency key: calling again with the same key and content changes nothing more"`
	DryRun  op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be undone, and record nothing"`
}

func (r *Rooms) deleteOp() *op.Op {
	return op.New(op.Spec[MarkParams, Written]{
		Name: "expense_delete", Owner: owner, Summary: "Delete an expense or a payment",
		Notes: "It goes out of effect for every member and stays in the history; expense_undelete brings it back. " +
			"An edit that was made without knowing of the delete beats it, and the entry shows conflict.",
		Access: op.Write, Effects: op.Effects{Destructive: true, OpenWorld: true},
		Synonyms: roomSynonyms, Args: []string{"id"},
		Example: `{"channel":"trip-nyc","id":"last","dry_run":true}`,
		Run: func(ctx context.Context, in MarkParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, func(l *ledger.Ledger) (ledger.Body, error) {
				e, err := changeable(l, in.ID)
				if err != nil {
					return ledger.Body{}, err
				}
				return ledger.NewMark(ledger.KindDelete, ledger.Mark{Target: e.ID, After: e.Known()}, in.Key)
			})
		},
		Text: Written.text,
	})
}

func (r *Rooms) undeleteOp() *op.Op {
	return op.New(op.Spec[MarkParams, Written]{
		Name: "expense_undelete", Owner: owner, Summary: "Bring back an entry that was deleted or cleared",
		Access: op.Write, Effects: op.Effects{OpenWorld: true},
		Synonyms: roomSynonyms, Args: []string{"id"},
		Example: `{"channel":"trip-nyc","id":"last","dry_run":true}`,
		Run: func(ctx context.Context, in MarkParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.undelete)
		},
		Text: Written.text,
	})
}

func (in MarkParams) undelete(l *ledger.Ledger) (ledger.Body, error) {
	e, err := in.ID.find(l, func(e *ledger.Entry) bool { return e.Standing() == ledger.Deleted })
	if err != nil {
		return ledger.Body{}, err
	}
	if listed := e.Listed(); listed != nil && e.Body.Kind.Subject() {
		e = listed
	}
	switch standing := e.Standing(); {
	case !e.Body.Kind.Subject():
		_, err = changeable(l, in.ID)
		return ledger.Body{}, err
	case standing == ledger.Undone:
		return ledger.Body{}, inEffect(e)
	case standing != ledger.Deleted && standing != ledger.Cleared:
		return ledger.Body{}, fault.New(fault.Conflict, "entry %s is in effect", idText(e.ID)[:minID]).WithHint("there is nothing to bring back")
	}
	return ledger.NewMark(ledger.KindUndelete, ledger.Mark{Target: e.ID, After: e.Known()}, in.Key)
}

func (r *Rooms) undoOp() *op.Op {
	return op.New(op.Spec[UndoParams, Written]{
		Name: "expense_undo", Owner: owner, Summary: "Take back an entry of any kind: an expense, an edit, a clear, another undo",
		Notes: "Without id it takes back this peer's own last entry in effect, and called again the one before. " +
			"To redo, undo the undo: its id is in change of the answer.",
		Access: op.Write, Effects: op.Effects{Destructive: true, OpenWorld: true}, Common: true,
		Synonyms: roomSynonyms, Args: []string{"id"},
		Example: `{"channel":"trip-nyc","id":"last","dry_run":true}`,
		Run: func(ctx context.Context, in UndoParams) (Written, error) {
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, func(l *ledger.Ledger) (ledger.Body, error) {
				e, err := r.undoable(l, in.ID)
				if err != nil {
					return ledger.Body{}, err
				}
				return ledger.NewMark(ledger.KindUndo, ledger.Mark{Target: e.ID}, in.Key)
			})
		},
		Text: Written.text,
	})
}

// undoable finds the entry to undo.
func (r *Rooms) undoable(l *ledger.Ledger, id EntryID) (*ledger.Entry, error) {
	if id == "" {
		if last := l.LastOf(r.self); last != nil {
			return last, inEffect(last)
		}
		return nil, fault.New(fault.NotFound, "this peer has no entry in effect here").WithHint("name the entry with id")
	}
	e, err := id.find(l, (*ledger.Entry).Shown)
	if err != nil {
		return nil, err
	}
	if !e.Body.Kind.Undoable() {
		return nil, fault.New(fault.Invalid, "a %s is not undone", e.Body.Kind).WithHint("what is unsupported counts nowhere")
	}
	if standing := e.Standing(); standing == ledger.Undone {
		undos := l.UndoneBy(e)
		return nil, fault.New(fault.Conflict, "entry %s is undone already", idText(e.ID)[:minID]).
			WithHint("to redo it, undo the undo: %s", idText(undos[0].ID))
	}
	if e.Standing() == ledger.Twin {
		return e, nil
	}
	return e, inEffect(e)
}
