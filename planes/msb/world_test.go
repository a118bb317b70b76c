package msb_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"log/slog"
	"sync"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/core/p2p"
	"intercom/planes/msb"
)

// patience bounds every wait; no outcome depends on it.
const patience = 60 * time.Second

// somebody is a peer with a host and a settlement plane, as the assembly makes it.
type somebody struct {
	t     testing.TB
	id    *identity.Identity
	dir   string
	host  *p2p.Host
	hub   *event.Hub
	plane *msb.Plane
	ops   *op.Registry
	stop  func() // ends it once
}

func someone(name string) *identity.Identity { return identity.FromSeed(sha256.Sum256([]byte(name))) }

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// start runs a peer whose settlement store is dir, on the network that genesis
// names, connected with seeds.
func start(t testing.TB, name, dir, genesis string, seeds ...string) *somebody {
	t.Helper()
	return startWith(t, 0, name, dir, genesis, seeds...)
}

// startWith does it with that patience for servers.
func startWith(t testing.TB, patience time.Duration, name, dir, genesis string, seeds ...string) *somebody {
	t.Helper()
	choice, err := msb.Choose(dir, genesis, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := &somebody{t: t, id: someone(name), dir: dir}
	s.host, err = p2p.Listen(p2p.Config{Identity: s.id, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, DHTBootstrap: seeds, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	s.hub = event.NewHub(name, event.Limits{})
	s.plane = msb.New(msb.Config{Choice: choice, Signer: s.id, Network: s.host, Hub: s.hub, Log: quiet(), Patience: patience})
	s.ops = op.NewRegistry(s.hub, quiet())
	s.ops.Add(s.plane.Ops()...)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{s.host.Run, s.plane.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	s.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		s.ops.Close()
		if err := s.host.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(s.stop)
	return s
}

func (s *somebody) address() string { return s.id.PublicKey().Address() }

// try calls an operation.
func (s *somebody) try(name string, params map[string]any) (map[string]any, error) {
	s.t.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	reply, err := s.ops.Call(ctx, op.Request{Name: name, Params: raw, Grant: op.Admin, Text: true})
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := json.Unmarshal(reply.Value, &out); err != nil {
		s.t.Fatal(err)
	}
	return out, nil
}

type with = map[string]any

// must calls an operation that has to succeed. On a loaded machine a server may be
// too late for a light client: it says so, and is called again.
func (s *somebody) must(name string, params with) map[string]any {
	s.t.Helper()
	out, err := s.try(name, params)
	for end := time.Now().Add(patience); fault.KindOf(err) == fault.Unavailable && time.Now().Before(end); {
		out, err = s.try(name, params)
	}
	if err != nil {
		s.t.Fatalf("%s %v: %v (%s)", name, params, err, fault.Of(err).Hint)
	}
	return out
}

// confirmed waits until a transaction is.
func (s *somebody) confirmed(hash any) map[string]any {
	s.t.Helper()
	out := s.must("tx_wait", with{"hash": hash, "timeout_ms": 60000})
	if out["state"] != "confirmed" || out["code"] != 0.0 {
		s.t.Fatalf("transaction: %v", out)
	}
	return out
}
