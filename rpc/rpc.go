// Package rpc is the JSON-RPC 2.0 surface over a pair of byte streams, in
// practice standard input and output of a process that a client spawned.
//
// Methods are the operations of an [op.Caller], with parameters by name.
// Beside them stand rpc.discover (an OpenRPC document), subscribe and
// unsubscribe (notifications called "event"), and $/cancelRequest.
//
// It guarantees:
//
//   - Nothing but protocol is written to the output.
//   - Every request gets exactly one answer, also when it is nonsense, too
//     large, cancelled, or still running when the input ends. The answer
//     carries the id as it was written: 0, "", -1, 1.5, null, any digits.
//   - Broken input (-32700, -32600) is answered and reading goes on at the next
//     message. Memory is bounded by [Options] whatever arrives.
//   - Order: a call starts after the writing calls read before it have ended,
//     so a script may send its lines at once. Calls that only read run side by
//     side. One slow call holds the others for at most two seconds.
//
// Two answers of ours need a word. A request that repeats an id still in flight
// is refused with id null, because an answer with that id belongs to the first
// one. An oversize message is refused with -32600 and id null as soon as it
// passes the limit; its rest is read and thrown away.
//
// The dispatch loop is sourcegraph/jsonrpc2's Conn on an ObjectStream of ours.
// Conn knows only unsigned and string ids, ends at the first broken message,
// and takes parameters apart and builds them again, which loses their order
// and repeated members. So the stream keeps ids, parameters and batches, and
// Conn sees a ticket number and a method.
//
// What operations exist, who may call them and whether parameters are valid is
// the caller's affair, as is what an operation does.
package rpc

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"intercom/core/op"
)

// Framing is how messages are told apart in the byte streams.
type Framing string

// The framings.
const (
	Lines         Framing = "line"           // one JSON text per line
	ContentLength Framing = "content-length" // headers, an empty line, a body, as language servers speak
)

// ParseFraming reads the name of a framing, as a flag gives it.
func ParseFraming(name string) (Framing, error) {
	switch f := Framing(name); f {
	case Lines, ContentLength:
		return f, nil
	}
	return "", fmt.Errorf("framing %q is neither %q nor %q", name, Lines, ContentLength)
}

// Options adjust [Serve]. The zero value is useful.
type Options struct {
	Framing Framing // [Lines] if left out

	// MaxBytes bounds one message. Too low and long texts are refused; too high
	// and a broken client costs that much memory. 0 means 4 MiB.
	MaxBytes int

	// Calls bounds how many calls run or wait at once. When all are taken,
	// reading pauses for a second, and then calls are answered `limited` until
	// one is free. 0 means 256.
	Calls int

	// Linger is how long calls in flight may go on after the input or ctx has
	// ended. Too low and the last answers of a script become `cancelled`; too
	// high and a peer whose client died stays that long. 0 means 5 s.
	Linger time.Duration

	Grant   op.Access    // what calls may do; 0 means [op.Admin], and more is never given
	Client  string       // the name calls are made under; "rpc" if left out
	Version string       // of this peer, told by rpc.discover
	Log     *slog.Logger // nil discards
}

func (o Options) withDefaults() Options {
	if o.Framing == "" {
		o.Framing = Lines
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 20
	}
	if o.Calls <= 0 {
		o.Calls = 256
	}
	if o.Linger <= 0 {
		o.Linger = 5 * time.Second
	}
	if o.Grant == 0 || o.Grant > op.Admin {
		o.Grant = op.Admin
	}
	if o.Client == "" {
		o.Client = "rpc"
	}
	if o.Version == "" {
		o.Version = "0"
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// How long Serve waits, at its end, for what cannot be hurried along.
const (
	graceful = time.Second            // a cancelled call, a write
	letGo    = 100 * time.Millisecond // a read whose input was closed
)

// Serve answers the requests on in until in or ctx ends. Calls in flight get
// their answers first: they may go on for Options.Linger, and what still runs
// then is cancelled and answered so.
//
// At its end Serve closes in and out, if they can be closed, and all that it
// started has ended. Left behind is only what cannot be ended: a read or write
// that the operating system does not let go (a terminal, an inherited pipe),
// and after a second an operation that ignores its cancellation.
//
// The error is nil when in or ctx ended, otherwise why out could not be
// written or in not be read.
func Serve(ctx context.Context, in io.Reader, out io.Writer, caller op.Caller, options Options) error {
	options = options.withDefaults()
	wire := newStream(in, out, options)
	s := newServer(context.WithoutCancel(ctx), wire, caller, options)
	conn := jsonrpc2.NewConn(context.WithoutCancel(ctx), wire, s,
		jsonrpc2.OnSend(wire.sending), jsonrpc2.SetLogger(silent{}))
	select {
	case <-ctx.Done():
	case <-wire.ended:
	case <-wire.broken:
	}
	linger := options.Linger
	if wire.isBroken() {
		linger = 0 // nobody is left to read an answer
	}
	s.finish(linger)
	close(wire.release)
	closeAll(in, out)
	waitFor(wire.ended, letGo)
	conn.Close() //nolint:errcheck // it is closed already when the input ended
	s.settled()
	return wire.err()
}

// closeAll closes what can be closed, so that a blocked read or write returns.
func closeAll(streams ...any) {
	for _, s := range streams {
		if c, ok := s.(io.Closer); ok {
			c.Close() //nolint:errcheck // nothing is left to be done about it
		}
	}
}

// waitFor tells whether done was closed in time.
func waitFor(done <-chan struct{}, most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}

// silent keeps Conn from logging to standard error on its own: what it reports
// is nothing that our stream has not answered already.
type silent struct{}

func (silent) Printf(string, ...any) {}
