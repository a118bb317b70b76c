package p2p

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"

	"go.uber.org/goleak"
)

func TestProblemsOfAConfigComeAllAtOnce(t *testing.T) {
	_, err := Listen(Config{
		Listen:       []string{"nonsense", "1.2.3.4:99999", "/ip4/1.2.3.4/udp/1", "example.org:4001", "/dns4/x/tcp/1"},
		EntryPort:    70000,
		DHTBootstrap: []string{"host", "host:0", ":4001", "/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/1/p2p/QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ"},
		SwarmKey:     []byte("secret that is no key"),
	})
	if fault.KindOf(err) != fault.Invalid {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		"identity", `"nonsense"`, `"99999"`, `"/ip4/1.2.3.4/udp/1"`, `"example.org"`, `"/dns4/x/tcp/1"`, "70000",
		`"host"`, `"host:0"`, `":4001"`, "QmaCpDMGvV2BGHeYERUEnRQAwe3N8SzbUtfsmvsqQLuvuJ", "swarm key", "QUIC is off",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("the swarm key is shown: %v", err)
	}
	_, err = Listen(Config{Identity: someone(), DHTBootstrap: []string{"/ip4/127.0.0.1/udp/1/quic-v1"}})
	if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), "needs /p2p/") {
		t.Errorf("a QUIC entry without peer id gives %v", err)
	}
}

func TestDefaultsListenEverywhere(t *testing.T) {
	h, err := Listen(Config{Identity: someone()})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	all := strings.Join(h.Addrs(), "\n")
	for _, want := range []string{"/ip4/127.0.0.1/tcp/", "/ip4/127.0.0.1/udp/", "/quic-v1/", "/p2p/" + h.net.ID().String()} {
		if !strings.Contains(all, want) {
			t.Errorf("%s is missing in\n%s", want, all)
		}
	}
}

func TestCallbacksTellOfPeersNotConnections(t *testing.T) {
	a, b := listen(t), listen(t)
	type change struct {
		key identity.PublicKey
		up  bool
	}
	changes := make(chan change, 16)
	a.OnPeer(func(identity.PublicKey, bool) { panic("contained") })
	a.OnPeer(func(key identity.PublicKey, up bool) { changes <- change{key, up} })
	link(t, a, b)
	link(t, b, a)
	next := func() change {
		select {
		case c := <-changes:
			return c
		case <-time.After(patience):
			t.Fatal("nothing was told")
			return change{}
		}
	}
	if c := next(); c != (change{b.Key(), true}) {
		t.Errorf("got %v", c)
	}
	late := make(chan change, 1)
	a.OnPeer(func(key identity.PublicKey, up bool) {
		if up {
			late <- change{key, up}
		}
	})
	if c := <-late; c.key != b.Key() {
		t.Errorf("a late callback was told %v", c)
	}
	b.Close()
	if c := next(); c != (change{b.Key(), false}) {
		t.Errorf("got %v", c)
	}
	if len(changes) != 0 {
		t.Errorf("told as well: %v", <-changes)
	}
}

