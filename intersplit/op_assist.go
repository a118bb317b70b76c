package intersplit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/assist"
	"intercom/intersplit/ledger"
)

// Sentence is a sentence about the ledger.
type Sentence string

// Schema is the rule of a sentence.
func (Sentence) Schema() op.Schema {
	return op.Schema{"type": "string", "minLength": 1, "maxLength": 2000}
}

// AssistParams are the parameters of expense_assist.
type AssistParams struct {
	Channel Channel  `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Text    Sentence `json:"text" jsonschema:"one sentence, such as: dinner 48 alice with bob, cleo"`
	Confirm op.Flag  `json:"confirm,omitempty" jsonschema:"do what was understood; without it what would be recorded is only shown"`
}

// AssistResult is the result of expense_assist.
type AssistResult struct {
	Channel   string          `json:"channel" jsonschema:"channel of the ledger"`
	Operation string          `json:"operation,omitempty" jsonschema:"the operation that was understood; absent when a question comes first"`
	Params    json.RawMessage `json:"params,omitempty" jsonschema:"its parameters, as far as they were understood"`
	Question  string          `json:"question,omitempty" jsonschema:"what is not clear; nothing was done"`
	Choices   []string        `json:"choices,omitempty" jsonschema:"sentences that answer the question"`
	New       []string        `json:"new_members,omitempty" jsonschema:"names that the room does not know yet"`
	Done      bool            `json:"done" jsonschema:"whether the operation was carried out"`
	Result    json.RawMessage `json:"result,omitempty" jsonschema:"result of the operation; when done is false, of its dry run"`
	Joined    bool            `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
	Freshness

	said string // the result for people
}

func (r *Rooms) assistOp() *op.Op {
	calls := sync.OnceValue(r.callable)
	return op.New(op.Spec[AssistParams, AssistResult]{
		Name: "expense_assist", Owner: owner, Summary: "Understand a sentence about the ledger, and do it when confirmed",
		Notes: "A small fixed grammar, no model: it asks where a name, an amount or a currency is not clear, and never guesses. " +
			"What only reads is answered at once; what writes is done with confirm. Say: " + strings.Join(assist.Examples, " · "),
		Access: op.Write, Effects: op.Effects{Destructive: true, OpenWorld: true}, Untrusted: true,
		Synonyms: roomSynonyms,
		Args:     []string{"text"},
		Example:  `{"channel":"trip-nyc","text":"dinner 48 alice with bob, cleo"}`,
		Run: func(ctx context.Context, in AssistParams) (AssistResult, error) {
			return r.assist(ctx, calls(), in)
		},
		Text: AssistResult.text,
	})
}

// callable are the operations that a sentence can mean.
func (r *Rooms) callable() *op.Registry {
	calls := op.NewRegistry(r.hub, r.log)
	for _, o := range r.Ops() {
		if o.Info().Name != "expense_assist" {
			calls.Add(o)
		}
	}
	return calls
}

func (r *Rooms) assist(ctx context.Context, calls op.Caller, in AssistParams) (AssistResult, error) {
	v, err := r.visit(ctx, in.Channel, false) // who is meant is seen in the room only
	if err != nil {
		return AssistResult{}, err
	}
	var known assist.Room
	if err := v.room.look(func(l *ledger.Ledger) { known = assistRoom(l) }); err != nil {
		return AssistResult{}, err
	}
	u, err := assist.Parse(string(in.Text), known)
	if err != nil {
		return AssistResult{}, err
	}
	out := AssistResult{Channel: v.channel, Operation: u.Operation, Question: u.Question, Choices: u.Choices, New: u.New, Joined: v.joined, Freshness: v.fresh}
	u.Params["channel"] = v.channel
	if out.Params, err = json.Marshal(u.Params); err != nil || u.Question != "" {
		return out, err
	}
	return out, out.run(ctx, calls, u, bool(in.Confirm))
}

// run carries out what was understood, or tries it.
func (out *AssistResult) run(ctx context.Context, calls op.Caller, u assist.Understood, confirm bool) error {
	infos := calls.Ops()
	i := slices.IndexFunc(infos, func(info op.Info) bool { return info.Name == u.Operation })
	if i < 0 {
		return fault.New(fault.Unavailable, "%s is understood, and this peer does not offer it", u.Operation).
			WithHint("the ledger is kept on this peer's disk and by the other members; expense_export makes a copy")
	}
	takes := func(name string) bool {
		return slices.ContainsFunc(infos[i].Parameters(), func(p op.Parameter) bool { return p.Name == name })
	}
	out.Done = confirm || infos[i].Access == op.Read
	switch {
	case out.Done && takes("confirm"):
		u.Params["confirm"] = true
	case !out.Done && takes("dry_run"):
		u.Params["dry_run"] = true
	case !out.Done:
		return nil
	}
	params, err := json.Marshal(u.Params)
	if err != nil {
		return err
	}
	reply, err := calls.Call(ctx, op.Request{Name: u.Operation, Params: params, Grant: op.Write, Text: true})
	out.Result, out.said = reply.Value, reply.Text
	return err
}

// assistRoom is what a sentence may refer to.
func assistRoom(l *ledger.Ledger) assist.Room {
	room := assist.Room{Currencies: l.Currencies()}
	for _, m := range l.Members() {
		room.Members = append(room.Members, string(m.Name))
		if m.Left {
			room.Left = append(room.Left, string(m.Name))
		}
	}
	for _, e := range slices.Backward(l.Entries()) {
		if !e.Shown() || !e.Body.Kind.Subject() || e.Closed() {
			continue
		}
		now := e.Current()
		if room.Last == nil {
			room.Last = &assist.Entry{ID: idText(e.ID)}
		}
		if x := now.Expense; x != nil {
			room.LastSplit = &assist.Split{Mode: string(x.Mode)}
			for _, p := range x.Split {
				room.LastSplit.Lines = append(room.LastSplit.Lines, assist.Line{Member: string(p.Member), Value: p.Value})
			}
			break
		}
	}
	return room
}

func (r AssistResult) text() string {
	var out strings.Builder
	switch {
	case r.Question != "":
		fmt.Fprintf(&out, "%s\n", r.Question)
		for _, choice := range r.Choices {
			fmt.Fprintf(&out, "- %s\n", choice)
		}
	case r.Done:
		fmt.Fprintf(&out, "%s\n", r.said)
	default:
		fmt.Fprintf(&out, "%s %s\n%s\n- confirm to do it\n", r.Operation, r.Params, r.said)
	}
	if len(r.New) > 0 && !r.Done {
		fmt.Fprintf(&out, "- new: %s\n", strings.Join(r.New, ", "))
	}
	if !r.Done { // otherwise the result says it
		out.WriteString(r.spoken())
	}
	return out.String()
}
