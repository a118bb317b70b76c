package agent_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"testing"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

// fake is a peer whose sidechannel is a list of names: enough to see what the
// bridge makes of requests and results. Channels are held by clients, as the
// real sidechannel holds them.
type fake struct {
	*op.Registry
	hub *event.Hub

	mu    sync.Mutex
	held  map[string][]string // channel → clients
	sent  []string            // messages, as they arrived
	block chan struct{}       // closed to let slow calls return
}

type channelIn struct {
	Channel string `json:"channel" jsonschema:"a channel"`
}

type joinOut struct {
	Channel string `json:"channel" jsonschema:"the channel"`
	Joined  bool   `json:"joined" jsonschema:"whether it was not joined before"`
}

type sendIn struct {
	Channel string          `json:"channel" jsonschema:"a channel"`
	Message json.RawMessage `json:"message" jsonschema:"any value"`
	WaitMS  op.WaitMS       `json:"wait_ms,omitempty" jsonschema:"how long to wait for receipts"`
}

type sendOut struct {
	Channel string `json:"channel" jsonschema:"the channel"`
	ID      string `json:"message_id" jsonschema:"the message"`
}

type leaveOut struct {
	Channel string `json:"channel" jsonschema:"the channel"`
	OK      bool   `json:"ok" jsonschema:"whether it was joined"`
	Left    bool   `json:"left" jsonschema:"whether the peer is out of it"`
}

type statsOut struct {
	Channels []joined `json:"channels" jsonschema:"what is joined"`
	Peers    int      `json:"connectionCount" jsonschema:"connected peers"`
}

type joined struct {
	Channel string `json:"channel" jsonschema:"the channel"`
}

type undoIn struct {
	Channel string `json:"channel" jsonschema:"a channel"`
	ID      string `json:"id,omitempty" jsonschema:"an entry"`
}

type undoOut struct {
	ID string `json:"undone" jsonschema:"as given"`
}

type none struct{}

func newFake(t testing.TB, more ...*op.Op) *fake {
	hub := event.NewHub("fake", event.Limits{Events: 64})
	f := &fake{Registry: op.NewRegistry(hub, quiet()), hub: hub, held: map[string][]string{}, block: make(chan struct{})}
	f.Add(f.Builtins()...)
	f.Add(
		op.New(op.Spec[channelIn, joinOut]{
			Name: "sc_join", Owner: "sidechannel", Summary: "Join", Access: op.Write, Example: `{"channel":"a"}`, Run: f.join,
		}),
		op.New(op.Spec[sendIn, sendOut]{
			Name: "sc_send", Owner: "sidechannel", Summary: "Send", Access: op.Write, Example: `{"channel":"a","message":1}`, Run: f.send,
		}),
		op.New(op.Spec[channelIn, leaveOut]{
			Name: "sc_leave", Owner: "sidechannel", Summary: "Leave", Access: op.Write, Example: `{"channel":"a"}`, Run: f.leave,
		}),
		op.New(op.Spec[none, statsOut]{
			Name: "sc_stats", Owner: "sidechannel", Summary: "Tell", Access: op.Read, Example: `{}`, Run: f.stats,
			Text: func(out statsOut) string { return "channels:\n- " + names(out) },
		}),
		op.New(op.Spec[none, map[string]any]{
			Name: "info", Owner: "node", Summary: "Tell", Access: op.Read, Example: `{}`,
			Run: func(context.Context, none) (map[string]any, error) {
				return map[string]any{"peerPubkey": "c0ffee", "subnetBootstrap": nil}, nil
			},
		}),
		op.New(op.Spec[undoIn, undoOut]{
			Name: "undo", Owner: "toy", Summary: "Undo an entry, the last one if none is named", Access: op.Write, Example: `{"channel":"a"}`,
			Run: func(_ context.Context, in undoIn) (undoOut, error) { return undoOut{ID: in.ID}, nil },
		}),
		op.New(op.Spec[none, none]{
			Name: "restart", Owner: "node", Summary: "What only admins may", Access: op.Admin, Example: `{}`,
			Run: func(context.Context, none) (none, error) { return none{}, nil },
		}),
		op.New(op.Spec[none, none]{
			Name: "seed", Owner: "node", Summary: "What nobody may", Access: op.Secret, Example: `{}`,
			Run: func(context.Context, none) (none, error) { return none{}, nil },
		}),
		op.New(op.Spec[none, none]{
			Name: "crash", Owner: "node", Summary: "Panic", Access: op.Read, Example: `{}`,
			Run: func(context.Context, none) (none, error) { panic("seed=secret") },
		}),
	)
	f.Add(more...)
	t.Cleanup(f.Close)
	return f
}

func names(out statsOut) string {
	var list []string
	for _, c := range out.Channels {
		list = append(list, c.Channel)
	}
	return strings.Join(list, "\n- ")
}

func (f *fake) join(ctx context.Context, in channelIn) (joinOut, error) {
	switch in.Channel {
	case "secret":
		return joinOut{}, fault.New(fault.Denied, "channel %q needs an invite", in.Channel).WithHint("ask its owner for one")
	case "broken":
		return joinOut{}, fault.New(fault.Unavailable, "no network").WithHint("call again later")
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	fresh := len(f.held[in.Channel]) == 0
	if client := op.ClientOf(ctx); !slices.Contains(f.held[in.Channel], client) {
		f.held[in.Channel] = append(f.held[in.Channel], client)
	}
	return joinOut{Channel: in.Channel, Joined: fresh}, nil
}

func (f *fake) send(ctx context.Context, in sendIn) (sendOut, error) {
	if in.Channel == "secret" {
		return sendOut{}, fault.New(fault.Denied, "channel %q needs an invite", in.Channel).WithHint("ask its owner for one")
	}
	if in.Channel == "slow" || in.WaitMS > 0 {
		select {
		case <-f.block:
		case <-ctx.Done():
			return sendOut{}, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent = append(f.sent, string(in.Message))
	return sendOut{Channel: in.Channel, ID: "m"}, nil
}

// leave drops the caller's hold; the channel goes with the last one.
func (f *fake) leave(ctx context.Context, in channelIn) (leaveOut, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ok := len(f.held[in.Channel]) > 0
	f.drop(in.Channel, op.ClientOf(ctx))
	return leaveOut{Channel: in.Channel, OK: ok, Left: ok && len(f.held[in.Channel]) == 0}, nil
}

func (f *fake) drop(channel, client string) {
	f.held[channel] = slices.DeleteFunc(f.held[channel], func(holder string) bool { return holder == client })
	if len(f.held[channel]) == 0 {
		delete(f.held, channel)
	}
}

// release drops all that a client held.
func (f *fake) release(client string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for channel := range f.held {
		f.drop(channel, client)
	}
}

func (f *fake) joined(channel string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.held[channel]) > 0
}

func (f *fake) messages() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.sent)
}

func (f *fake) stats(context.Context, none) (statsOut, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := statsOut{Channels: []joined{{"0000intercom"}}, Peers: 2}
	for channel := range f.held {
		out.Channels = append(out.Channels, joined{channel})
	}
	return out, nil
}

// message publishes what a sidechannel would have received.
func (f *fake) message(channel, message string) {
	f.hub.Publish("sidechannel_message", json.RawMessage(`{"channel":"`+channel+
		`","id":"ab:1:cdefghij","from":"ab","origin":null,"sig":"cd","relayedBy":null,"ttl":3,"ts":1,"message":`+message+`}`))
}
