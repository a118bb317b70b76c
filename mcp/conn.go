package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	protocol "github.com/mark3labs/mcp-go/mcp"
	engine "github.com/mark3labs/mcp-go/server"
)

// errCancelled is why a request ends that its client has cancelled. MCP wants
// no answer then.
var errCancelled = errors.New("cancelled by the client")

// conn is one stdio client: its session, its requests, its output.
type conn struct {
	life    context.Context // of the requests
	machine *engine.MCPServer
	session *session
	log     *slog.Logger

	writing sync.Mutex
	out     io.Writer
	failure error         // why broken is closed
	broken  chan struct{} // closed when out took an error

	mu      sync.Mutex
	ids     map[string]context.CancelCauseFunc // requests that run, by id as the client wrote it
	work    int                                // requests whose answers are not written yet
	closing bool
	idle    chan struct{} // closed when closing and there is no work
}

func newConn(life context.Context, s *Server, u *updates, out io.Writer) *conn {
	c := &conn{
		life: life, machine: s.engine(u), session: newSession(), log: s.log,
		out: out, broken: make(chan struct{}),
		ids: map[string]context.CancelCauseFunc{}, idle: make(chan struct{}),
	}
	u.inbox = func(string) func(string) bool {
		return func(uri string) bool { return notify(c.session, uri, nil) }
	}
	return c
}

// request is one message that wants an answer.
type request struct {
	ctx     context.Context
	id      json.RawMessage
	message json.RawMessage
}

// accept takes one line: a message, or a batch of them as revision 2025-03-26
// has it. It does not wait for requests, but writes refusals itself: a client
// that reads no answers is not read from either.
func (c *conn) accept(line []byte) {
	if !json.Valid(line) {
		c.write(problem(nil, protocol.PARSE_ERROR, "the message is not JSON"))
		return
	}
	if line[0] == '[' {
		c.acceptBatch(line)
		return
	}
	r, refusal := c.begin(line)
	switch {
	case refusal != nil:
		c.write(refusal)
	case r != nil:
		go func() {
			defer c.leave(1)
			if answer := c.answer(r); answer != nil {
				c.write(answer)
			}
		}()
	}
}

func (c *conn) acceptBatch(line []byte) {
	var messages []json.RawMessage
	if json.Unmarshal(line, &messages) != nil || len(messages) == 0 || len(messages) > maxBatch {
		c.write(problem(nil, protocol.INVALID_REQUEST, fmt.Sprintf("a batch has 1 to %d messages", maxBatch)))
		return
	}
	var requests []*request
	answers := make([]protocol.JSONRPCMessage, 0, len(messages))
	for _, message := range messages {
		r, refusal := c.begin(message)
		if r != nil {
			requests = append(requests, r)
		}
		if refusal != nil {
			answers = append(answers, refusal)
		}
	}
	if len(requests) == 0 {
		c.writeBatch(answers)
		return
	}
	go func() {
		defer c.leave(len(requests))
		results := make([]protocol.JSONRPCMessage, len(requests))
		var running sync.WaitGroup
		for i, r := range requests {
			running.Go(func() { results[i] = c.answer(r) })
		}
		running.Wait()
		for _, result := range results {
			if result != nil {
				answers = append(answers, result)
			}
		}
		c.writeBatch(answers)
	}()
}

// begin reads one message: a request that is now counted in, or a refusal, or
// nothing that wants an answer.
func (c *conn) begin(message json.RawMessage) (*request, protocol.JSONRPCMessage) {
	var m struct {
		ID     json.RawMessage `json:"id"`
		Method json.RawMessage `json:"method"`
	}
	switch err := json.Unmarshal(message, &m); {
	case err != nil:
		return nil, problem(nil, protocol.INVALID_REQUEST, "a message is a JSON object")
	case m.Method == nil && m.ID != nil:
		return nil, nil // an answer, but we ask nothing
	case m.Method == nil:
		return nil, problem(nil, protocol.INVALID_REQUEST, "the message has no method")
	case m.ID == nil:
		c.notified(message, m.Method)
		return nil, nil
	case m.ID[0] != '"' && m.ID[0] != '-' && (m.ID[0] < '0' || m.ID[0] > '9'):
		return nil, problem(nil, protocol.INVALID_REQUEST, "an id is a text or a number")
	case m.Method[0] != '"':
		return nil, problem(m.ID, protocol.INVALID_REQUEST, "the method is not a text")
	}
	ctx, err := c.enter(m.ID)
	if err != nil {
		return nil, problem(m.ID, protocol.INVALID_REQUEST, err.Error())
	}
	return &request{ctx: ctx, id: m.ID, message: message}, nil
}

// enter counts a request in. Its context ends when the client cancels it.
func (c *conn) enter(id json.RawMessage) (context.Context, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch _, twice := c.ids[string(id)]; {
	case c.closing:
		return nil, errors.New("the server is stopping")
	case twice:
		return nil, fmt.Errorf("the id %s belongs to a request that is not answered yet", id)
	case c.work >= maxInFlight:
		return nil, fmt.Errorf("%d requests wait for answers already; wait for some", maxInFlight)
	}
	ctx, cancel := context.WithCancelCause(c.life)
	c.ids[string(id)] = cancel
	c.work++
	return context.WithValue(ctx, hangUpKey{}, context.CancelFunc(func() { cancel(nil) })), nil
}

// leave counts requests out whose answers are written.
func (c *conn) leave(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.work -= n
	if c.closing && c.work == 0 {
		close(c.idle)
	}
}

// drain admits no more requests and waits for the answers.
func (c *conn) drain(grace time.Duration) bool {
	c.mu.Lock()
	if !c.closing {
		c.closing = true
		if c.work == 0 {
			close(c.idle)
		}
	}
	c.mu.Unlock()
	select {
	case <-c.idle:
		return true
	case <-time.After(grace):
		return false
	}
}

// answer runs one request through the protocol machine. The id is free again
// before the answer is written, as the client may reuse it at once. A request
// that its client cancelled has no answer.
func (c *conn) answer(r *request) (answer protocol.JSONRPCMessage) {
	defer func() {
		if p := recover(); p != nil {
			c.log.Error("mcp: a request panicked", "panic", p, "stack", string(debug.Stack()))
			answer = problem(r.id, protocol.INTERNAL_ERROR, "internal error")
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if errors.Is(context.Cause(r.ctx), errCancelled) {
			answer = nil
		}
		c.ids[string(r.id)](nil)
		delete(c.ids, string(r.id))
	}()
	switch a := c.machine.HandleMessage(c.machine.WithContext(r.ctx, c.session), r.message).(type) {
	case protocol.JSONRPCResponse:
		a.ID = protocol.NewRequestId(r.id) // to the digit, which the machine loses
		return a
	case protocol.JSONRPCError:
		a.ID = protocol.NewRequestId(r.id)
		return a
	default:
		return problem(r.id, protocol.INTERNAL_ERROR, "internal error")
	}
}

// notified takes a notification. Cancelling is done here, because the machine
// cannot tell the id 1 from the id "1".
func (c *conn) notified(message, method json.RawMessage) {
	if string(method) != `"notifications/cancelled"` {
		c.machine.HandleMessage(c.machine.WithContext(c.life, c.session), message)
		return
	}
	var m struct {
		Params struct {
			RequestID json.RawMessage `json:"requestId"`
		} `json:"params"`
	}
	if json.Unmarshal(message, &m) != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if cancel := c.ids[string(m.Params.RequestID)]; cancel != nil {
		cancel(errCancelled)
	}
}
