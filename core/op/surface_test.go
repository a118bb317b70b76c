package op_test

import (
	"context"
	"encoding/json"
	"testing"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
)

// direct is the thinnest surface there is: a call of the registry.
type direct struct {
	caller op.Caller
	grant  op.Access
	life   context.Context
	close  context.CancelFunc
}

func (d direct) Call(ctx context.Context, name, params string) (json.RawMessage, *fault.Error) {
	if len(params) > 16<<20 {
		return nil, fault.New(fault.Limited, "too long")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.life, cancel)()
	reply, err := d.caller.Call(ctx, op.Request{Name: name, Params: json.RawMessage(params), Grant: d.grant})
	return reply.Value, fault.Of(err)
}

func (d direct) Close() error { d.close(); return nil }

func TestRegistryPassesTheSuite(t *testing.T) {
	optest.Surface(t, func(t *testing.T, c op.Caller, grant op.Access) optest.Client {
		life, cancel := context.WithCancel(t.Context())
		return direct{c, grant, life, cancel}
	})
}
