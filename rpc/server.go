package rpc

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"intercom/core/fault"
	"intercom/core/op"
)

// The methods that are this package's own.
const (
	methodDiscover    = "rpc.discover"
	methodSubscribe   = "subscribe"
	methodUnsubscribe = "unsubscribe"
	methodCancel      = "$/cancelRequest"
	methodEvent       = "event" // a notification of ours
)

// bytesInFlight bounds the parameters of all calls in flight, in messages of
// the largest size.
const bytesInFlight = 16

// server runs the calls that Conn hands it. Handle is called by one goroutine.
type server struct {
	wire    *stream
	caller  op.Caller
	options Options
	log     *slog.Logger

	life  context.Context
	stop  context.CancelFunc
	gate  *gate
	order order
	reads map[string]bool // operations that only read
	feed  feed

	mu      sync.Mutex
	closing bool
	cancels map[uint64]context.CancelFunc // by ticket
	calls   sync.WaitGroup
}

func newServer(ctx context.Context, wire *stream, caller op.Caller, options Options) *server {
	life, stop := context.WithCancel(ctx)
	return &server{
		wire: wire, caller: caller, options: options, log: options.Log,
		life: life, stop: stop, gate: newGate(options.Calls, bytesInFlight*options.MaxBytes),
		cancels: map[uint64]context.CancelFunc{},
	}
}

// method runs one call and gives its result.
type method func(ctx context.Context, params json.RawMessage) (json.RawMessage, error)

// Handle starts the call of one ticket.
func (s *server) Handle(_ context.Context, conn *jsonrpc2.Conn, ticket *jsonrpc2.Request) {
	r := s.wire.find(ticket.ID.Num)
	if r == nil {
		return // it was given up at the end
	}
	if len(r.params) > 0 && r.params[0] == '[' {
		s.answer(conn, r, nil, fault.New(fault.Invalid, "the parameters of %q are positional", name(r.method)).
			WithHint("send them by name in an object"))
		return
	}
	switch r.method {
	case methodCancel: // at once, before anything that waits
		result, err := s.cancel(r.params)
		s.answer(conn, r, result, err)
	case methodDiscover:
		s.start(conn, r, false, s.discover)
	case methodSubscribe:
		s.start(conn, r, true, func(ctx context.Context, params json.RawMessage) (json.RawMessage, error) {
			return s.subscribe(ctx, conn, r, params)
		})
	case methodUnsubscribe:
		s.start(conn, r, true, s.unsubscribe)
	default:
		s.start(conn, r, !s.onlyReads(r.method), func(ctx context.Context, params json.RawMessage) (json.RawMessage, error) {
			reply, err := s.caller.Call(ctx, op.Request{Name: r.method, Params: params, Grant: s.options.Grant, Client: s.options.Client})
			return reply.Value, err
		})
	}
}

// name is a method as it may stand in a message: a hostile one is as long as a
// message may be.
func name(method string) string { return shown(json.RawMessage(method)) }

// onlyReads tells whether an operation needs no more than read access.
func (s *server) onlyReads(method string) bool {
	if len(s.reads) == 0 {
		s.reads = map[string]bool{}
		for _, info := range s.caller.Ops() {
			s.reads[info.Name] = info.Access == op.Read
		}
	}
	return s.reads[method]
}

// start runs a call in a goroutine of its own and answers it.
func (s *server) start(conn *jsonrpc2.Conn, r *request, writes bool, run method) {
	size := len(r.params)
	if !s.gate.enter(size) {
		s.answer(conn, r, nil, fault.New(fault.Limited, "%d calls are in flight", s.options.Calls).
			WithHint("wait for answers, or cancel calls with %s", methodCancel))
		return
	}
	ctx, cancel, ok := s.enter(r.ticket)
	if !ok {
		s.gate.leave(size)
		s.answer(conn, r, nil, fault.New(fault.Unavailable, "the connection is ending").WithHint("open another one"))
		return
	}
	turn := s.order.queue(writes)
	go func() {
		defer s.calls.Done()
		defer s.gate.leave(size)
		defer s.leave(r.ticket, cancel)
		turn.wait(ctx.Done())
		result, err := s.guard(ctx, r, run)
		s.answer(conn, r, result, err)
		if r.then != nil {
			r.then()
		}
		turn.end()
	}()
}

// enter registers a call, unless the server is ending.
func (s *server) enter(ticket uint64) (context.Context, context.CancelFunc, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing {
		return nil, nil, false
	}
	s.calls.Add(1)
	ctx, cancel := context.WithCancel(s.life)
	s.cancels[ticket] = cancel
	return ctx, cancel, true
}

func (s *server) leave(ticket uint64, cancel context.CancelFunc) {
	cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cancels, ticket)
}

// guard runs a call so that a panic costs nothing but this call.
func (s *server) guard(ctx context.Context, r *request, run method) (result json.RawMessage, err error) {
	defer func() {
		if p := recover(); p != nil {
			s.log.Error("a call panicked", "method", name(r.method), "panic", p, "stack", string(debug.Stack()))
			result, err = nil, fmt.Errorf("panic in %q", r.method)
		}
	}()
	if err := ctx.Err(); err != nil {
		return nil, err // cancelled before its turn
	}
	return run(ctx, r.params)
}

// answer hands the result of a call to Conn.
func (s *server) answer(conn *jsonrpc2.Conn, r *request, result json.RawMessage, err error) {
	response := &jsonrpc2.Response{ID: jsonrpc2.ID{Num: r.ticket}}
	switch {
	case err != nil:
		response.Error = failure(err)
	case len(result) == 0:
		response.Result = &null
	default:
		response.Result = &result
	}
	if err := conn.SendResponse(s.life, response); err != nil {
		s.log.Debug("an answer could not be written", "method", name(r.method), "err", err)
	}
}

// cancel ends the call with an id. The call is still answered.
func (s *server) cancel(params json.RawMessage) (json.RawMessage, error) {
	var in struct {
		ID json.RawMessage `json:"id"`
	}
	if err := closed(params, &in); err != nil || len(in.ID) == 0 {
		return nil, fault.New(fault.Invalid, "%s needs the id of a request", methodCancel).WithHint(`send {"id": 7}`)
	}
	ticket, found := s.wire.inFlight(in.ID)
	if found {
		s.mu.Lock()
		if cancel := s.cancels[ticket]; cancel != nil {
			cancel()
		}
		s.mu.Unlock()
	}
	return fmt.Appendf(nil, `{"cancelled":%t}`, found), nil
}

// finish lets the calls in flight end, cancels what is left after linger, and
// answers for what even then does not end.
func (s *server) finish(linger time.Duration) {
	s.mu.Lock()
	s.closing = true
	s.mu.Unlock()
	idle := s.idle()
	if !waitFor(idle, linger) {
		s.stop()
		if !waitFor(idle, graceful) {
			s.giveUp()
		}
	}
	s.stop()
}

// idle is closed when no call is left. The server must be closing.
func (s *server) idle() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.calls.Wait()
	}()
	return done
}

// giveUp answers the calls that ignore their cancellation.
func (s *server) giveUp() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, ticket := range s.wire.waiting() {
			s.wire.answer(ticket, nil, failure(context.Canceled)) //nolint:errcheck // the connection ends anyway
		}
	}()
	waitFor(done, graceful)
}

// settled waits, though not for ever, until all that was started has ended.
func (s *server) settled() {
	waitFor(s.idle(), graceful)
	waitFor(s.feed.idle(), graceful)
}
