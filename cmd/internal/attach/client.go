package attach

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

// dialTime bounds connecting and greeting.
const dialTime = 2 * time.Second

// afterCancel is how long a cancelled call waits to hear what became of it.
const afterCancel = time.Second

// gone is what calls get when the host has ended.
var gone = fault.New(fault.Unavailable, "the process that held the peer has ended").
	WithHint("call again, with the same key if it writes: another process takes the peer over within 2 s")

// errUnsent marks a call that the host cannot have seen.
var errUnsent = fmt.Errorf("not sent: %w", gone)

// Client is a peer in another process. It implements [op.Caller].
type Client struct {
	conn     net.Conn
	instance string
	ops      []op.Info
	places   chan struct{} // one token per request in flight

	writing sync.Mutex

	mu      sync.Mutex
	number  uint64
	pending map[uint64]chan answer // nil once the host has ended
	done    chan struct{}
}

// answer is what came back for one request.
type answer struct {
	head header
	body []byte
}

// Dial attaches to the peer that runs on the store at dir. A peer of another
// protocol version gives [fault.Conflict]; everything else that is in the way,
// such as files of a host that has ended, gives [fault.Unavailable].
//
// The client reads in a goroutine of its own until [Client.Close].
func Dial(ctx context.Context, dir string) (*Client, error) {
	at, err := readAddress(dir)
	if err != nil {
		return nil, nobody(dir, err)
	}
	if at.Protocol != Protocol {
		return nil, otherProtocol(at.Protocol)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "unix", at.Socket)
	if err != nil {
		return nil, nobody(dir, err)
	}
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })() //nolint:errcheck // a dead connection shows at once
	c := &Client{
		conn: conn, places: make(chan struct{}, callLimit),
		pending: map[uint64]chan answer{}, done: make(chan struct{}),
	}
	r := bufio.NewReader(conn)
	if err := c.greet(r, at.Token); err != nil {
		conn.Close() //nolint:errcheck // the first error tells more
		if fault.KindOf(err) == fault.Conflict {
			return nil, err
		}
		return nil, nobody(dir, err)
	}
	go c.receive(r) // ends with the connection; Close waits
	return c, nil
}

func nobody(dir string, err error) error {
	return fault.New(fault.Unavailable, "no peer answers on the store %s: %w", dir, err).WithHint("start one with `intercom run`")
}

// greet shows the token and learns the operations.
func (c *Client) greet(r *bufio.Reader, token string) error {
	frame, err := encodeFrame(header{Hello: &hello{Protocol: Protocol, Token: token}}, nil)
	if err != nil {
		return err
	}
	if _, err := c.conn.Write(frame); err != nil {
		return err
	}
	head, body, err := readFrame(r, answerLimit)
	switch {
	case err != nil:
		return err
	case head.Fault != nil:
		return head.Fault
	case head.Welcome == nil:
		return errors.New("the host does not answer the greeting")
	case head.Welcome.Protocol != Protocol:
		return otherProtocol(head.Welcome.Protocol)
	}
	c.instance = head.Welcome.Instance
	return json.Unmarshal(body, &c.ops)
}

// receive hands answers to those who wait, until the connection ends.
func (c *Client) receive(r *bufio.Reader) {
	for {
		head, body, err := readFrame(r, answerLimit)
		if err != nil {
			break
		}
		c.mu.Lock()
		to := c.pending[head.ID]
		delete(c.pending, head.ID)
		c.mu.Unlock()
		if to != nil {
			to <- answer{head, body} // it holds one
		}
	}
	c.conn.Close() //nolint:errcheck // it has ended
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, to := range c.pending {
		close(to)
	}
	c.pending = nil
	close(c.done)
}

// Done is closed when the host has ended or Close was called.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close detaches. Calls in flight get `unavailable`.
func (c *Client) Close() error {
	err := c.conn.Close()
	<-c.done
	if errors.Is(err, net.ErrClosed) {
		err = nil // the host was faster
	}
	return err
}

// Instance names the run of the peer, as in event cursors.
func (c *Client) Instance() string { return c.instance }

// Ops lists the operations as the host told them when it was dialled.
func (c *Client) Ops() []op.Info { return append([]op.Info{}, c.ops...) }

