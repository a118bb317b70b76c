package mcp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	protocol "github.com/mark3labs/mcp-go/mcp"
)

// Bounds of one stdio client. Longer messages are answered with an error and
// skipped, more requests at a time are refused.
const (
	maxMessage  = 4 << 20
	maxInFlight = 256
	maxBatch    = 256
)

// ServeStdio speaks MCP with one client: a JSON object per line on in, answers
// and notifications on out, nothing else. It returns nil when in or ctx ends,
// after the requests in flight were answered; those that take longer than a few
// seconds then are cancelled.
//
// In is closed when ctx ends and out when it takes nothing more, if they can be.
// A read or write that closing cannot wake, such as a read of a terminal, is not
// waited for: it ends with the process.
func (s *Server) ServeStdio(ctx context.Context, in io.Reader, out io.Writer) error {
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	u := newUpdates(s)
	c := newConn(life, s, u, out)
	ended := make(chan error, 1)
	go func() { ended <- c.serve(newLines(in, maxMessage)) }()
	background := together(func() { u.run(life) }, func() { c.forward(life) })

	err := c.wait(ctx, in, ended)
	u.hangUp()
	if !c.drain(s.grace) {
		stop() // they had their time
		if !c.drain(patience) {
			closeIt(out) // nobody reads the answers
			c.drain(patience)
		}
	}
	stop()
	within(patience, background)
	return err
}

// patience is how long something is waited for that only a blocked system call
// can keep from ending.
const patience = time.Second

// wait returns when the input ends, the output breaks or ctx ends.
func (c *conn) wait(ctx context.Context, in io.Reader, ended chan error) error {
	select {
	case err := <-ended:
		if ctx.Err() != nil {
			return nil // somebody closed in at the same time
		}
		return err
	case <-c.broken:
		closeIt(in)
		within(patience/10, ended)
		return fmt.Errorf("writing to the client: %w", c.failure)
	case <-ctx.Done():
		closeIt(in)
		within(patience/10, ended)
		return nil
	}
}

// serve reads and dispatches until the input ends.
func (c *conn) serve(in *lines) error {
	for {
		line, whole, err := in.next()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrClosedPipe) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading from the client: %w", err)
		}
		if !whole {
			c.write(problem(idWithin(line), protocol.INVALID_REQUEST, fmt.Sprintf("a message may have %d bytes", maxMessage)))
			continue
		}
		c.accept(line)
	}
}

// together runs functions side by side; the channel is closed when all have
// ended.
func together(functions ...func()) <-chan error {
	var running sync.WaitGroup
	for _, f := range functions {
		running.Go(f)
	}
	ended := make(chan error)
	go func() {
		running.Wait()
		close(ended)
	}()
	return ended
}

func within(limit time.Duration, ended <-chan error) {
	select {
	case <-ended:
	case <-time.After(limit):
	}
}

func closeIt(v any) {
	if closer, ok := v.(io.Closer); ok {
		_ = closer.Close() // it is given up anyway
	}
}
