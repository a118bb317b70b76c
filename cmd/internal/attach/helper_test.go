package attach_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"intercom/cmd/internal/attach"
	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
)

// hostVariable makes the test binary a host on a store, to be killed.
const hostVariable = "INTERCOM_TEST_HOST_STORE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(hostVariable); dir != "" {
		hostUntilKilled(dir)
		return
	}
	// Sockets of tests lie in a directory of their own.
	place, err := os.MkdirTemp("", "at")
	if err != nil {
		panic(err)
	}
	os.Setenv("XDG_RUNTIME_DIR", place)
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(place)
		os.Exit(code)
	}))
}

const patience = 20 * time.Second

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// host serves a caller on a store until the test ends or stop is called.
func host(t testing.TB, dir string, peer attach.Embedded) (stop func()) {
	t.Helper()
	h, err := attach.Listen(dir, peer, quiet())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the host: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

func dial(t testing.TB, dir string) *attach.Client {
	t.Helper()
	c, err := attach.Dial(t.Context(), dir)
	if err != nil {
		t.Fatalf("%v (%v)", err, fault.Of(err).Hint)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// starts counts the peers that sessions of a test run, and numbers them.
type starts struct {
	t       *testing.T
	n       atomic.Int32
	running atomic.Int32
	peers   chan *optest.Peer // as they are started
}

func newStarts(t *testing.T) *starts { return &starts{t: t, peers: make(chan *optest.Peer, 100)} }

func (s *starts) start(context.Context) (attach.Embedded, error) {
	instance := fmt.Sprintf("run%d", s.n.Add(1))
	if s.running.Add(1) > 1 {
		s.t.Error("two peers run on one store")
	}
	peer := &optest.Peer{
		Hub:     event.NewHub(instance, event.Limits{}),
		Waiting: make(chan struct{}, 100), Cancelled: make(chan struct{}, 100),
	}
	peer.Registry = op.NewRegistry(peer.Hub, quiet())
	peer.Add(peer.Builtins()...)
	peer.Add(waits(peer), whoami(instance))
	s.peers <- peer
	return attach.Embedded{Caller: peer, Instance: instance, Stop: func() error {
		peer.Close()
		s.running.Add(-1)
		return nil
	}}, nil
}

type none struct{}

type nameOut struct {
	Instance string `json:"instance" jsonschema:"which run of the peer answers"`
	Client   string `json:"client" jsonschema:"who asks"`
}

func whoami(instance string) *op.Op {
	return op.New(op.Spec[none, nameOut]{
		Name: "who", Owner: "test", Summary: "Tell who answers whom", Access: op.Read, Example: `{}`,
		Run: func(ctx context.Context, _ none) (nameOut, error) { return nameOut{instance, op.ClientOf(ctx)}, nil },
	})
}

func waits(p *optest.Peer) *op.Op {
	return op.New(op.Spec[none, none]{
		Name: "wait", Owner: "test", Summary: "Wait until cancelled", Access: op.Read, Example: `{}`,
		Run: func(ctx context.Context, _ none) (none, error) {
			p.Waiting <- struct{}{}
			<-ctx.Done()
			return none{}, ctx.Err()
		},
	})
}

// session runs a session until the test ends or stop is called.
func session(t *testing.T, dir string, start attach.Start) (s *attach.Session, stop func()) {
	t.Helper()
	s = attach.NewSession(dir, start, quiet())
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("the session: %v", err)
			}
		case <-time.After(patience):
			t.Error("the session does not end")
		}
	})
	t.Cleanup(stop)
	ready, done := context.WithTimeout(t.Context(), patience)
	defer done()
	if err := s.Ready(ready); err != nil {
		t.Fatalf("%v (%s)", err, fault.Of(err).Hint)
	}
	return s, stop
}

func ask(t *testing.T, c op.Caller, name, client string) string {
	t.Helper()
	reply, err := c.Call(t.Context(), op.Request{Name: name, Grant: op.Admin, Client: client})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return string(reply.Value)
}

// askUntil asks until that run of the peer answers; calls that were in flight
// when the host ended are `unavailable`. It gives the time it took.
func askUntil(t *testing.T, c op.Caller, instance string) time.Duration {
	t.Helper()
	for begun := time.Now(); ; {
		reply, err := c.Call(t.Context(), op.Request{Name: "who", Grant: op.Admin})
		switch {
		case err == nil && strings.Contains(string(reply.Value), instance):
			return time.Since(begun)
		case err != nil && fault.KindOf(err) != fault.Unavailable, time.Since(begun) > patience:
			t.Fatalf("waiting for %s: %s, %v", instance, reply.Value, err)
		}
	}
}

func storeDir(t *testing.T) string { return filepath.Join(t.TempDir(), "store") }

// hostUntilKilled is what the test binary does as a host of its own.
func hostUntilKilled(dir string) {
	hub := event.NewHub("killed", event.Limits{})
	r := op.NewRegistry(hub, slog.New(slog.NewTextHandler(io.Discard, nil)))
	r.Add(r.Builtins()...)
	r.Add(whoami("killed"))
	s := attach.NewSession(dir, func(context.Context) (attach.Embedded, error) {
		return attach.Embedded{Caller: r, Instance: "killed", Stop: func() error { return nil }}, nil
	}, quiet())
	if err := s.Run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
