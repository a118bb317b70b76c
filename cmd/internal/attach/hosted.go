package attach

import (
	"context"
	"encoding/json"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
)

// hosted is one attached process, seen from the host.
type hosted struct {
	host *Host
	conn net.Conn
	name string

	writing sync.Mutex

	mu      sync.Mutex
	cancels map[uint64]context.CancelFunc // of the requests in flight
	names   map[string]bool               // client names that were called under
	calls   sync.WaitGroup
	ending  atomic.Bool // the host ends: what is cancelled now, is so by us
}

func newHosted(h *Host, conn net.Conn, name string) *hosted {
	return &hosted{host: h, conn: conn, name: name, cancels: map[uint64]context.CancelFunc{}, names: map[string]bool{}}
}

// grace is how long calls in flight may go on when the host ends, and how long
// their answers may take after it.
const grace = 250 * time.Millisecond

// serve answers one process until its connection or the host ends. Then its
// calls are cancelled and its names released.
func (c *hosted) serve(ctx context.Context) {
	log := c.host.log.With("client", c.name)
	if err := c.greet(ctx); err != nil {
		log.Debug("a process was not attached", "err", err)
		return
	}
	log.Debug("a process attached")
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	unhook := context.AfterFunc(ctx, func() { c.conn.SetReadDeadline(time.Unix(1, 0)) }) //nolint:errcheck // a dead connection shows at once
	err := c.read(life)
	unhook()
	idle := make(chan struct{})
	go func() { c.calls.Wait(); close(idle) }()
	if ctx.Err() != nil {
		c.waitFor(idle)
		c.ending.Store(true)
	}
	cancel()
	c.waitFor(idle)
	c.conn.Close() //nolint:errcheck // nothing is left to be sent
	<-idle
	for name := range c.names {
		c.release(name)
	}
	log.Debug("a process detached", "because", err)
}

// greet asks for the token, and closes the connection when it is not shown.
func (c *hosted) greet(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { c.conn.Close() })() //nolint:errcheck // it was not spoken to
	err := c.host.greet(c.conn)
	if err != nil {
		c.conn.Close() //nolint:errcheck // nothing was asked
	}
	return err
}

// waitFor waits for the end of the calls, though not for long.
func (c *hosted) waitFor(idle <-chan struct{}) {
	timer := time.NewTimer(grace)
	defer timer.Stop()
	select {
	case <-idle:
	case <-timer.C:
	}
}

func (c *hosted) release(name string) {
	if c.host.peer.Release != nil {
		c.host.peer.Release(name)
	}
}

// read starts what is asked for, until the connection ends.
func (c *hosted) read(ctx context.Context) error {
	for {
		head, body, err := readFrame(c.conn, requestLimit)
		if err != nil {
			return err
		}
		switch {
		case head.Cancel:
			c.mu.Lock()
			if cancel := c.cancels[head.ID]; cancel != nil {
				cancel()
			}
			c.mu.Unlock()
		case head.Left != nil:
			c.leave(head.Left.Client)
		default:
			c.start(ctx, head, body)
		}
	}
}

func (c *hosted) leave(client string) {
	name := qualified(c.name, client)
	c.mu.Lock()
	known := c.names[name]
	delete(c.names, name)
	c.mu.Unlock()
	if known {
		c.release(name)
	}
}

// start runs one request in a goroutine of its own.
func (c *hosted) start(ctx context.Context, head header, body []byte) {
	ctx, done, refusal := c.enter(ctx, head)
	if refusal != nil {
		c.write(header{ID: head.ID, Fault: refusal}, nil)
		return
	}
	c.calls.Go(func() {
		defer done()
		answer, value := c.run(ctx, head, body)
		answer.ID = head.ID
		c.write(answer, value)
	})
}

// enter registers a request, within the bounds.
func (c *hosted) enter(ctx context.Context, head header) (context.Context, func(), *fault.Error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.cancels) >= callLimit {
		return nil, nil, fault.New(fault.Limited, "%d calls are in flight", callLimit).WithHint("wait for answers")
	}
	if c.cancels[head.ID] != nil {
		return nil, nil, fault.New(fault.Invalid, "request %d is in flight", head.ID)
	}
	if head.Call != nil {
		name := qualified(c.name, head.Call.Client)
		if !c.names[name] && len(c.names) >= nameLimit {
			return nil, nil, fault.New(fault.Limited, "%d clients call through one process", nameLimit).WithHint("end some of them")
		}
		c.names[name] = true
	}
	ctx, cancel := context.WithCancel(ctx)
	c.cancels[head.ID] = cancel
	return ctx, func() {
		cancel()
		c.mu.Lock()
		delete(c.cancels, head.ID)
		c.mu.Unlock()
	}, nil
}

// run does what is asked for.
func (c *hosted) run(ctx context.Context, head header, body []byte) (answer header, value []byte) {
	caller := c.host.peer.Caller
	var err error
	switch {
	case head.Call != nil:
		var reply op.Reply
		reply, err = caller.Call(ctx, op.Request{
			Name: head.Call.Name, Params: body, Grant: access(head.Call.Grant),
			Client: qualified(c.name, head.Call.Client), Text: head.Call.Text,
		})
		answer.Text, value = reply.Text, reply.Value
	case head.Read != nil:
		batch, readErr := caller.Events(ctx, head.Read.After, head.Read.Limit)
		if err = readErr; err == nil {
			value, err = json.Marshal(batch)
		}
	case head.Now:
		answer.Cursor, err = caller.Now(ctx)
	default:
		err = fault.New(fault.Invalid, "the request asks for nothing")
	}
	if err == nil {
		return answer, value
	}
	f := fault.Of(err)
	if f.Kind == fault.Cancelled && c.ending.Load() {
		f = gone
	}
	return header{Fault: f}, nil
}

// write sends one answer. A process that does not read in time is cut off: it
// would otherwise hold what its calls hold.
func (c *hosted) write(answer header, value []byte) {
	frame, err := encodeFrame(answer, value)
	if err != nil || len(frame) > answerLimit {
		frame, _ = encodeFrame(header{ID: answer.ID, Fault: fault.New(fault.Limited, "the answer has %d bytes, more than %d", len(frame), answerLimit).
			WithHint("ask for less at once")}, nil)
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(writeTime)) //nolint:errcheck // a dead connection shows at once
	if _, err := c.conn.Write(frame); err != nil {
		c.conn.Close() //nolint:errcheck // half an answer may be out
	}
}

// encodeOps writes the list of operations as it goes over the socket.
func encodeOps(ops []op.Info) ([]byte, error) { return json.Marshal(ops) }