// Call runs one operation on the host.
func (c *Client) Call(ctx context.Context, req op.Request) (op.Reply, error) {
	a, err := c.ask(ctx, header{Call: &call{Name: req.Name, Grant: int(req.Grant), Client: req.Client, Text: req.Text}}, req.Params)
	if err != nil {
		return op.Reply{}, err
	}
	return op.Reply{Value: a.body, Text: a.head.Text}, nil
}

// Events waits for events behind the cursor, as [event.Hub.Read].
func (c *Client) Events(ctx context.Context, after event.Cursor, limit int) (event.Batch, error) {
	batch := event.Batch{Events: []event.Event{}, Next: after}
	a, err := c.ask(ctx, header{Read: &read{After: after, Limit: limit}}, nil)
	if fault.KindOf(err) == fault.Cancelled && ctx.Err() != nil {
		return batch, nil
	}
	if err != nil {
		return event.Batch{}, err
	}
	if err := json.Unmarshal(a.body, &batch); err != nil {
		return event.Batch{}, fmt.Errorf("attach: events: %w", err)
	}
	return batch, nil
}

// Now is the cursor behind the newest event.
func (c *Client) Now(ctx context.Context) (event.Cursor, error) {
	a, err := c.ask(ctx, header{Now: true}, nil)
	return a.head.Cursor, err
}

// Release tells the host that a client name is not called under any more. It
// does not wait.
func (c *Client) Release(client string) {
	c.write(header{Left: &leaving{Client: client}}, nil) //nolint:errcheck // a host that has ended knows
}

// ask sends one request and waits for its answer.
func (c *Client) ask(ctx context.Context, head header, body []byte) (answer, error) {
	if len(body) > requestLimit-greetingLimit {
		return answer{}, fault.New(fault.Limited, "the parameters have %d bytes, more than %d", len(body), requestLimit-greetingLimit).
			WithHint("send less in one call")
	}
	select {
	case c.places <- struct{}{}:
		defer func() { <-c.places }()
	case <-ctx.Done():
		return answer{}, fault.Of(ctx.Err())
	}
	id, to := c.expect()
	if to == nil {
		return answer{}, errUnsent
	}
	head.ID = id
	if err := c.write(head, body); err != nil {
		c.forget(id)
		return answer{}, err
	}
	return c.await(ctx, id, to)
}

// expect registers a request. The channel is nil when the host has ended.
func (c *Client) expect() (uint64, chan answer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pending == nil {
		return 0, nil
	}
	c.number++
	to := make(chan answer, 1)
	c.pending[c.number] = to
	return c.number, to
}

func (c *Client) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.pending, id)
}

// await waits for an answer. When ctx ends, the host is told, and gets a moment
// to say what became of the call.
func (c *Client) await(ctx context.Context, id uint64, to chan answer) (answer, error) {
	select {
	case a, ok := <-to:
		return settled(a, ok)
	case <-ctx.Done():
	}
	c.write(header{ID: id, Cancel: true}, nil) //nolint:errcheck // a host that has ended cancels anyway
	timer := time.NewTimer(afterCancel)
	defer timer.Stop()
	select {
	case a, ok := <-to:
		return settled(a, ok)
	case <-timer.C:
		c.forget(id)
		return answer{}, fault.Of(ctx.Err())
	}
}

func settled(a answer, ok bool) (answer, error) {
	switch {
	case !ok:
		return answer{}, gone
	case a.head.Fault != nil:
		return answer{}, a.head.Fault
	}
	return a, nil
}

// write sends one frame. A host that does not take it in time counts as ended.
func (c *Client) write(head header, body []byte) error {
	frame, err := encodeFrame(head, body)
	if err != nil {
		return err
	}
	if len(frame) > requestLimit {
		return fault.New(fault.Limited, "the call has %d bytes, more than %d", len(frame), requestLimit).WithHint("send less in one call")
	}
	c.writing.Lock()
	defer c.writing.Unlock()
	c.conn.SetWriteDeadline(time.Now().Add(writeTime)) //nolint:errcheck // a dead connection shows at once
	n, err := c.conn.Write(frame)
	if err == nil {
		return nil
	}
	c.conn.Close() //nolint:errcheck // half a frame may be out
	if n == 0 {
		return errUnsent
	}
	return gone
}
