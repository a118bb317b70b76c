package rpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
	"intercom/rpc"
)

type countOut struct {
	N int64 `json:"n" jsonschema:"the count"`
}

// counter writes slowly and reads at once.
func counter() []*op.Op {
	var n atomic.Int64
	return []*op.Op{
		op.New(op.Spec[none, countOut]{
			Name: "count_up", Owner: "test", Summary: "Add one, slowly", Access: op.Write, Example: `{}`,
			Run: func(context.Context, none) (countOut, error) {
				was := n.Load()
				time.Sleep(time.Millisecond)
				n.Store(was + 1) // two at once would lose one
				return countOut{was + 1}, nil
			},
		}),
		op.New(op.Spec[none, countOut]{
			Name: "count", Owner: "test", Summary: "Tell the count", Access: op.Read, Example: `{}`,
			Run: func(context.Context, none) (countOut, error) { return countOut{n.Load()}, nil },
		}),
	}
}

func TestReadsSeeTheWritesBeforeThem(t *testing.T) {
	r, _ := newRegistry(t, counter()...)
	s := serve(t, r, rpc.Options{})
	for i := range 20 {
		s.send(t, call(fmt.Sprint("w", i+1), "count_up", `{}`))
		s.send(t, call(fmt.Sprint("r", i+1), "count", `{}`))
	}
	for range 40 {
		a := s.next(t)
		var n countOut
		json.Unmarshal(a.Result, &n)
		id := strings.Trim(string(a.ID), `"`)
		if want := id[1:]; id[0] == 'w' && fmt.Sprint(n.N) != want {
			t.Errorf("%s gave %d", id, n.N)
		} else if id[0] == 'r' && fmt.Sprint(n.N) < want && len(fmt.Sprint(n.N)) <= len(want) {
			t.Errorf("%s saw only %d", id, n.N)
		}
	}
}

func TestOneStuckWriteDoesNotHoldTheOthersForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRegistry(t, op.New(op.Spec[none, none]{
			Name: "stuck", Owner: "test", Summary: "Wait for ever", Access: op.Write, Example: `{}`,
			Run: func(ctx context.Context, _ none) (none, error) { <-ctx.Done(); return none{}, ctx.Err() },
		}))
		s := serve(t, r, rpc.Options{})
		begun := time.Now()
		for i := range 5 {
			s.send(t, call(i, "stuck", `{}`))
		}
		s.send(t, call("quick", "ping", `{}`))
		if a := s.next(t); string(a.ID) != `"quick"` || time.Since(begun) > 2*time.Second {
			t.Errorf("%s after %v", a.ID, time.Since(begun))
		}
	})
}

func TestTooManyCallsAreLimitedAndCancelsStillArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := optest.NewPeer(t)
		s := serve(t, p, rpc.Options{Calls: 10})
		for i := range 20 {
			s.send(t, call(i, "toy_wait", `{}`))
		}
		s.send(t, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":0}}`)
		for range 10 {
			if a := s.next(t); a.Error == nil || a.Error.Data.Kind != fault.Limited {
				t.Errorf("call %s: %+v", a.ID, a.Error)
			}
		}
		if a := s.next(t); string(a.ID) != "0" || a.Error.Data.Kind != fault.Cancelled {
			t.Errorf("call %s: %+v", a.ID, a.Error)
		}
		s.send(t, call("free", "ping", `{}`))
		if a := s.next(t); a.Error != nil {
			t.Errorf("with a place free: %+v", a.Error)
		}
	})
}
