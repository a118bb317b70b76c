package rpc_test

import (
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
	"intercom/rpc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client is the adapter of the conformance suite: it sends the parameters as
// they are and tells answers apart by their ids.
type client struct {
	t    *testing.T
	s    *session
	next atomic.Int64

	mu      sync.Mutex
	waiting map[string]chan answer
	closed  bool
}

func newClient(t *testing.T, s *session) *client {
	c := &client{t: t, s: s, waiting: map[string]chan answer{}}
	go c.sort()
	return c
}

// sort hands answers to their callers. One without an id is for whoever waits.
func (c *client) sort() {
	for a := range c.s.answers {
		c.mu.Lock()
		for id, to := range c.waiting {
			if id == string(a.ID) || string(a.ID) == "null" {
				to <- a
				delete(c.waiting, id)
			}
		}
		c.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, to := range c.waiting {
		close(to)
	}
}

func (c *client) Call(ctx context.Context, name, params string) (json.RawMessage, *fault.Error) {
	id := c.next.Add(1)
	key, _ := json.Marshal(id)
	to := make(chan answer, 1)
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, fault.New(fault.Unavailable, "closed")
	}
	c.waiting[string(key)] = to
	c.mu.Unlock()
	c.s.send(c.t, call(id, name, params))
	defer context.AfterFunc(ctx, func() {
		c.s.send(c.t, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":`+string(key)+`}}`)
	})()
	a, ok := <-to
	switch {
	case !ok:
		return nil, fault.New(fault.Unavailable, "closed")
	case a.Error != nil:
		return nil, fault.New(a.Error.Data.Kind, "%s", a.Error.Message).WithHint("%s", a.Error.Data.Hint)
	}
	return a.Result, nil
}

func (c *client) Close() error { return c.s.in.Close() }

func TestSurface(t *testing.T) {
	for _, framing := range []rpc.Framing{rpc.Lines, rpc.ContentLength} {
		t.Run(string(framing), func(t *testing.T) {
			optest.Surface(t, func(t *testing.T, c op.Caller, grant op.Access) optest.Client {
				return newClient(t, serve(t, c, rpc.Options{Framing: framing, Grant: grant, Linger: 50 * time.Millisecond}))
			})
		})
	}
}
