package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"intercom/agent"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
)

func TestBridgePassesTheSuite(t *testing.T) {
	optest.Surface(t, func(t *testing.T, c op.Caller, grant op.Access) optest.Client {
		addr := serve(t, ceiling{c, grant}, agent.Config{})
		return &surface{t: t, addr: addr, calls: map[int]chan answer{}}
	})
}

// ceiling grants no more than a level.
type ceiling struct {
	op.Caller
	grant op.Access
}

func (c ceiling) Call(ctx context.Context, req op.Request) (op.Reply, error) {
	req.Grant = min(req.Grant, c.grant)
	return c.Caller.Call(ctx, req)
}

// surface calls operations over one connection. Cancelling a call closes the
// connection, as a client does that has no other way; the next call opens
// another.
type surface struct {
	t    *testing.T
	addr string

	mu     sync.Mutex
	conn   *websocket.Conn
	closed bool
	last   int
	calls  map[int]chan answer
}

type answer struct {
	ID     int             `json:"id"`
	Type   string          `json:"type"`
	Result json.RawMessage `json:"result"`
	Error  string          `json:"error"`
	Kind   fault.Kind      `json:"kind"`
	Hint   string          `json:"hint"`
}

func (s *surface) Call(ctx context.Context, name, params string) (json.RawMessage, *fault.Error) {
	conn, id, reply := s.begin()
	if conn == nil {
		return nil, fault.New(fault.Unavailable, "the client is closed")
	}
	request := fmt.Sprintf(`{"id":%d,"type":%q,"params":%s}`, id, name, params)
	if err := conn.Write(context.Background(), websocket.MessageText, []byte(request)); err != nil {
		s.drop(conn)
		return nil, fault.New(fault.Unavailable, "write: %v", err)
	}
	select {
	case a := <-reply:
		if a.Type == "error" {
			return nil, fault.New(a.Kind, "%s", a.Error).WithHint("%s", a.Hint)
		}
		return a.Result, nil
	case <-ctx.Done():
		s.drop(conn)
		return nil, fault.Of(ctx.Err())
	}
}

// begin registers a call on the connection, which it opens when there is none; a
// closed client gives none.
func (s *surface) begin() (*websocket.Conn, int, chan answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, 0, nil
	}
	if s.conn == nil {
		s.conn = login(s.t, s.addr).conn
		go s.receive(s.conn)
	}
	s.last++
	reply := make(chan answer, 1)
	s.calls[s.last] = reply
	return s.conn, s.last, reply
}

// receive hands answers out until the connection ends, and then fails what is
// left.
func (s *surface) receive(conn *websocket.Conn) {
	defer s.drop(conn)
	for {
		_, frame, err := conn.Read(context.Background())
		if err != nil {
			return
		}
		var a answer
		if json.Unmarshal(frame, &a) != nil {
			return
		}
		s.mu.Lock()
		if reply := s.calls[a.ID]; reply != nil {
			reply <- a
			delete(s.calls, a.ID)
		}
		s.mu.Unlock()
	}
}

func (s *surface) drop(conn *websocket.Conn) {
	conn.CloseNow()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != conn {
		return
	}
	s.conn = nil
	for id, reply := range s.calls {
		reply <- answer{Type: "error", Error: "the connection ended", Kind: fault.Unavailable, Hint: "connect again"}
		delete(s.calls, id)
	}
}

func (s *surface) Close() error {
	s.mu.Lock()
	conn := s.conn
	s.closed = true
	s.mu.Unlock()
	if conn != nil {
		s.drop(conn)
	}
	return nil
}
