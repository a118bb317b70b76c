package sidechannel

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
	"intercom/core/p2p"
)

var benchSizes = []int{100, 1 << 10, 64 << 10}

// benchMessage is an object of about n bytes, with members out of order.
func benchMessage(n int) []byte {
	return fmt.Appendf(nil, `{"text":%q,"n":17,"list":[1,2,3]}`, strings.Repeat("x", max(0, n-38)))
}

// BenchmarkVerify is the floor under BenchmarkCheck: the signature alone.
func BenchmarkVerify(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			alice := someone("alice")
			f, err := newFrame(alice, `"trip"`, benchMessage(n), time.Now())
			if err != nil {
				b.Fatal(err)
			}
			canonical, _ := canon.JSON(f.message)
			base, key := f.base(canonical), alice.PublicKey()
			sig, _ := hex.DecodeString(f.sig)
			b.SetBytes(int64(n))
			for b.Loop() {
				if !identity.Verify(key, base, sig) {
					b.Fatal("bad signature")
				}
			}
		})
	}
}

// BenchmarkCheck is what a received frame costs until it is accepted.
func BenchmarkCheck(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			alice := someone("alice")
			bob := newPeer(b, newSimnet(), "bob", Config{Policy: Policy{Rates: Rates{Unlimited: true}}})
			ch := bob.find(Entry)
			bob.carry(ch)
			f, err := newFrame(alice, ch.quoted, benchMessage(n), time.Now())
			if err != nil {
				b.Fatal(err)
			}
			m := &p2p.Message{From: alice.PublicKey(), Data: f.encode()}
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				bob.screen.seen = newReplay(time.Time{}, replayLimit)
				if got := bob.check(ch, "", m); got != p2p.Accept {
					b.Fatal("not accepted")
				}
			}
		})
	}
}

// BenchmarkSend is what a send costs until it is handed to the network.
func BenchmarkSend(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			alice := newPeer(b, newSimnet(), "alice", Config{})
			message := json.RawMessage(benchMessage(n))
			b.SetBytes(int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := alice.Send(b.Context(), Entry, message); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkChain is a message from the operation sc_send to the event at the
// other peer, without a network between.
func BenchmarkChain(b *testing.B) {
	for _, n := range benchSizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			net := newSimnet()
			alice, bob := newPeer(b, net, "alice", Config{}), newPeer(b, net, "bob", Config{})
			net.link(alice.id.PublicKey(), bob.id.PublicKey())
			alice.start(b)
			bob.start(b)
			params := fmt.Sprintf(`{"channel":"0000intercom","message":%s}`, benchMessage(n))
			at := bob.hub.Now()
			b.SetBytes(int64(n))
			for b.Loop() {
				alice.call(b, "bench", "sc_send", params)
				net.flush()
				batch, err := bob.hub.Read(b.Context(), at, 1)
				if err != nil || len(batch.Events) != 1 {
					b.Fatal("no event")
				}
				at = batch.Next
			}
		})
	}
}

// BenchmarkRefuse is what a frame costs that is refused: at its form, its
// channel, its date, and its signature.
func BenchmarkRefuse(b *testing.B) {
	alice := someone("alice")
	now := time.Now()
	old, _ := newFrame(alice, `"trip"`, benchMessage(100), now.Add(-time.Hour))
	other, _ := newFrame(alice, `"other"`, benchMessage(100), now)
	forged, _ := newFrame(alice, `"trip"`, benchMessage(100), now)
	forged.from = someone("bob").PublicKey().String()
	forged.id = newID(forged.from, forged.ts)
	for reason, data := range map[Reason][]byte{
		Malformed: []byte(`{"type":"sidechannel"}`), WrongChannel: other.encode(), TooOld: old.encode(), BadSignature: forged.encode(),
	} {
		b.Run(string(reason), func(b *testing.B) {
			s := newScreen(time.Time{})
			for b.Loop() {
				if _, got := judge(s, now, arrival{name: "trip", quoted: `"trip"`, law: openLaw("trip"), data: data}); got != reason {
					b.Fatal(got)
				}
			}
		})
	}
}