func TestStreams(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	callers := make(chan identity.PublicKey, 1)
	b.Handle("/echo/1", func(_ context.Context, remote identity.PublicKey, s Stream) {
		callers <- remote
		io.Copy(s, s)
	})
	s, err := a.Open(t.Context(), b.Key(), "/echo/1")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Reset()
	s.SetDeadline(time.Now().Add(patience))
	text := strings.Repeat("hello ", 10000)
	go func() {
		io.WriteString(s, text)
		s.CloseWrite()
	}()
	got, err := io.ReadAll(s)
	if err != nil || string(got) != text {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	if key := <-callers; key != a.Key() {
		t.Errorf("the handler was told %s", key)
	}
	if in, out := b.Stats().BytesIn, b.Stats().BytesOut; in < uint64(len(text)) || out < uint64(len(text)) {
		t.Errorf("%d bytes in, %d out", in, out)
	}
}

func TestStreamsThatCannotBeOpened(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	b.Handle("/panics/1", func(context.Context, identity.PublicKey, Stream) { panic("as asked") })
	if _, err := a.Open(t.Context(), a.Key(), "/x"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("to itself: %v", err)
	}
	if _, err := a.Open(t.Context(), b.Key(), "/unknown/1"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("unknown protocol: %v", err)
	}
	if _, err := a.Open(t.Context(), someone().PublicKey(), "/x"); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("unknown peer: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Open(ctx, b.Key(), "/panics/1"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if answered(t, a, b, "/panics/1") {
		t.Error("a panic of the handler ends the stream as if all were well")
	}
}

// answered opens a stream and is true when it ends well. A reset may be seen
// while it is being opened, or later.
func answered(t *testing.T, from, to *Host, proto string) bool {
	t.Helper()
	s, err := from.Open(t.Context(), to.Key(), proto)
	if fault.KindOf(err) == fault.Unavailable {
		return false
	}
	if err != nil {
		t.Fatal(err)
	}
	s.SetDeadline(time.Now().Add(patience))
	s.Write([]byte("x"))
	_, err = io.ReadAll(s)
	return err == nil
}

func TestOnePeerCannotTakeAllStreams(t *testing.T) {
	a, b, c := listen(t), listen(t), listen(t)
	link(t, a, b)
	link(t, c, b)
	var mu sync.Mutex
	running := 0
	b.Handle("/hold/1", func(ctx context.Context, _ identity.PublicKey, s Stream) {
		mu.Lock()
		running++
		mu.Unlock()
		<-ctx.Done()
	})
	open := func(h *Host) Stream {
		s, err := h.Open(t.Context(), b.Key(), "/hold/1")
		if err != nil {
			t.Fatal(err)
		}
		s.SetDeadline(time.Now().Add(patience))
		s.Write([]byte("x"))
		return s
	}
	for range streamsPerPeer {
		open(a)
	}
	count := func(n int) func() bool {
		return func() bool { mu.Lock(); defer mu.Unlock(); return running == n }
	}
	eventually(t, "all of one peer run", count(streamsPerPeer))
	if answered(t, a, b, "/hold/1") {
		t.Error("one more is not refused")
	}
	open(c)
	eventually(t, "another peer is served", count(streamsPerPeer+1))
}

func TestOpenFindsAPeerThroughTheDHT(t *testing.T) {
	hub, a, b := listen(t), listen(t), listen(t)
	link(t, hub, a)
	link(t, b, hub)
	eventually(t, "both are in the hub's table", func() bool { return hub.dht.RoutingTable().Size() == 2 })
	eventually(t, "the hub is in the seeker's table", func() bool { return b.dht.RoutingTable().Size() > 0 })
	a.Handle("/echo/1", func(_ context.Context, _ identity.PublicKey, s Stream) { io.Copy(s, s) })
	s, err := b.Open(t.Context(), a.Key(), "/echo/1")
	if err != nil {
		t.Fatal(err)
	}
	s.Reset()
}

func TestCloseEndsEverything(t *testing.T) {
	before := goleak.IgnoreCurrent()
	entry := freePort(t)
	var hosts []*Host
	var runs sync.WaitGroup
	for range 3 {
		h, err := Listen(Config{Identity: someone(), Listen: []string{"127.0.0.1:0"}, EntryPort: entry, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		runs.Go(func() {
			if err := h.Run(context.Background()); err != nil {
				t.Error(err)
			}
		})
		hosts = append(hosts, h)
	}
	eventually(t, "all are connected", func() bool { return knows(hosts[0], hosts[1:]...) })
	for _, h := range hosts {
		join(t, h, "talk", Handler{Member: func(identity.PublicKey, bool) {}})
		h.Rendezvous([32]byte{1})
	}
	for _, h := range hosts {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
		if _, err := h.Join("more", Handler{}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("Join after Close: %v", err)
		}
		if err := h.Run(context.Background()); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("Run after Close: %v", err)
		}
	}
	runs.Wait()
	goleak.VerifyNone(t, before)
}

func TestRunEndsWithItsContext(t *testing.T) {
	h := listen(t, withEntry(freePort(t)), withSeeds("127.0.0.1:1"))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	eventually(t, "it runs", func() bool { return h.Stats().EntryPort })
	if err := h.Run(ctx); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second Run: %v", err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
