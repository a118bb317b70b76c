package subnet_test

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"log/slog"
	"sync"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/core/p2p"
	"intercom/planes/subnet"
	"intercom/planes/subnet/contract"
	"intercom/planes/subnet/contract/poll"
)

// patience bounds every wait; no outcome depends on it.
const patience = 60 * time.Second

type with = map[string]any

// somebody is a peer with a host and a subnet plane, as the assembly makes it.
type somebody struct {
	testing.TB
	id    *identity.Identity
	host  *p2p.Host
	hub   *event.Hub
	plane *subnet.Plane
	ops   *op.Registry
	stop  func() // ends it once
}

// setup is how a peer differs from one of its own subnet.
type setup struct {
	dir        string
	bootstrap  string
	indexer    bool
	contract   *contract.Contract
	settlement subnet.Settlement
	timer      time.Duration
	seeds      []string
}

func someone(name string) *identity.Identity { return identity.FromSeed(sha256.Sum256([]byte(name))) }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func start(t testing.TB, name string, s setup) *somebody {
	t.Helper()
	p := &somebody{TB: t, id: someone(name)}
	if s.dir == "" {
		s.dir = t.TempDir()
	}
	if s.contract == nil {
		s.contract = poll.New()
	}
	choice, err := subnet.Choose(s.dir, p.id.PublicKey(), s.bootstrap, "")
	if err != nil {
		t.Fatal(err)
	}
	p.host, err = p2p.Listen(p2p.Config{Identity: p.id, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, DHTBootstrap: s.seeds, Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	p.hub = event.NewHub(name, event.Limits{})
	p.plane = subnet.New(subnet.Config{
		Choice: choice, Indexer: s.indexer, Signer: p.id, Contract: s.contract, Network: p.host, Settlement: s.settlement,
		Timer: s.timer, Hub: p.hub, Log: quiet(),
	})
	p.ops = op.NewRegistry(p.hub, quiet())
	p.ops.Add(p.plane.Ops()...)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{p.host.Run, p.plane.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	p.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		p.ops.Close()
		if err := p.host.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(p.stop)
	return p
}

func (p *somebody) key() string { return p.id.PublicKey().String() }

// try calls an operation.
func (p *somebody) try(name string, params with) (map[string]any, error) {
	p.Helper()
	raw, err := json.Marshal(params)
	if err != nil {
		p.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(p.Context(), patience)
	defer cancel()
	reply, err := p.ops.Call(ctx, op.Request{Name: name, Params: raw, Grant: op.Admin, Text: true})
	if err != nil {
		return nil, err
	}
	var out map[string]any
	if err := json.Unmarshal(reply.Value, &out); err != nil {
		p.Fatal(err)
	}
	return out, nil
}

// must calls an operation that has to succeed.
func (p *somebody) must(name string, params with) map[string]any {
	p.Helper()
	out, err := p.try(name, params)
	if err != nil {
		p.Fatalf("%s %v: %v (%s)", name, params, err, fault.Of(err).Hint)
	}
	return out
}

// refused calls an operation that has to be refused in that way.
func (p *somebody) refused(kind fault.Kind, message, name string, params with) {
	p.Helper()
	out, err := p.try(name, params)
	if f := fault.Of(err); err == nil || f.Kind != kind || message != "" && f.Message != message || f.Hint == "" {
		p.Errorf("%s %v: %v, %v", name, params, out, err)
	}
}

// wait waits until something is so.
func (p *somebody) wait(what string, is func() bool) {
	p.Helper()
	for end := time.Now().Add(patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.Fatalf("not after %v: %s", patience, what)
		}
	}
}

// has waits until the confirmed state has a value.
func (p *somebody) has(name string, want any) {
	p.Helper()
	var last any
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if last = p.must("get", with{"key": name})["value"]; last == want {
			return
		}
	}
	p.Fatalf("%s is %v, want %v", name, last, want)
}

func fmtJSON(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}
