package sidechannel

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/p2p"
)

// newHost makes a plane on a real host on loopback, which finds others at seeds.
func newHost(t testing.TB, name string, seeds ...string) (*Plane, *p2p.Host) {
	t.Helper()
	return newHostWith(t, name, Config{}, seeds...)
}

func newHostWith(t testing.TB, name string, cfg Config, seeds ...string) (*Plane, *p2p.Host) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	h, err := p2p.Listen(p2p.Config{Identity: someone(name), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, DHTBootstrap: seeds, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(cfg, Over(h), someone(name), event.NewHub(name, event.Limits{}), newStore(t).Space("sidechannel"), log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{h.Run, p.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if err := h.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	return p, h
}

// connected waits until each of the two is a member of the entry channel in the
// other's eyes.
func connected(t testing.TB, a, b *Plane) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	sees := func(p, other *Plane) bool {
		return slices.Contains(p.Members(string(Entry)), other.signer.PublicKey())
	}
	for !sees(a, b) || !sees(b, a) {
		if time.Now().After(deadline) {
			t.Fatal("the peers did not meet")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestMessageCrossesRealHosts(t *testing.T) {
	alice, host := newHost(t, "alice")
	bob, _ := newHost(t, "bob", host.Addrs()...)
	connected(t, alice, bob)
	at := bob.hub.Now()
	id, peers, err := alice.Send(t.Context(), Entry, []byte(`{"hello":["wörld"]}`))
	if err != nil || peers != 1 {
		t.Fatalf("sent to %d peers, %v", peers, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	batch, err := bob.hub.Read(ctx, at, 1)
	if err != nil || len(batch.Events) != 1 {
		t.Fatalf("no event: %v", err)
	}
	got := bob.find(Entry).inbox.read(0, 10, 1<<20).messages
	if len(got) != 1 || got[0].ID != id || got[0].From != alice.signer.PublicKey() || !got[0].RelayedBy.IsZero() || string(got[0].Message) != `{"hello":["wörld"]}` {
		t.Errorf("delivered %+v", got)
	}
}

// BenchmarkHosts is one message at a time from Send to the event at another peer
// over libp2p on loopback.
func BenchmarkHosts(b *testing.B) {
	alice, host := newHost(b, "alice")
	bob, _ := newHost(b, "bob", host.Addrs()...)
	connected(b, alice, bob)
	at := bob.hub.Now()
	message := benchMessage(100)
	for b.Loop() {
		if _, _, err := alice.Send(b.Context(), Entry, message); err != nil {
			b.Fatal(err)
		}
		batch, err := bob.hub.Read(b.Context(), at, 1)
		if err != nil || len(batch.Events) == 0 {
			b.Fatal(err)
		}
		at = batch.Next
	}
}
