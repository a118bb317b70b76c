package p2p

import (
	"bytes"
	"crypto/ed25519"
	"strings"
	"testing"
	"time"

	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/record"
	ma "github.com/multiformats/go-multiaddr"
	"pgregory.net/rapid"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
)

func TestKeyAndPeerIDAreTwoSpellings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var key identity.PublicKey
		copy(key[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "key"))
		pub, err := crypto.UnmarshalEd25519PublicKey(key[:])
		if err != nil {
			t.Fatal(err)
		}
		want, err := peer.IDFromPublicKey(pub)
		if err != nil || peerOf(key) != want {
			t.Fatalf("peerOf gives %s, libp2p %s", peerOf(key), want)
		}
		if back, ok := keyOf(want); !ok || back != key {
			t.Fatalf("keyOf gives %s %v", back, ok)
		}
		longer := peer.ID(string(want) + rapid.StringN(1, 3, -1).Draw(t, "more"))
		if _, ok := keyOf(longer); ok {
			t.Fatal("an id with more at its end is taken")
		}
	})
}

func TestBackoffGrowsToItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := time.Duration(rapid.Int64Range(1, int64(time.Second)).Draw(t, "first"))
		most := first * time.Duration(rapid.Int64Range(1, 1000).Draw(t, "most"))
		n := rapid.IntRange(0, 1<<20).Draw(t, "failures")
		now, next := backoff(first, most, n), backoff(first, most, n+1)
		if now < first || next < now || next > most {
			t.Fatalf("after %d failures %v, then %v", n, now, next)
		}
		if j := jitter(now); j < now-now/8 || j > now+now/4 {
			t.Fatalf("%v becomes %v", now, j)
		}
	})
}

// However frames come and go, what the intake thinks is waiting is exact, and
// within its bounds.
func TestIntakeIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := newIntake(new(frameCounters))
		in.Join("a")
		peers := []peer.ID{"x", "y", "z"}
		type waiting struct {
			from peer.ID
			m    *pb.Message
		}
		var queue []waiting
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(queue) > 0 && rapid.Bool().Draw(t, "settle") {
				w := queue[0]
				queue = queue[1:]
				msg := &pubsub.Message{Message: w.m, ReceivedFrom: w.from}
				switch rapid.IntRange(0, 3).Draw(t, "how") {
				case 0:
					in.DuplicateMessage(msg)
				case 1:
					in.RejectMessage(msg, pubsub.RejectValidationQueueFull)
				case 2:
					in.ValidateMessage(msg)
				case 3:
					in.ValidateMessage(msg)
					in.RejectMessage(msg, pubsub.RejectValidationFailed)
				}
				continue
			}
			from := rapid.SampledFrom(peers).Draw(t, "from")
			packet := &pubsub.RPC{}
			for range rapid.IntRange(0, 6).Draw(t, "frames") {
				topic := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "topic")
				packet.Publish = append(packet.Publish, &pb.Message{
					Topic: &topic, Data: make([]byte, rapid.IntRange(0, 4<<20).Draw(t, "size")),
				})
			}
			if err := in.inspect(from, packet); err != nil {
				t.Fatal(err)
			}
			for _, m := range packet.Publish {
				queue = append(queue, waiting{from, m})
			}
		}
		total, of := 0, map[peer.ID]int{}
		for _, w := range queue {
			total += frameCost(w.m)
			of[w.from] += frameCost(w.m)
		}
		if in.total != total || len(in.waiting) != len(of) || total > intakeTotal {
			t.Fatalf("thinks %d of %d neighbours wait, not %d of %d", in.total, len(in.waiting), total, len(of))
		}
		for id, bytes := range of {
			if in.waiting[id] != bytes || bytes > intakeNeighbour {
				t.Fatalf("thinks %d bytes of %s wait, not %d", in.waiting[id], id, bytes)
			}
		}
	})
}

