package mcp

import (
	"context"
	"encoding/json"
	"sync"
	"testing"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

// house is a small peer with operations of the names that the resources read.
type house struct {
	*op.Registry
	hub *event.Hub

	mu       sync.Mutex
	messages map[string][]string
}

type channelIn struct {
	Channel string `json:"channel" jsonschema:"name of the channel"`
}

type sendIn struct {
	Channel string `json:"channel" jsonschema:"name of the channel"`
	Message string `json:"message" jsonschema:"what to say"`
}

type sent struct {
	Channel string `json:"channel" jsonschema:"as given"`
	Peers   int    `json:"peers" jsonschema:"how many peers it went to"`
	Hint    string `json:"hint,omitempty" jsonschema:"what to do"`
}

type read struct {
	Channel  string   `json:"channel" jsonschema:"as given"`
	Messages []string `json:"messages" jsonschema:"oldest first"`
}

type ledger struct {
	Channel string `json:"channel" jsonschema:"as given"`
	Entries int    `json:"entries" jsonschema:"how many"`
}

func newHouse(t testing.TB) *house {
	hub := event.NewHub("house", event.Limits{})
	h := &house{Registry: op.NewRegistry(hub, quiet()), hub: hub, messages: map[string][]string{}}
	h.Add(h.Builtins()...)
	ledgerOf := func(_ context.Context, in channelIn) (ledger, error) { return ledger{Channel: in.Channel}, nil }
	h.Add(
		op.New(op.Spec[sendIn, sent]{
			Name: "sc_send", Owner: "sidechannel", Summary: "Send a message to a channel", Notes: "0 peers is an honest answer.",
			Access: op.Write, Common: true, Effects: op.Effects{OpenWorld: true}, Example: `{"channel":"trip","message":"hi"}`, Run: h.send,
		}),
		op.New(op.Spec[channelIn, read]{
			Name: "sc_read", Owner: "sidechannel", Summary: "Read the recent messages of a channel",
			Access: op.Read, Common: true, Untrusted: true, Effects: op.Effects{Idempotent: true}, Example: `{"channel":"trip"}`, Run: h.read,
		}),
		op.New(op.Spec[channelIn, ledger]{
			Name: "expense_balance", Owner: "InterSplit", Summary: "Show balances",
			Access: op.Read, Common: true, Untrusted: true, Effects: op.Effects{Idempotent: true}, Example: `{"channel":"trip"}`, Run: ledgerOf,
		}),
		op.New(op.Spec[channelIn, ledger]{
			Name: "expense_list", Owner: "InterSplit", Summary: "List entries",
			Access: op.Read, Common: true, Untrusted: true, Effects: op.Effects{Idempotent: true}, Example: `{"channel":"trip"}`, Run: ledgerOf,
		}),
		op.New(op.Spec[channelIn, ledger]{
			Name: "expense_clear", Owner: "InterSplit", Summary: "Empty the ledger",
			Access: op.Write, Common: true, Effects: op.Effects{Destructive: true, OpenWorld: true}, Example: `{"channel":"trip"}`, Run: ledgerOf,
		}),
		op.New(op.Spec[struct{}, sent]{
			Name: "sc_stats", Owner: "sidechannel", Summary: "Count", Access: op.Read, Example: `{}`,
			Run: func(context.Context, struct{}) (sent, error) { return sent{}, nil },
		}),
		op.New(op.Spec[struct{}, sent]{
			Name: "exit", Owner: "node", Summary: "Stop the peer", Access: op.Admin, Example: `{}`,
			Run: func(context.Context, struct{}) (sent, error) { return sent{}, nil },
		}),
		op.New(op.Spec[struct{}, sent]{
			Name: "seed", Owner: "node", Summary: "Tell the seed", Access: op.Secret, Common: true, Example: `{}`,
			Run: func(context.Context, struct{}) (sent, error) { return sent{}, nil },
		}),
	)
	t.Cleanup(h.Close)
	return h
}

func (h *house) send(_ context.Context, in sendIn) (sent, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.messages[in.Channel] = append(h.messages[in.Channel], in.Message)
	h.hub.Publish("sidechannel_message", map[string]string{"channel": in.Channel, "message": in.Message})
	return sent{Channel: in.Channel}, nil
}

func (h *house) read(_ context.Context, in channelIn) (read, error) {
	if in.Channel == "closed" {
		return read{}, fault.New(fault.Denied, "channel %q needs an invite", in.Channel).WithHint("ask its owner for one")
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return read{Channel: in.Channel, Messages: append([]string{}, h.messages[in.Channel]...)}, nil
}

// say sends as another peer would.
func (h *house) say(t testing.TB, channel, message string) {
	t.Helper()
	params, err := json.Marshal(sendIn{channel, message})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Call(t.Context(), op.Request{Name: "sc_send", Params: params, Grant: op.Write}); err != nil {
		t.Fatal(err)
	}
}
