package op

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"sync"

	"intercom/core/event"
	"intercom/core/fault"
)

// errStopping is why calls end when the registry closes.
var errStopping = fault.New(fault.Unavailable, "the peer is stopping").WithHint("call again when it runs")

// Registry is the list of operations of one peer, and the only way to call
// them. It implements [Caller].
type Registry struct {
	hub *event.Hub
	log *slog.Logger

	ops    []*Op // in the order in which they were added
	byName map[string]*Op

	mu     sync.Mutex
	closed bool
	calls  sync.WaitGroup
	stop   context.CancelCauseFunc
	life   context.Context
}

// NewRegistry makes an empty list.
func NewRegistry(hub *event.Hub, log *slog.Logger) *Registry {
	life, stop := context.WithCancelCause(context.Background())
	return &Registry{hub: hub, log: log, byName: map[string]*Op{}, life: life, stop: stop}
}

// Add appends operations, before the first call. A name that is taken is a bug
// and panics.
func (r *Registry) Add(ops ...*Op) {
	for _, o := range ops {
		if r.byName[o.info.Name] != nil {
			panic(fmt.Sprintf("operation %q is declared twice", o.info.Name))
		}
		r.byName[o.info.Name] = o
		r.ops = append(r.ops, o)
	}
}

// Ops lists the operations in the order in which they were added.
func (r *Registry) Ops() []Info {
	infos := make([]Info, len(r.ops))
	for i, o := range r.ops {
		infos[i] = o.info
	}
	return infos
}

// Call runs one operation: look up, access, validate, decode, run, encode.
func (r *Registry) Call(ctx context.Context, req Request) (reply Reply, err error) {
	o := r.byName[req.Name]
	if o == nil {
		return Reply{}, unknown(req.Name, r.Ops())
	}
	if o.info.Access > req.Grant {
		return Reply{}, fault.New(fault.Denied, "%q needs %s access, and this surface gives %s", req.Name, o.info.Access, req.Grant).
			WithHint("use a surface that allows it, or ask the operator of the peer")
	}
	params, err := o.check(req.Params)
	if err != nil {
		return Reply{}, err
	}
	ctx, done, err := r.enter(withClient(ctx, req.Client))
	if err != nil {
		return Reply{}, err
	}
	defer done()
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("an operation panicked", "op", req.Name, "panic", p, "stack", string(debug.Stack()))
			reply, err = Reply{}, fault.Of(fmt.Errorf("panic in %s", req.Name))
		}
	}()
	reply, err = o.run(ctx, params, req.Text)
	return reply, r.judge(ctx, req.Name, err)
}

// enter joins the calls in flight; its context ends with the registry.
func (r *Registry) enter(ctx context.Context) (context.Context, func(), error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil, nil, errStopping
	}
	r.calls.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(r.life, func() { cancel(errStopping) })
	return ctx, func() { unhook(); cancel(nil); r.calls.Done() }, nil
}

// judge gives the error as a fault. What is our own bug is logged here, once.
func (r *Registry) judge(ctx context.Context, name string, err error) error {
	if err == nil {
		return nil
	}
	f := fault.Of(err)
	if f.Kind == fault.Cancelled && errors.Is(context.Cause(ctx), errStopping) {
		return errStopping
	}
	if f.Kind == fault.Internal {
		r.log.Error("an operation went wrong", "op", name, "err", err)
	}
	return f
}

// Close refuses further calls, cancels those in flight and waits for them.
func (r *Registry) Close() {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop(errStopping)
	r.calls.Wait()
}

// Events waits for events behind the cursor.
func (r *Registry) Events(ctx context.Context, after event.Cursor, limit int) (event.Batch, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.life, cancel)()
	batch, err := r.hub.Read(ctx, after, limit)
	if err == nil && len(batch.Events) == 0 && r.life.Err() != nil {
		return batch, errStopping // or a reader in a loop would spin
	}
	return batch, err
}

// Now is the cursor behind the newest event.
func (r *Registry) Now(context.Context) (event.Cursor, error) { return r.hub.Now(), nil }

// unknown says which names come close.
func unknown(name string, infos []Info) error {
	f := fault.New(fault.Unknown, "no operation %q", name)
	var near []string
	for _, info := range infos {
		if close(name, info.Name) {
			near = append(near, info.Name)
		}
	}
	if len(near) == 0 {
		return f.WithHint("call `ops` for the list")
	}
	return f.WithHint("did you mean %s? `ops` gives the list", strings.Join(near, ", "))
}

// close tells whether two names share a word or most of their letters.
func close(a, b string) bool {
	for word := range strings.SplitSeq(strings.ToLower(a), "_") {
		for other := range strings.SplitSeq(b, "_") {
			if len(word) > 3 && strings.HasPrefix(other, word[:4]) {
				return true
			}
		}
	}
	return false
}
