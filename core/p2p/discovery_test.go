package p2p

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"intercom/core/fault"

	"github.com/libp2p/go-libp2p/core/peer"
)

func withEntry(port int) func(*Config) { return func(c *Config) { c.EntryPort = port } }

func withSeeds(seeds ...string) func(*Config) {
	return func(c *Config) { c.DHTBootstrap = seeds }
}

func holders(hosts ...*Host) (held []*Host) {
	for _, h := range hosts {
		if h.Stats().EntryPort {
			held = append(held, h)
		}
	}
	return held
}

func TestPeersOfOneMachineFindEachOther(t *testing.T) {
	entry := freePort(t)
	a, b, c := start(t, withEntry(entry)), start(t, withEntry(entry)), start(t, withEntry(entry))
	within(t, 3*time.Second, "all three know each other", func() bool {
		return knows(a, b, c) && knows(b, a, c) && knows(c, a, b)
	})
	held := holders(a, b, c)
	if len(held) != 1 {
		t.Fatalf("%d hosts hold the entry port", len(held))
	}
	for _, addr := range held[0].Addrs() {
		if strings.Contains(addr, fmt.Sprintf("/tcp/%d/", entry)) {
			t.Errorf("the entry port is advertised: %s", addr)
		}
	}

	rest := slices.DeleteFunc([]*Host{a, b, c}, func(h *Host) bool { return h == held[0] })
	if err := held[0].Close(); err != nil {
		t.Fatal(err)
	}
	within(t, 3*time.Second, "another took the entry port", func() bool { return len(holders(rest...)) == 1 })
	d := start(t, withEntry(entry))
	within(t, 3*time.Second, "a newcomer finds all", func() bool {
		return knows(d, rest...) && knows(rest[0], d) && knows(rest[1], d)
	})
}

func TestTwoNewcomersAtOnceFindEachOther(t *testing.T) {
	entry := freePort(t)
	start(t, withEntry(entry))
	hosts := make([]*Host, 6)
	for i := range hosts {
		hosts[i] = start(t, withEntry(entry))
	}
	within(t, 4*time.Second, "all newcomers know each other", func() bool {
		for i, h := range hosts {
			if !knows(h, slices.Delete(slices.Clone(hosts), i, i+1)...) {
				return false
			}
		}
		return true
	})
}

func TestEntryPortIsNeverHeldTwice(t *testing.T) {
	entry := freePort(t)
	hosts := make([]*Host, 5)
	for i := range hosts {
		hosts[i] = listen(t, withEntry(entry))
	}
	taken := make(chan bool, len(hosts))
	for _, h := range hosts {
		go func() { taken <- h.entry.step(t.Context(), time.Now()) }()
	}
	held := 0
	for range hosts {
		if <-taken {
			held++
		}
	}
	if held != 1 {
		t.Errorf("%d of %d hosts hold it", held, len(hosts))
	}
	if l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", entry)); err == nil {
		l.Close()
		t.Error("another program could take it as well")
	}
}

// A program that is no peer holds the entry port: nothing works by it, and
// nothing breaks.
func TestEntryPortHeldByAStranger(t *testing.T) {
	stranger, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 1)
	go func() {
		for {
			conn, err := stranger.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\n\r\n")
			conn.Close()
			select {
			case asked <- struct{}{}:
			default:
			}
		}
	}()
	entry := stranger.Addr().(*net.TCPAddr).Port
	a, b := start(t, withEntry(entry)), start(t, withEntry(entry))
	<-asked
	stranger.Close()
	within(t, 3*time.Second, "they meet once it is gone", func() bool { return knows(a, b) && knows(b, a) })
}

