package mcp

import (
	"encoding/json"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"intercom/core/op"
	"intercom/core/op/optest"
)

var arguments = json.RawMessage(`{"text":"hi","count":3}`)

// BenchmarkOperation is what the call costs without a surface.
func BenchmarkOperation(b *testing.B) {
	p := optest.NewPeer(b)
	for b.Loop() {
		if _, err := p.Call(b.Context(), op.Request{Name: "toy_echo", Params: arguments, Grant: op.Write}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkInProcess is the call through the protocol machine, with no
// transport and no client.
func BenchmarkInProcess(b *testing.B) {
	s := newServer(b, optest.NewPeer(b), Config{})
	machine := s.engine(newUpdates(s))
	message := json.RawMessage(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"toy_echo","arguments":` + string(arguments) + `}}`)
	for b.Loop() {
		if _, err := json.Marshal(machine.HandleMessage(b.Context(), message)); err != nil {
			b.Fatal(err)
		}
	}
}

func benchmarkOfficial(b *testing.B, way transport, revision string) {
	cs := connect(b, newServer(b, optest.NewPeer(b), Config{}), way, revision, nil)
	for b.Loop() {
		if _, err := cs.CallTool(b.Context(), &mcp.CallToolParams{Name: "toy_echo", Arguments: arguments}); err != nil {
			b.Fatal(err)
		}
	}
}

// The official client's own cost is part of these.
func BenchmarkStdioLegacy(b *testing.B) { benchmarkOfficial(b, overStdio, "2025-11-25") }
func BenchmarkStdioModern(b *testing.B) { benchmarkOfficial(b, overStdio, "2026-07-28") }
func BenchmarkHTTPLegacy(b *testing.B)  { benchmarkOfficial(b, overHTTP, "2025-11-25") }
func BenchmarkHTTPModern(b *testing.B)  { benchmarkOfficial(b, overHTTP, "2026-07-28") }

// BenchmarkStdioWire is the call over pipes with a client that costs little.
func BenchmarkStdioWire(b *testing.B) {
	w := open(b, newServer(b, optest.NewPeer(b), Config{}))
	for b.Loop() {
		w.send(b, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"toy_echo","arguments":`+string(arguments)+`}}`)
		if answer := w.receive(b); answer.Error != nil {
			b.Fatal(answer.Error.Message)
		}
	}
}
