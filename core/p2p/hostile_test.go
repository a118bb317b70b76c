package p2p

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"

	pb "github.com/libp2p/go-libp2p-pubsub/pb"
	"google.golang.org/protobuf/proto"
)

// valve forwards TCP until it is shut; then it swallows everything, and both
// ends believe that they are connected.
type valve struct {
	listener net.Listener
	shut     chan struct{}
}

func newValve(t *testing.T, to string) *valve {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	v := &valve{listener: l, shut: make(chan struct{})}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			t.Cleanup(func() { in.Close(); out.Close() })
			go v.pump(in, out)
			go v.pump(out, in)
		}
	}()
	return v
}

func (v *valve) pump(from, to net.Conn) {
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		select {
		case <-v.shut:
		default:
			to.Write(buf[:n])
		}
	}
}

func TestDeadConnectionOfARestartedPeerIsClosed(t *testing.T) {
	twin := someone()
	same := func(c *Config) { c.Identity = twin }
	a, old := start(t), listen(t, same)
	v := newValve(t, hostport(t, old))
	addr, err := manet.FromNetAddr(v.listener.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.dialer.connect(t.Context(), peer.AddrInfo{ID: old.net.ID(), Addrs: []ma.Multiaddr{addr}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "connected", func() bool { return knows(a, old) })
	close(v.shut) // as if the machine of old lost its power

	fresh := start(t, same, withSeeds(hostport(t, a)))
	eventually(t, "the restarted peer is connected", func() bool { return knows(fresh, a) })
	within(t, suspectWait+2*time.Second, "the dead connection is closed", func() bool {
		return len(a.net.Network().ConnsToPeer(fresh.net.ID())) == 1
	})
	in := newInbox()
	ta := join(t, a, "talk", Handler{})
	join(t, fresh, "talk", in.handler())
	members(t, ta, 1)
	if err := ta.Publish([]byte("welcome back")); err != nil {
		t.Fatal(err)
	}
	in.next(t)
}

// A neighbour that speaks the pubsub protocol badly: junk, signed frames, frames
// of topics that nobody joined, absurd subscriptions. The host serves on, and its
// count of waiting bytes comes back to zero.
func TestHostileNeighbourOfATopic(t *testing.T) {
	a, b := listen(t), listen(t)
	link(t, a, b)
	bad := stranger(t)
	if err := bad.Connect(t.Context(), peer.AddrInfo{ID: a.net.ID(), Addrs: a.net.Addrs()}); err != nil {
		t.Fatal(err)
	}
	in := newInbox()
	join(t, a, "talk", in.handler())
	tb := join(t, b, "talk", Handler{})
	members(t, tb, 1)
	s, err := bad.NewStream(t.Context(), a.net.ID(), gossipProtocol)
	if err != nil {
		t.Fatal(err)
	}
	send := func(packet *pb.RPC) {
		raw, err := proto.Marshal(packet)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Write(append(binary.AppendUvarint(nil, uint64(len(raw))), raw...)); err != nil {
			t.Fatal(err)
		}
	}
	frame := func(topic, data string) *pb.Message {
		return &pb.Message{Topic: &topic, Data: []byte(data)}
	}
	key, _ := keyOf(bad.ID())
	signed, authored := frame("talk", "signed"), frame("talk", "authored")
	signed.Signature = []byte("x")
	authored.From = []byte("someone")
	send(&pb.RPC{Publish: []*pb.Message{signed, authored, frame("other", "x"), frame("", ""), frame("talk", "fine")}})
	if m := in.next(t); string(m.Data) != "fine" || m.From != key {
		t.Errorf("got %q", m.Data)
	}
	on := true
	many := &pb.RPC{}
	for i := range 3 * neighbourTopics {
		name := fmt.Sprint("topic ", i)
		many.Subscriptions = append(many.Subscriptions, &pb.RPC_SubOpts{Topicid: &name, Subscribe: &on})
	}
	send(many)
	send(&pb.RPC{Publish: []*pb.Message{frame("talk", "after"), frame("talk", "after")}})
	in.next(t)
	a.gossip.subs.mu.Lock()
	if n := len(a.gossip.subs.of[bad.ID()]); n > neighbourTopics {
		t.Errorf("%d topics of one neighbour are remembered", n)
	}
	a.gossip.subs.mu.Unlock()
	s.Write([]byte{0xff, 0xff, 0xff, 0xff, 0x0f, 1, 2, 3}) // a packet of 4 GiB
	s.SetReadDeadline(time.Now().Add(patience))
	if _, err := io.ReadAll(s); err == nil {
		t.Error("a packet of 4 GiB is waited for")
	}

	if err := tb.Publish([]byte("still here")); err != nil {
		t.Fatal(err)
	}
	if m := in.next(t); string(m.Data) != "still here" {
		t.Errorf("got %q", m.Data)
	}
	if n := a.Stats().Frames.Malformed; n != 2 {
		t.Errorf("%d malformed frames are counted", n)
	}
	a.gossip.intake.mu.Lock()
	defer a.gossip.intake.mu.Unlock()
	if a.gossip.intake.total != 0 || len(a.gossip.intake.waiting) != 0 {
		t.Errorf("%d bytes wait for ever", a.gossip.intake.total)
	}
}

// stranger is a bare libp2p host without any protocol of ours.
func stranger(t *testing.T) host.Host {
	t.Helper()
	cfg := Config{Identity: someone()}
	s, err := cfg.settings()
	if err != nil {
		t.Fatal(err)
	}
	h, err := newStack(s, &gater{}, &traffic{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// Whoever asks us for records and whoever answers badly cannot hold us up.
func TestNeighbourThatAnswersBadlyWhomItKnows(t *testing.T) {
	entry := freePort(t)
	bad := listen(t, withEntry(entry))
	bad.net.SetStreamHandler(recordsProtocol, func(s network.Stream) { // never answers
		<-bad.ctx.Done()
		s.Reset()
	})
	if !bad.entry.step(t.Context(), time.Now()) {
		t.Fatal("the port is not free")
	}
	hub := start(t)
	a := start(t, withEntry(entry), withSeeds(hostport(t, hub)))
	b := start(t, withSeeds(hostport(t, hub)))
	within(t, 3*time.Second, "others are found meanwhile", func() bool { return knows(a, b, hub, bad) })
}

func TestMDNSOffersOnlyAddressesThatNeedNoNameServer(t *testing.T) {
	a := listen(t)
	id := peerOf(someone().PublicKey())
	finder := mdnsFinder{a.hints}
	finder.HandlePeerFound(peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{ma.StringCast("/dns4/example.org/tcp/1")}})
	finder.HandlePeerFound(peer.AddrInfo{ID: a.net.ID(), Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}})
	if len(a.hints.queue) != 0 {
		t.Error("queued")
	}
	found := peer.AddrInfo{ID: id, Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}}
	finder.HandlePeerFound(found)
	finder.HandlePeerFound(found)
	if len(a.hints.queue) != 1 {
		t.Errorf("queued %d times", len(a.hints.queue))
	}
}

func TestProveGivesUpOnASilentPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := prove(ctx, l.Addr().String(), nil); err == nil {
		t.Error("a port that says nothing proved a key")
	}
}