func TestGarbageOnThePortsDoesNoHarm(t *testing.T) {
	entry := freePort(t)
	a := start(t, withEntry(entry))
	eventually(t, "the port is held", func() bool { return a.Stats().EntryPort })
	targets := []string{fmt.Sprintf("127.0.0.1:%d", entry), hostport(t, a)}
	junk := make([]byte, 64<<10)
	rand.Read(junk)
	inputs := [][]byte{
		nil, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), junk,
		[]byte("\x13/multistream/1.0.0\n\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
		append([]byte("\x13/multistream/1.0.0\n\x07/noise\n"), junk...),
	}
	for range 40 {
		for i, target := range targets {
			conn, err := net.Dial("tcp", target)
			if err != nil {
				t.Fatal(err)
			}
			conn.Write(inputs[i%len(inputs)])
			conn.Write(inputs[(i+len(target))%len(inputs)])
			defer conn.Close() // most stay open, silent
		}
	}
	b := start(t, withEntry(entry))
	within(t, 3*time.Second, "a newcomer is served", func() bool { return knows(a, b) && knows(b, a) })
}

func TestBootstrapFormsAllConnect(t *testing.T) {
	a := start(t)
	tcp := hostport(t, a)
	port := strings.TrimPrefix(tcp, "127.0.0.1:")
	quic := a.Addrs()[slices.IndexFunc(a.Addrs(), func(s string) bool { return strings.Contains(s, "/quic-v1/") })]
	for _, entry := range []string{
		tcp,
		"/ip4/127.0.0.1/tcp/" + port,
		"/ip4/127.0.0.1/tcp/" + port + "/p2p/" + a.net.ID().String(),
		quic,
	} {
		t.Run(entry[:min(len(entry), 30)], func(t *testing.T) {
			b := start(t, withSeeds(entry))
			within(t, 2*time.Second, "connected", func() bool { return knows(b, a) && knows(a, b) })
		})
	}
}

// The list of entry points may name the peer itself, and one that comes later.
func TestBootstrapEntryMayComeLaterOrBeOurselves(t *testing.T) {
	later := freePort(t)
	own := freePort(t)
	a := start(t, func(c *Config) {
		c.Listen = []string{fmt.Sprintf("127.0.0.1:%d", own)}
		c.DHTBootstrap = []string{fmt.Sprintf("127.0.0.1:%d", own), fmt.Sprintf("127.0.0.1:%d", later)}
	})
	time.Sleep(300 * time.Millisecond) // let it fail a few times
	b := start(t, func(c *Config) { c.Listen = []string{fmt.Sprintf("127.0.0.1:%d", later)} })
	within(t, 6*time.Second, "connected", func() bool { return knows(a, b) })
	if slices.Contains(a.Peers(), a.Key()) {
		t.Error("connected to itself")
	}
}

