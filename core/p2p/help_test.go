package p2p

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// patience is how long a test waits for something that must happen.
const patience = 15 * time.Second

var seeds atomic.Uint32

// someone makes an identity that no other test has.
func someone() *identity.Identity {
	var seed [32]byte
	binary.BigEndian.PutUint32(seed[:], seeds.Add(1))
	return identity.FromSeed(seed)
}

// listen makes a host on loopback that ends with the test.
func listen(t testing.TB, change ...func(*Config)) *Host {
	t.Helper()
	cfg := Config{Identity: someone(), Listen: []string{"127.0.0.1:0"}}
	for _, f := range change {
		f(&cfg)
	}
	h, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// start is listen and Run.
func start(t testing.TB, change ...func(*Config)) *Host {
	t.Helper()
	h := listen(t, change...)
	go h.Run(t.Context()) // Close waits for it
	return h
}

// link connects two hosts without any discovery.
func link(t testing.TB, a, b *Host) {
	t.Helper()
	info := peer.AddrInfo{ID: b.net.ID(), Addrs: b.net.Addrs()}
	if err := a.dialer.connect(t.Context(), info); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both are connected", func() bool { return knows(a, b) && knows(b, a) })
}

// line connects three hosts so that the ends never meet.
func line(t testing.TB, a, b, c *Host) {
	t.Helper()
	a.gater.shun(c.net.ID())
	c.gater.shun(a.net.ID())
	link(t, a, b)
	link(t, b, c)
}

func knows(h *Host, others ...*Host) bool {
	for _, o := range others {
		if !slices.Contains(h.Peers(), o.Key()) {
			return false
		}
	}
	return true
}

func eventually(t testing.TB, what string, ok func() bool) time.Duration {
	t.Helper()
	begin := time.Now()
	for !ok() {
		if time.Since(begin) > patience {
			t.Fatalf("after %v still not: %s", patience, what)
		}
		time.Sleep(2 * time.Millisecond)
	}
	return time.Since(begin)
}

// within is eventually with a bound that is part of the contract.
func within(t testing.TB, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	if took := eventually(t, what, ok); took > limit {
		t.Errorf("%s: took %v, more than %v", what, took, limit)
	} else {
		t.Logf("%s: %v", what, took.Round(time.Millisecond))
	}
}

// freePort finds a TCP port of loopback that nobody uses.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// hostport is where a host listens on TCP.
func hostport(t testing.TB, h *Host) string {
	t.Helper()
	for _, a := range h.net.Addrs() {
		if port, err := a.ValueForProtocol(ma.P_TCP); err == nil {
			return "127.0.0.1:" + port
		}
	}
	t.Fatal("no TCP address")
	return ""
}

// inbox collects the frames of a topic.
type inbox struct{ frames chan *Message }

func newInbox() *inbox { return &inbox{make(chan *Message, 1<<16)} }

func (b *inbox) handler() Handler { return Handler{Deliver: func(m *Message) { b.frames <- m }} }

// next waits for a frame; those of settle do not count.
func (b *inbox) next(t testing.TB) *Message {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case m := <-b.frames:
			if !bytes.HasPrefix(m.Data, []byte("settle ")) {
				return m
			}
		case <-deadline:
			t.Fatal("no frame arrived")
		}
	}
}

// settle waits until frames of a topic reach an inbox over several hops: a
// newcomer is known as a member a moment before others forward to it.
func settle(t testing.TB, from *Topic, to *inbox) {
	t.Helper()
	n := 0
	eventually(t, "frames reach the inbox", func() bool {
		n++
		if err := from.Publish(fmt.Appendf(nil, "settle %d", n)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
		return len(to.frames) > 0
	})
}

func join(t testing.TB, h *Host, topic string, hd Handler) *Topic {
	t.Helper()
	tp, err := h.Join(topic, hd)
	if err != nil {
		t.Fatal(err)
	}
	return tp
}

// members waits until a topic has n connected members.
func members(t testing.TB, tp *Topic, n int) {
	t.Helper()
	eventually(t, "all members are there", func() bool { return len(tp.Peers()) == n })
}
