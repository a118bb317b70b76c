package feed

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"time"

	"intercom/core/fault"
)

// messageTime is how long one message may take to come or go. Too low and slow
// links never sync; too high and a silent peer holds a stream.
const messageTime = 60 * time.Second

// conn is one end of a sync stream.
type conn struct {
	ctx     context.Context
	rw      io.ReadWriter
	in      bytes.Buffer // the message read last
	moved   int64        // bytes sent and received
	entries int64        // of these, in entries
}

// deadliner is a stream whose calls can be ended from outside.
type deadliner interface{ SetDeadline(time.Time) error }

// dial makes one end. A stream with SetDeadline, or else Close, ends with ctx;
// a plain one ends when its reads and writes do. stop must be called.
func dial(ctx context.Context, rw io.ReadWriter) (c *conn, stop func()) {
	c = &conn{ctx: ctx, rw: rw}
	release := context.AfterFunc(ctx, func() {
		switch s := rw.(type) {
		case deadliner:
			_ = s.SetDeadline(time.Unix(1, 0)) // a stream that is gone is interrupted too
		case io.Closer:
			_ = s.Close()
		}
	})
	return c, func() {
		if d, ok := rw.(deadliner); ok && release() {
			_ = d.SetDeadline(time.Time{}) // a stream that is gone needs none
		}
	}
}

// allow gives the next message its time.
func (c *conn) allow() error {
	if d, ok := c.rw.(deadliner); ok {
		_ = d.SetDeadline(time.Now().Add(messageTime)) // a stream that is gone says so when it is used
	}
	return c.ctx.Err()
}

// lost is the fault of a stream that broke.
func (c *conn) lost(err error) error {
	if c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	return fault.New(fault.Unavailable, "the stream broke: %w", err).
		WithHint("sync again when the peer is there; what came is kept")
}

func (c *conn) send(m message) error {
	w := &encoder{out: make([]byte, 4, 256)}
	w.byte(m.kind())
	m.encode(w)
	binary.BigEndian.PutUint32(w.out, uint32(len(w.out)-4))
	if err := c.allow(); err != nil {
		return err
	}
	n, err := c.rw.Write(w.out)
	c.moved += int64(n)
	if err != nil {
		return c.lost(err)
	}
	return nil
}

// receive reads one message. io.EOF means that the stream ended between two.
// What the message holds of bytes is valid until the next.
func (c *conn) receive() (message, error) {
	if err := c.allow(); err != nil {
		return nil, err
	}
	var prefix [4]byte
	if n, err := io.ReadFull(c.rw, prefix[:]); err != nil {
		if n == 0 && errors.Is(err, io.EOF) && c.ctx.Err() == nil {
			return nil, io.EOF
		}
		return nil, c.lost(err)
	}
	size := binary.BigEndian.Uint32(prefix[:])
	if size == 0 || size > maxMessage {
		return nil, broke("a message of %d bytes", size)
	}
	// The buffer grows as bytes come, not as they are promised.
	c.in.Reset()
	n, err := io.CopyN(&c.in, c.rw, int64(size))
	c.moved += n + int64(len(prefix))
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, c.lost(err)
	}
	raw := c.in.Bytes()
	return decodeMessage(raw[0], raw[1:])
}

// ask sends a request and reads its answer; a failure is an error.
func (c *conn) ask(m message) (message, error) {
	if err := c.send(m); err != nil {
		return nil, err
	}
	reply, err := c.receive()
	switch {
	case errors.Is(err, io.EOF):
		return nil, c.lost(io.ErrUnexpectedEOF)
	case err != nil:
		return nil, err
	}
	if failed, ok := reply.(failure); ok {
		return nil, fault.New(failed.why, "the other peer says %q", failed.text).
			WithHint("it does not go on with this stream")
	}
	return reply, nil
}

// refuse tells the other peer why the stream ends, as far as that is its
// business, and returns err.
func (c *conn) refuse(err error) error {
	f := fault.Of(err)
	m := failure{f.Kind, f.Message}
	if f.Kind == fault.Unavailable || f.Kind == fault.Internal || f.Kind == fault.Cancelled {
		m.text = "it cannot serve now"
	}
	m.text = m.text[:min(len(m.text), maxText)]
	_ = c.send(m) // the stream ends anyway
	return err
}