func TestRestartedPeerIsFoundAgain(t *testing.T) {
	entry := freePort(t)
	again := someone()
	same := func(c *Config) { c.Identity = again }
	a := start(t, withEntry(entry))
	eventually(t, "the port is held", func() bool { return a.Stats().EntryPort })
	in := newInbox()
	join(t, a, "talk", in.handler())
	for round := range 3 {
		b := start(t, same, withEntry(entry)) // another port each time
		within(t, 3*time.Second, "found", func() bool { return knows(a, b) && knows(b, a) })
		tb := join(t, b, "talk", Handler{})
		members(t, tb, 1)
		text := fmt.Sprintf("round %d", round)
		if err := tb.Publish([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if m := in.next(t); string(m.Data) != text {
			t.Errorf("got %q", m.Data)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "lost", func() bool { return len(a.Peers()) == 0 })
	}
}

// Without entry port and bootstrap, the one that stayed remembers the other.
func TestLostPeerIsDialledAgain(t *testing.T) {
	again := someone()
	port := freePort(t)
	same := func(c *Config) {
		c.Identity = again
		c.Listen = []string{fmt.Sprintf("127.0.0.1:%d", port)}
	}
	a, b := start(t), start(t, same)
	link(t, a, b)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "lost", func() bool { return len(a.Peers()) == 0 })
	time.Sleep(time.Second) // several attempts fail
	b = start(t, same)
	within(t, 5*time.Second, "found again", func() bool { return knows(a, b) && knows(b, a) })
}

func TestPeersMeetInTheDHT(t *testing.T) {
	hub := start(t)
	a, b := start(t, withSeeds(hostport(t, hub))), start(t, withSeeds(hostport(t, hub)))
	ns := sha256.Sum256([]byte("sidechannel:talk"))
	// The exchange of records would connect them as well.
	eventually(t, "connected to the hub", func() bool { return knows(a, hub) && knows(b, hub) })
	stop := a.Rendezvous(ns)
	defer stop()
	defer b.Rendezvous(ns)()
	found := map[string]bool{}
	eventually(t, "both are advertised", func() bool {
		for info := range hub.dht.FindProvidersAsync(t.Context(), spotKey(ns), 10) {
			found[info.ID.String()] = true
		}
		return found[a.net.ID().String()] && found[b.net.ID().String()]
	})
	eventually(t, "connected", func() bool { return knows(a, b) && knows(b, a) })
	stop()
	stop()
	if len(a.rendezvous.spots) != 0 {
		t.Error("a stopped namespace stays")
	}
}

func TestSwarmKeySeparatesNetworks(t *testing.T) {
	entry := freePort(t)
	key := func(b byte) func(*Config) {
		return func(c *Config) { c.SwarmKey = bytes.Repeat([]byte{b}, 32) }
	}
	text := fmt.Sprintf("/key/swarm/psk/1.0.0/\n/base16/\n%s", strings.Repeat("01", 32))
	a := start(t, withEntry(entry), key(1))
	b := start(t, withEntry(entry), func(c *Config) { c.SwarmKey = []byte(text) })
	within(t, 3*time.Second, "one key, one network", func() bool { return knows(a, b) && knows(b, a) })
	other := start(t, withEntry(entry), key(2))
	open := start(t, withEntry(entry))
	for _, h := range []*Host{other, open} {
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if _, err := prove(ctx, hostport(t, a), h.entry.psk); err == nil {
			t.Error("the key of a private network is proven to a stranger")
		}
	}
	if len(other.Peers())+len(open.Peers()) != 0 || len(a.Peers()) != 1 {
		t.Error("networks mix")
	}
	for _, addr := range a.Addrs() {
		if strings.Contains(addr, "quic") {
			t.Errorf("a private network listens on %s", addr)
		}
	}
}

func TestSameKeyElsewhereIsRefused(t *testing.T) {
	twin := someone()
	same := func(c *Config) { c.Identity = twin }
	a, b := start(t, same), start(t, same)
	third := start(t, withSeeds(hostport(t, a), hostport(t, b)))
	eventually(t, "a third peer meets one of them", func() bool {
		return len(third.Peers()) == 1 && (knows(a, third) || knows(b, third))
	})
	if err := a.net.Connect(t.Context(), peer.AddrInfo{ID: b.net.ID(), Addrs: b.net.Addrs()}); err == nil {
		t.Error("a peer connects to itself")
	}
	info, err := prove(t.Context(), hostport(t, b), nil)
	if err != nil || info.ID != a.net.ID() {
		t.Errorf("the twin proves %s, %v", info.ID, err)
	}
	if knows(a, a) || knows(b, b) {
		t.Error("twins are connected")
	}
}

func TestTakenPortIsNamed(t *testing.T) {
	for _, form := range []string{"127.0.0.1:%d", "/ip4/127.0.0.1/tcp/%d"} {
		port := freePort(t)
		text := fmt.Sprintf(form, port)
		a := listen(t, func(c *Config) { c.Listen = []string{text} })
		_, err := Listen(Config{Identity: someone(), Listen: []string{text}})
		if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), fmt.Sprint(port)) {
			t.Errorf("%s: %v", text, err)
		}
		a.Close()
	}
	_, err := Listen(Config{Identity: someone(), Listen: []string{"192.0.2.1:0"}})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "192.0.2.1") {
		t.Errorf("an address of another machine gives %v", err)
	}
}
