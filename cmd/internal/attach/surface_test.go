package attach_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"testing"
	"time"

	"intercom/cmd/internal/attach"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
	"intercom/rpc"
)

// direct is a surface that is nothing but the attached client.
type direct struct {
	*attach.Client
	grant op.Access
}

func (d direct) Call(ctx context.Context, name, params string) (json.RawMessage, *fault.Error) {
	reply, err := d.Client.Call(ctx, op.Request{Name: name, Params: []byte(params), Grant: d.grant})
	return reply.Value, fault.Of(err)
}

func TestClientPassesTheSuite(t *testing.T) {
	optest.Surface(t, func(t *testing.T, c op.Caller, grant op.Access) optest.Client {
		dir := t.TempDir()
		host(t, dir, attach.Embedded{Caller: c, Instance: "suite"})
		return direct{dial(t, dir), grant}
	})
}

// spawned is JSON-RPC on pipes whose caller is an attached client: what an
// agent meets that spawned a process beside a running peer.
type spawned struct {
	in *io.PipeWriter

	mu      sync.Mutex
	number  int
	waiting map[int]chan rpcAnswer
}

type rpcAnswer struct {
	ID     int             `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Message string      `json:"message"`
		Data    fault.Error `json:"data"`
	} `json:"error"`
}

func spawn(t *testing.T, c op.Caller, grant op.Access) *spawned {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	s := &spawned{in: inW, waiting: map[int]chan rpcAnswer{}}
	var wg sync.WaitGroup
	wg.Go(func() {
		rpc.Serve(context.Background(), inR, outW, c, rpc.Options{Grant: grant, Linger: 50 * time.Millisecond})
	})
	wg.Go(func() { s.receive(outR) })
	t.Cleanup(func() { inW.Close(); wg.Wait() })
	return s
}

func (s *spawned) receive(out io.Reader) {
	for lines := bufio.NewReader(out); ; {
		line, err := lines.ReadBytes('\n')
		s.mu.Lock()
		for id, to := range s.waiting {
			var a rpcAnswer
			switch {
			case err != nil:
				close(to)
			case json.Unmarshal(line, &a) == nil && (a.ID == id || bytes.Contains(line, []byte(`"id":null`))):
				to <- a
			default:
				continue
			}
			delete(s.waiting, id)
		}
		s.mu.Unlock()
		if err != nil {
			return
		}
	}
}

func (s *spawned) Call(ctx context.Context, name, params string) (json.RawMessage, *fault.Error) {
	s.mu.Lock()
	s.number++
	id, to := s.number, make(chan rpcAnswer, 1)
	s.waiting[id] = to
	s.mu.Unlock()
	if _, err := fmt.Fprintf(s.in, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", id, name, params); err != nil {
		return nil, fault.New(fault.Unavailable, "closed")
	}
	defer context.AfterFunc(ctx, func() {
		fmt.Fprintf(s.in, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":%d}}`+"\n", id)
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

func (s *spawned) Close() error { return s.in.Close() }

func TestRPCOverAnAttachedClientPassesTheSuite(t *testing.T) {
	optest.Surface(t, func(t *testing.T, c op.Caller, grant op.Access) optest.Client {
		dir := t.TempDir()
		host(t, dir, attach.Embedded{Caller: c, Instance: "suite"})
		return spawn(t, dial(t, dir), grant)
	})
}

func BenchmarkCall(b *testing.B) {
	dir := b.TempDir()
	host(b, dir, attach.Embedded{Caller: optest.NewPeer(b), Instance: "bench"})
	c := dial(b, dir)
	for b.Loop() {
		if _, err := c.Call(b.Context(), op.Request{Name: "toy_echo", Params: []byte(`{"text":"a text"}`), Grant: op.Read}); err != nil {
			b.Fatal(err)
		}
	}
}
