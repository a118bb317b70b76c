package intersplit

import (
	"context"
	"fmt"
	"strings"
	"time"

	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// RepeatParams are the parameters of expense_repeat: an expense and when it comes.
type RepeatParams struct {
	AddParams
	Every    ledger.Period `json:"every" jsonschema:"day, week, month or year; a day that a month does not have is its last"`
	Interval int           `json:"interval,omitempty" jsonschema:"how many of these from one to the next, 1 (the default) to 999"`
	Until    string        `json:"until,omitempty" jsonschema:"last day, YYYY-MM-DD; no end when it is left out"`
}

func (r *Rooms) repeatOp() *op.Op {
	return op.New(op.Spec[RepeatParams, Written]{
		Name: "expense_repeat", Owner: owner, Summary: "Record a rule for an expense that comes again and again, such as rent",
		Notes: "date is the first day; today (UTC) when it is left out. The rule moves no balance: expense_due books what is due. " +
			"expense_delete or expense_undo ends it; what was booked stays.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true},
		Synonyms: map[string][]string{
			"channel": roomSynonyms["channel"], "payer": {"p"}, "amount": {"a"}, "split": {"members", "with"}, "note": {"memo"}, "date": {"first"},
		},
		Example: `{"channel":"trip-nyc","payer":"alice","amount":"900","split":"alice,bob","note":"rent","every":"month","date":"2026-01-31","dry_run":true}`,
		Run: func(ctx context.Context, in RepeatParams) (Written, error) {
			if in.Date == "" {
				in.Date = r.today()
			}
			return r.write(ctx, recording{in.Channel, in.Key, in.DryRun}, in.compose)
		},
		Text: Written.text,
	})
}

func (r *Rooms) today() string { return r.now().UTC().Format(time.DateOnly) }

func (in RepeatParams) compose(l *ledger.Ledger) (ledger.Body, error) {
	rule := ledger.Rule{First: in.Date, Every: in.Every, Interval: max(in.Interval, 0), Last: in.Until}
	if in.Interval == 0 {
		rule.Interval = 1
	}
	key := in.Key
	in.Date, in.Key = "", ""
	x, err := in.expense(l)
	if err != nil {
		return ledger.Body{}, err
	}
	rule.Expense = &x
	return ledger.NewRule(rule, key)
}

// DueParams are the parameters of expense_due.
type DueParams struct {
	Channel Channel `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Until   string  `json:"until,omitempty" jsonschema:"book what is due up to this day, YYYY-MM-DD; today (UTC) when it is left out"`
	DryRun  op.Flag `json:"dry_run,omitempty" jsonschema:"answer what would be booked, and record nothing"`
}

// DueResult is the result of expense_due.
type DueResult struct {
	Channel string  `json:"channel" jsonschema:"channel of the ledger"`
	Entries []Entry `json:"entries" jsonschema:"the expenses that were booked, each with the day it was due"`
	More    bool    `json:"more,omitempty" jsonschema:"more is due: call again"`
	SentTo  int     `json:"sent_to" jsonschema:"to how many connected members they were handed; those who are away fetch them later"`
	Joined  bool    `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	DryRun  bool    `json:"dry_run,omitempty" jsonschema:"nothing was recorded"`
}

// maxDue bounds what one call books.
const maxDue = 200

func (r *Rooms) dueOp() *op.Op {
	return op.New(op.Spec[DueParams, DueResult]{
		Name: "expense_due", Owner: owner, Summary: "Book the expenses that rules have made due",
		Notes: "Whoever calls it, and however often, each day of a rule counts once: it needs no key. " +
			"What was booked and then deleted or undone is not booked again.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, OpenWorld: true},
		Synonyms: roomSynonyms,
		Example:  `{"channel":"trip-nyc","dry_run":true}`,
		Run:      r.due,
		Text:     DueResult.text,
	})
}

func (r *Rooms) due(ctx context.Context, in DueParams) (DueResult, error) {
	if in.Until == "" {
		in.Until = r.today()
	}
	if err := ledger.CheckDate(in.Until); err != nil {
		return DueResult{}, err
	}
	v, err := r.visit(ctx, in.Channel, bool(in.DryRun))
	if err != nil {
		return DueResult{}, err
	}
	out := DueResult{Channel: v.channel, Entries: []Entry{}, Joined: v.joined, DryRun: bool(in.DryRun)}
	var bodies []ledger.Body
	lookErr := v.room.look(func(l *ledger.Ledger) {
		if bodies, err = dueIn(l, in.Until); err != nil || len(bodies) == 0 {
			return
		}
		if out.More = len(bodies) > maxDue; out.More {
			bodies = bodies[:maxDue]
		}
		for _, body := range bodies {
			out.Entries = append(out.Entries, entryOf(l.Preview(r.self, r.now().UnixMilli(), body)))
		}
	})
	if err := orElse(lookErr, err); err != nil || len(bodies) == 0 || bool(in.DryRun) {
		return out, err
	}
	written, sent, err := r.recordAll(ctx, v.room, bodies)
	if err != nil {
		return DueResult{}, err
	}
	out.SentTo = sent
	lookErr = v.room.look(func(l *ledger.Ledger) {
		for i, e := range written {
			if kept, here := l.ByID(e.ID); here {
				out.Entries[i] = entryOf(kept)
			}
		}
	})
	return out, lookErr
}

// dueIn makes the expenses that the rules in effect have made due and nobody has
// booked: at most one more than a call books.
func dueIn(l *ledger.Ledger, until string) ([]ledger.Body, error) {
	var due []ledger.Body
	for _, e := range l.Entries() {
		if e.Body.Kind != ledger.KindRule || !e.Shown() {
			continue
		}
		for day := range e.Body.Rule.Days(until) {
			if _, booked := l.BySource(ledger.InstanceSource(e.ID, day)); booked {
				continue
			}
			body, err := ledger.NewExpense(e.Body.Rule.Instance(e.ID, day))
			if err != nil {
				return nil, err
			}
			if due = append(due, body); len(due) > maxDue {
				return due, nil
			}
		}
	}
	return due, nil
}

func (r DueResult) text() string {
	var out strings.Builder
	did := "booked"
	if r.DryRun {
		did = "would book"
	}
	fmt.Fprintf(&out, "[expense:%s] %s %d expenses\n", r.Channel, did, len(r.Entries))
	for _, e := range r.Entries {
		fmt.Fprintf(&out, "- %s | %s\n", e.Date, spokenFact(e))
	}
	if r.More {
		out.WriteString("- more is due: call again\n")
	}
	return out.String()
}