func TestSubscriptionsAreBoundedPerNeighbour(t *testing.T) {
	s := newSubscriptions()
	announce := func(from peer.ID, topic string, on bool) int {
		kept, err := s.FilterIncomingSubscriptions(from, []*pb.RPC_SubOpts{{Topicid: &topic, Subscribe: &on}})
		if err != nil {
			t.Fatal(err)
		}
		return len(kept)
	}
	for i := range neighbourTopics + 10 {
		if got, want := announce("x", strings.Repeat("t", i%200+1)+string(rune('a'+i/200)), true), 1; got != want && i < neighbourTopics {
			t.Fatalf("topic %d is refused", i)
		}
	}
	if announce("x", "one more", true) != 0 {
		t.Error("too many topics are taken")
	}
	if announce("y", "one more", true) != 1 || announce("x", "t"+"a", false) != 1 || announce("x", "one more", true) != 1 {
		t.Error("room is not given back")
	}
	if announce("y", "", true)+announce("y", strings.Repeat("t", maxTopic+1), true) != 0 {
		t.Error("an impossible name is taken")
	}
	s.forget("x")
	s.forget("y")
	if s.total != 0 || len(s.of) != 0 {
		t.Errorf("%d topics of %d neighbours stay", s.total, len(s.of))
	}
}

func TestBookForgetsTheOldestAndGivesUp(t *testing.T) {
	b := newBook()
	now := time.Unix(1_000_000, 0)
	addr := []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}
	id := func(i int) peer.ID { return peer.ID([]byte{byte(i >> 8), byte(i)}) }
	for i := range bookSize + 10 {
		b.arrived(id(i), addr, nil)
		b.gone(id(i), now.Add(time.Duration(i)*time.Millisecond))
	}
	if len(b.known) != bookSize || b.known[id(0)] != nil || b.known[id(bookSize+9)] == nil {
		t.Errorf("%d are known; the first %v", len(b.known), b.known[id(0)])
	}
	later := now.Add(10 * time.Second)
	if n := len(b.due(later)); n != bookSize {
		t.Errorf("%d are due", n)
	}
	if n := len(b.due(later)); n != 0 {
		t.Errorf("%d are due twice", n)
	}
	b.arrived(id(50), addr, []byte("record"))
	dials := 0
	for at := later; at.Before(now.Add(2 * redialGiveUp)); at = at.Add(10 * time.Second) {
		dials += len(b.due(at))
	}
	if len(b.known) != 1 || dials > bookSize*400 {
		t.Errorf("%d are known in the end, after %d dials", len(b.known), dials)
	}
	if got := b.records("someone"); len(got) != 1 || len(b.records(id(50))) != 0 {
		t.Errorf("records: %q", got)
	}
}

func TestRecordsSurviveTheWire(t *testing.T) {
	var all [][]byte
	for range maxRecords + 5 {
		all = append(all, sealed(t, someone().PrivateKey(), "/ip4/127.0.0.1/tcp/4001", "/dns4/example.org/tcp/1", "/ip4/0.0.0.0/tcp/1"))
	}
	var wire bytes.Buffer
	if err := writeRecords(&wire, all); err != nil {
		t.Fatal(err)
	}
	found, err := readRecords(&wire)
	if err != nil || len(found) != maxRecords {
		t.Fatalf("%d records, %v", len(found), err)
	}
	for _, info := range found {
		if len(info.Addrs) != 1 || info.Addrs[0].String() != "/ip4/127.0.0.1/tcp/4001" {
			t.Fatalf("addresses %v", info.Addrs)
		}
	}
}

func TestForgedRecordsAreLeftOut(t *testing.T) {
	good := sealed(t, someone().PrivateKey(), "/ip4/127.0.0.1/tcp/4001")
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if _, err := openRecord(bad); err == nil {
			t.Errorf("byte %d changed and the record still opens", i)
		}
	}
	// A record about somebody else, properly signed by its maker.
	victim := peerOf(someone().PublicKey())
	maker, err := crypto.UnmarshalEd25519PrivateKey(someone().PrivateKey())
	if err != nil {
		t.Fatal(err)
	}
	rec := &peer.PeerRecord{PeerID: victim, Seq: 1, Addrs: []ma.Multiaddr{ma.StringCast("/ip4/127.0.0.1/tcp/1")}}
	env, err := record.Seal(rec, maker)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := env.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := openRecord(raw); err == nil {
		t.Error("a record signed by another key opens")
	}
}

