package attach

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
)

// The bounds of a host.
const (
	connLimit    = 128             // processes attached at once
	callLimit    = 1024            // requests of one process at once
	nameLimit    = 1024            // client names of one process
	greetingTime = 5 * time.Second // from connecting to having shown the token
	writeTime    = 10 * time.Second
)

// Host serves a peer to the other processes on its store.
type Host struct {
	dir      string
	address  address
	listener net.Listener
	peer     Embedded
	log      *slog.Logger

	mu      sync.Mutex
	conns   int
	number  int // of connections there were
	closing bool
	running sync.WaitGroup
}

// Listen binds the socket of the store at dir and writes attach.json. The
// caller holds the store's lock. Nothing is answered before [Host.Run].
func Listen(dir string, peer Embedded, log *slog.Logger) (*Host, error) {
	removeStale(dir)
	path, err := newSocketPath()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	h := &Host{
		dir: dir, listener: listener, peer: peer, log: log,
		address: address{Socket: path, Token: newToken(), Protocol: Protocol, Instance: peer.Instance, PID: os.Getpid()},
	}
	if err := errors.Join(os.Chmod(path, 0o600), h.address.write(dir)); err != nil {
		listener.Close() //nolint:errcheck // the first error tells more
		return nil, err
	}
	return h, nil
}

// Run serves until ctx ends. Then attach.json and the socket are taken away,
// calls in flight get a moment to end and `unavailable` after it, and attached
// processes lose their connection. When Run returns all it started has ended.
// It must be called once.
func (h *Host) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	unhook := context.AfterFunc(ctx, h.close)
	err := h.accept(ctx)
	cancel()
	unhook()
	h.close()
	h.running.Wait()
	return err
}

// accept takes connections in until the listener is closed.
func (h *Host) accept(ctx context.Context) error {
	for {
		conn, err := h.listener.Accept()
		switch {
		case err == nil:
			h.take(ctx, conn)
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // out of descriptors, or a connection that was given up
			h.log.Warn("an attaching process could not be accepted", "err", err)
			sleep(ctx, 50*time.Millisecond)
		}
	}
}

// take serves a connection in a goroutine of its own, if there is room.
func (h *Host) take(ctx context.Context, conn net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing || h.conns >= connLimit {
		conn.Close() //nolint:errcheck // it was not spoken to
		return
	}
	h.number++
	h.conns++
	c := newHosted(h, conn, fmt.Sprintf("attached-%d", h.number))
	h.running.Go(func() {
		c.serve(ctx)
		h.mu.Lock()
		h.conns--
		h.mu.Unlock()
	})
}

// close ends the listener. The connections end by the context.
func (h *Host) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return
	}
	h.closing = true
	h.address.remove(h.dir)
	h.listener.Close() //nolint:errcheck // takes the socket away as well
}

// greet reads the hello of a new connection and answers it.
func (h *Host) greet(conn net.Conn) error {
	conn.SetDeadline(time.Now().Add(greetingTime)) //nolint:errcheck // a dead connection shows at once
	head, _, err := readFrame(conn, greetingLimit)
	if err != nil {
		return err
	}
	refusal := h.judge(head.Hello)
	answer := header{ID: head.ID, Fault: refusal}
	var list []byte
	if refusal == nil {
		answer.Welcome = &welcome{Protocol: Protocol, Instance: h.address.Instance}
		if list, err = encodeOps(h.peer.Caller.Ops()); err != nil {
			return err
		}
	}
	frame, err := encodeFrame(answer, list)
	if err != nil {
		return err
	}
	if _, err = conn.Write(frame); err != nil {
		return err
	}
	if refusal != nil {
		return refusal
	}
	return conn.SetDeadline(time.Time{})
}

// judge checks the token first: a stranger learns nothing else.
func (h *Host) judge(hello *hello) *fault.Error {
	switch {
	case hello == nil || subtle.ConstantTimeCompare([]byte(hello.Token), []byte(h.address.Token)) != 1:
		return fault.New(fault.Denied, "the token is not the one of this peer").WithHint("read %s again", fileName)
	case hello.Protocol != Protocol:
		return fault.New(fault.Conflict, "the peer speaks attach protocol %d, the client %d", Protocol, hello.Protocol).
			WithHint("use the same version of intercom for both, or stop the running peer")
	}
	return nil
}

// qualified makes the names of clients unique among the processes of a peer.
func qualified(process, client string) string {
	if client == "" {
		return process
	}
	return process + "/" + client
}

// access reads the grant of a call.
func access(grant int) op.Access { return min(max(op.Access(grant), 0), op.Secret) }

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
