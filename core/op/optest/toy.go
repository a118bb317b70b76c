// Package optest is the conformance suite that every surface passes.
//
// It brings a small peer whose operations do everything a surface may meet:
// they echo, fail in every kind, panic, wait, and answer at length. A surface
// passes through one small adapter, a [Client].
package optest

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

// Color is a domain type with a rule of its own.
type Color string

// Schema is the rule of a Color.
func (Color) Schema() op.Schema {
	return op.Schema{"type": "string", "enum": []string{"red", "green"}}
}

type echoIn struct {
	Text  string          `json:"text" jsonschema:"a text"`
	Count int             `json:"count,omitempty" jsonschema:"a whole number"`
	Flag  op.Flag         `json:"flag,omitempty" jsonschema:"a flag"`
	Color Color           `json:"color,omitempty" jsonschema:"red or green"`
	List  []string        `json:"list,omitempty" jsonschema:"texts"`
	Any   json.RawMessage `json:"any,omitempty" jsonschema:"any JSON value"`
}

type echoOut struct {
	Text  string          `json:"text" jsonschema:"as given"`
	Count int             `json:"count" jsonschema:"as given"`
	Flag  bool            `json:"flag" jsonschema:"as given"`
	List  []string        `json:"list" jsonschema:"as given"`
	Any   json.RawMessage `json:"any,omitempty" jsonschema:"as given"`
}

type failIn struct {
	Kind string `json:"kind" jsonschema:"a fault kind"`
}

type sizeIn struct {
	Bytes int `json:"bytes" jsonschema:"length of the answer"`
}

type nothing struct{}

// Peer is the peer of the suite.
type Peer struct {
	*op.Registry
	Hub *event.Hub

	Waiting   chan struct{} // receives once for each call of wait that has begun
	Cancelled chan struct{} // receives once for each call of wait that was cancelled
}

// NewPeer makes a peer with the operations of the suite.
func NewPeer(t testing.TB) *Peer {
	hub := event.NewHub("optest", event.Limits{})
	p := &Peer{
		Registry: op.NewRegistry(hub, slog.New(slog.NewTextHandler(io.Discard, nil))), Hub: hub,
		Waiting: make(chan struct{}, 1000), Cancelled: make(chan struct{}, 1000),
	}
	p.Add(p.Builtins()...)
	p.Add(p.toys()...)
	t.Cleanup(p.Close)
	return p
}

func (p *Peer) toys() []*op.Op {
	return []*op.Op{
		op.New(op.Spec[echoIn, echoOut]{
			Name: "toy_echo", Owner: "toy", Summary: "Give back what was given", Access: op.Read, Common: true,
			Synonyms: map[string][]string{"text": {"msg"}}, Example: `{"text":"hi","count":3,"any":{"b":[1,null]}}`,
			Run: func(_ context.Context, in echoIn) (echoOut, error) {
				return echoOut{Text: in.Text, Count: in.Count, Flag: bool(in.Flag), List: append([]string{}, in.List...), Any: in.Any}, nil
			},
			Text: func(out echoOut) string { return "echo: " + out.Text },
		}),
		op.New(op.Spec[failIn, nothing]{
			Name: "toy_fail", Owner: "toy", Summary: "Fail in a given kind", Access: op.Write, Common: true, Example: `{"kind":""}`,
			Run: func(_ context.Context, in failIn) (nothing, error) {
				if in.Kind == "" {
					return nothing{}, nil
				}
				return nothing{}, fault.New(fault.Kind(in.Kind), "failed as asked with %q", in.Kind).WithHint("ask for less")
			},
		}),
		op.New(op.Spec[nothing, nothing]{
			Name: "toy_panic", Owner: "toy", Summary: "Panic", Access: op.Read, Common: true, Example: `{}`,
			Run: func(context.Context, nothing) (nothing, error) { panic("on purpose: secret-of-a-panic") },
		}),
		op.New(op.Spec[nothing, nothing]{
			Name: "toy_wait", Owner: "toy", Summary: "Wait until the call is cancelled", Access: op.Read, Common: true, Example: `{}`,
			Run: func(ctx context.Context, _ nothing) (nothing, error) {
				p.Waiting <- struct{}{}
				<-ctx.Done()
				p.Cancelled <- struct{}{}
				return nothing{}, ctx.Err()
			},
		}),
		op.New(op.Spec[sizeIn, echoOut]{
			Name: "toy_size", Owner: "toy", Summary: "Answer at length", Access: op.Read, Common: true, Untrusted: true, Example: `{"bytes":10}`,
			Run: func(_ context.Context, in sizeIn) (echoOut, error) {
				return echoOut{Text: strings.Repeat("x", in.Bytes), List: []string{}}, nil
			},
		}),
		op.New(op.Spec[nothing, nothing]{
			Name: "toy_secret", Owner: "toy", Summary: "What nobody may call", Access: op.Secret, Example: `{}`,
			Run: func(context.Context, nothing) (nothing, error) { return nothing{}, nil },
		}),
	}
}