func sealed(t testing.TB, key ed25519.PrivateKey, addrs ...string) []byte {
	t.Helper()
	priv, err := crypto.UnmarshalEd25519PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	id, err := peer.IDFromPrivateKey(priv)
	if err != nil {
		t.Fatal(err)
	}
	rec := &peer.PeerRecord{PeerID: id, Seq: 1}
	for _, a := range addrs {
		rec.Addrs = append(rec.Addrs, ma.StringCast(a))
	}
	env, err := record.Seal(rec, priv)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := env.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestNearAddressesAreDialledOverTCPFirst(t *testing.T) {
	var addrs []ma.Multiaddr
	for _, a := range []string{
		"/ip4/192.168.1.2/udp/1/quic-v1", "/ip4/192.168.1.2/tcp/1",
		"/ip4/127.0.0.1/udp/1/quic-v1", "/ip4/127.0.0.1/tcp/1", "/ip4/8.8.8.8/tcp/1", "/ip4/8.8.8.8/udp/1/quic-v1",
	} {
		addrs = append(addrs, ma.StringCast(a))
	}
	ranked := rankDials(addrs)
	if len(ranked) != len(addrs) {
		t.Fatalf("%d of %d addresses", len(ranked), len(addrs))
	}
	delay := map[string]time.Duration{}
	for _, r := range ranked {
		delay[r.Addr.String()] = r.Delay
	}
	if delay["/ip4/127.0.0.1/tcp/1"] != 0 ||
		delay["/ip4/192.168.1.2/tcp/1"] >= delay["/ip4/192.168.1.2/udp/1/quic-v1"] ||
		delay["/ip4/8.8.8.8/udp/1/quic-v1"] >= delay["/ip4/8.8.8.8/tcp/1"] {
		t.Errorf("ranked %v", ranked)
	}
}

// A neighbour's answer is hostile: no input may panic, or give more than was
// asked for, or a peer whose signature does not hold.
func FuzzReadRecords(f *testing.F) {
	good := sealed(f, identity.FromSeed([32]byte{7}).PrivateKey(), "/ip4/127.0.0.1/tcp/4001", "/ip6/::1/udp/1/quic-v1")
	var wire bytes.Buffer
	if err := writeRecords(&wire, [][]byte{good, good}); err != nil {
		f.Fatal(err)
	}
	f.Add(wire.Bytes())
	f.Add(wire.Bytes()[:wire.Len()-1])
	f.Add([]byte{0, 0})
	f.Add([]byte{0xff, 0xff, 1})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		found, _ := readRecords(bytes.NewReader(data))
		if len(found) > maxRecords {
			t.Fatalf("%d records", len(found))
		}
		for _, info := range found {
			if _, ok := keyOf(info.ID); !ok || len(info.Addrs) == 0 || len(info.Addrs) > maxRecordAddrs {
				t.Fatalf("record %v", info)
			}
		}
	})
}

// What a user writes as an address is an error or something that can be used.
func FuzzAddresses(f *testing.F) {
	for _, text := range []string{
		":0", "127.0.0.1:4001", "[::1]:1", "localhost:0", "/ip4/0.0.0.0/tcp/0", "/ip4/1.2.3.4/udp/1/quic-v1",
		"example.org:49737", "/dns4/example.org/tcp/1", "/ip6zone/eth0/ip6/fe80::1/tcp/1", "/p2p-circuit", "/", "",
	} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, private bool) {
		if addrs, err := parseListen(text, private); err == nil {
			for _, a := range addrs {
				if kind := transportOf(a.addr); kind == "" || kind == "quic" && private {
					t.Fatalf("%q gives %s", text, a.addr)
				}
			}
		}
		if seed, err := parseSeed(text, private); err == nil && (seed.id == "") == (seed.hostport == "") {
			t.Fatalf("%q gives %+v", text, seed)
		}
	})
}
