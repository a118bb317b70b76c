package rpc_test

import (
	"context"
	"encoding/json"
	"io"
	"testing"

	"github.com/sourcegraph/jsonrpc2"

	"intercom/core/op"
	"intercom/core/op/optest"
	"intercom/rpc"
)

// pipe is one end of a connection made of two pipes.
type pipe struct {
	io.Reader
	io.WriteCloser
}

func pipes() (a, b pipe) {
	r1, w1 := io.Pipe()
	r2, w2 := io.Pipe()
	return pipe{r1, w2}, pipe{r2, w1}
}

const benchParams = `{"text":"a text of some length, as an expense or a message has it, with a few words"}`

// BenchmarkCall compares a call of an operation over a pipe with a bare echo of
// the library, both asked by the library's own client, and with no surface at
// all.
func BenchmarkCall(b *testing.B) {
	b.Run("operation", func(b *testing.B) {
		here, there := pipes()
		ended := make(chan error, 1)
		go func() {
			ended <- rpc.Serve(context.Background(), there, there, optest.NewPeer(b), rpc.Options{})
		}()
		ask(b, here)
		<-ended
	})
	b.Run("bare", func(b *testing.B) {
		here, there := pipes()
		echo := jsonrpc2.HandlerWithError(func(_ context.Context, _ *jsonrpc2.Conn, r *jsonrpc2.Request) (any, error) { return r.Params, nil })
		server := jsonrpc2.NewConn(b.Context(), jsonrpc2.NewPlainObjectStream(there), jsonrpc2.AsyncHandler(echo))
		ask(b, here)
		<-server.DisconnectNotify()
	})
	b.Run("registry", func(b *testing.B) {
		p := optest.NewPeer(b)
		for b.Loop() {
			if _, err := p.Call(b.Context(), op.Request{Name: "toy_echo", Params: json.RawMessage(benchParams), Grant: op.Write}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func ask(b *testing.B, to io.ReadWriteCloser) {
	client := jsonrpc2.NewConn(b.Context(), jsonrpc2.NewPlainObjectStream(to), jsonrpc2.HandlerWithError(nil))
	var result json.RawMessage
	for b.Loop() {
		if err := client.Call(b.Context(), "toy_echo", json.RawMessage(benchParams), &result); err != nil {
			b.Fatal(err)
		}
	}
	client.Close()
}
