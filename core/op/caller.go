package op

import (
	"context"
	"encoding/json"

	"intercom/core/event"
)

// Request asks for one call.
type Request struct {
	Name   string          // operation
	Params json.RawMessage // a JSON object; nothing means {}
	Grant  Access          // what the surface allows this caller
	Client string          // who calls, unique among the callers of a peer; "" is the peer itself
	Text   bool            // whether the reply shall carry text for people
}

// Reply is the result of one call.
type Reply struct {
	Value json.RawMessage // the result, as described by the output schema
	Text  string          // the result for people, when the request asked for it
}

// Caller is how a surface reaches a peer. Errors are or wrap [fault.Error];
// use [fault.Of].
type Caller interface {
	// Ops lists the operations in a stable order.
	Ops() []Info
	// Call runs one operation. Cancelling ctx cancels it.
	Call(ctx context.Context, req Request) (Reply, error)
	// Events waits for events behind the cursor, as [event.Hub.Read].
	Events(ctx context.Context, after event.Cursor, limit int) (event.Batch, error)
	// Now is the cursor behind the newest event.
	Now(ctx context.Context) (event.Cursor, error)
}

type clientKey struct{}

// ClientOf tells an operation who calls: the client of a surface, or "" for the
// peer itself.
func ClientOf(ctx context.Context) string {
	client, _ := ctx.Value(clientKey{}).(string)
	return client
}

func withClient(ctx context.Context, client string) context.Context {
	if client == "" {
		return ctx
	}
	return context.WithValue(ctx, clientKey{}, client)
}
