package sealed

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"intercom/core/identity"
	"intercom/core/store"
)

func TestGreetingOpensForItsChannelAndItsReaderAlone(t *testing.T) {
	a, b, c := someone("a").PublicKey(), someone("b").PublicKey(), someone("c").PublicKey()
	ch := ChannelOf("x")
	rapid.Check(t, func(t *rapid.T) {
		g := greeting{
			Standing: Standing{Epoch: rapid.Uint64Range(1, maxEpoch).Draw(t, "epoch"), KID: KID{7}, Revocations: [32]byte{8}},
			proof:    rapid.SliceOfN(rapid.Byte(), 0, MaxProof).Draw(t, "proof"),
		}
		wire, nonce := g.encode(ch, route{from: a, to: b})
		read, err := decodeGreeting(wire, ch, route{from: a, to: b})
		if err != nil || read.Standing != g.Standing || !bytes.Equal(read.proof, g.proof) {
			t.Fatalf("read %+v, %v", read, err)
		}
		if len(wire) > maxGreeting || (len(g.proof) < 900 && len(wire) != greetHead+greetStep+16) {
			t.Fatalf("%d bytes tell how long the proof of %d is", len(wire), len(g.proof))
		}
		for what, wrong := range map[string]route{
			"another reader": {from: a, to: c}, "another sender": {from: c, to: b}, "an answer": {from: a, to: b, answers: nonce},
		} {
			if _, err := decodeGreeting(wire, ch, wrong); err == nil {
				t.Fatalf("%s may be claimed", what)
			}
		}
		if _, err := decodeGreeting(wire, ChannelOf("y"), route{from: a, to: b}); err == nil {
			t.Fatal("another channel opens it")
		}
	})
}

func FuzzGreeting(f *testing.F) {
	ch, r := ChannelOf("x"), route{}
	good, _ := greeting{Standing: Standing{Epoch: 1, KID: KID{1}}, proof: []byte("{}")}.encode(ch, r)
	f.Add(good, false)
	f.Add(make([]byte, greetStep), true)
	f.Add([]byte{}, true)
	f.Fuzz(func(t *testing.T, data []byte, inside bool) {
		if inside { // by somebody who knows the name
			nonce := make([]byte, 24)
			data = newAEAD(greetKey(ch)).Seal(append(findTag(ch, nonce), nonce...), nonce, data, r.associated())
		}
		g, err := decodeGreeting(data, ch, r)
		if err == nil && (len(g.proof) > MaxProof || g.Epoch > maxEpoch) {
			t.Fatalf("%+v", g)
		}
	})
}

func FuzzGift(f *testing.F) {
	key := Key{1}
	ch := ChannelOf("x")
	rec := NewRecord(someone("alice"), ch, 1, key.Derive(ch).KID, [32]byte{}, time.UnixMilli(1))
	f.Add(newGift(&Held{Record: rec, Key: key}, [][]byte{[]byte("one"), {}}).encode())
	f.Add(newGift(nil, nil).encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := decodeGift(data)
		if err == nil && !bytes.Equal(g.encode(), data) {
			t.Fatalf("%x is read as %x", data, g.encode())
		}
	})
}

func FuzzRecord(f *testing.F) {
	rec := NewRecord(someone("alice"), ChannelOf("x"), 1, KID{}, [32]byte{}, time.UnixMilli(1))
	f.Add(rec.Encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := DecodeRecord(data)
		if err == nil && !bytes.Equal(r.Encode(), data) {
			t.Fatal("two forms of a record")
		}
		_ = r.Verify()
	})
}

func TestGiftLeavesOutWhatDoesNotFit(t *testing.T) {
	many := make([][]byte, MaxRevocations+1)
	for i := range many {
		many[i] = make([]byte, 1500)
	}
	many[3] = make([]byte, MaxRevocationSize+1)
	data := newGift(nil, many).encode()
	g, err := decodeGift(data)
	if err != nil || len(data) > maxGift || len(g.revocations) < 2000 {
		t.Errorf("%d bytes, %d revocations, %v", len(data), len(g.revocations), err)
	}
}

// loneKeeper is a keeper whose network the test plays.
func loneKeeper(t *testing.T, self *identity.Identity, inviters ...identity.PublicKey) (*Keeper, *node, *gate) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	n := &node{world: newWorld(), key: self.PublicKey()}
	k := NewKeeper(n, self, s.Space("sealed"), slog.New(slog.DiscardHandler))
	g := newGate(self.PublicKey(), nil, inviters...)
	c, err := k.Open(channelName, g, func() {})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Rekey(time.Now()); err != nil {
		t.Fatal(err)
	}
	return k, n, g
}

// A stranger cannot tell a channel that is not there from one that it may not
// enter: not one byte comes back, whatever it says.
func TestStrangerIsToldNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice, mallory := someone("alice"), someone("mallory")
		_, n, g := loneKeeper(t, alice, alice.PublicKey())
		to := route{from: mallory.PublicKey(), to: alice.PublicKey()}
		member := someone("bob")
		g.Present(member.PublicKey(), invite(alice, member.PublicKey()), time.Now())
		here, _ := greeting{}.encode(ChannelOf(channelName), to)
		forged, _ := greeting{proof: invite(mallory, mallory.PublicKey())}.encode(ChannelOf(channelName), to)
		anothers, _ := greeting{proof: invite(alice, member.PublicKey())}.encode(ChannelOf(channelName), to)
		elsewhere, _ := greeting{proof: invite(alice, mallory.PublicKey())}.encode(ChannelOf("elsewhere"), to)
		replayed, _ := greeting{proof: invite(alice, member.PublicKey())}.encode(ChannelOf(channelName), route{from: member.PublicKey(), to: alice.PublicKey()})
		for what, wire := range map[string][]byte{
			"no proof": here, "an invite by a stranger": forged, "another's invite": anothers,
			"a channel that is not there": elsewhere, "a member's greeting": replayed, "noise": make([]byte, 2000), "nothing": {},
		} {
			if got := greet(t, n, mallory.PublicKey(), wire); len(got) > 0 {
				t.Errorf("%s is answered with %d bytes", what, len(got))
			}
		}
		good, _ := greeting{proof: invite(alice, mallory.PublicKey())}.encode(ChannelOf(channelName), to)
		if got := greet(t, n, mallory.PublicKey(), good); len(got) == 0 {
			t.Error("an invitee is not answered")
		}
	})
}

// greet sends one greeting and gives all that comes back within a minute.
func greet(t *testing.T, n *node, from identity.PublicKey, wire []byte) []byte {
	t.Helper()
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		n.serv(context.Background(), from, pipe{there})
		there.Close()
	}()
	here.SetDeadline(time.Now().Add(time.Minute))
	if err := writeMessage(here, wire); err != nil {
		t.Fatal(err)
	}
	got, _ := io.ReadAll(io.LimitReader(here, 64))
	here.Close()
	<-done
	return got
}

func TestSilentPeerIsHungUpOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		alice := someone("alice")
		_, n, _ := loneKeeper(t, alice, alice.PublicKey())
		here, there := net.Pipe()
		begin := time.Now()
		n.serv(context.Background(), someone("mallory").PublicKey(), pipe{there})
		if took := time.Since(begin); took != meetTimeout {
			t.Errorf("after %v", took)
		}
		here.Close()
	})
}

func TestGreetingsAreBounded(t *testing.T) {
	g := newGauge()
	now := time.Unix(1, 0)
	mallory := someone("mallory").PublicKey()
	passed := 0
	for range 2 * greetBurst {
		if g.pass(mallory, now) {
			passed++
		}
	}
	if passed != greetBurst || !g.pass(someone("alice").PublicKey(), now) {
		t.Errorf("%d passed", passed)
	}
	if now = now.Add(greetEvery); !g.pass(mallory, now) || g.pass(mallory, now) {
		t.Error("the budget does not fill as it should")
	}
	for i := range 2 * gaugedPeers {
		g.pass(identity.PublicKey{byte(i), byte(i >> 8), 1}, now)
	}
	if len(g.full) > gaugedPeers {
		t.Errorf("%d peers are remembered", len(g.full))
	}
}

// A member cannot make others take a key that no inviter signed.
func TestOnlyInvitersMakeKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		alice := someone("alice")
		a, b := w.peer(t, "alice", nil, alice), w.peer(t, "bob", alice, alice)
		defer a.stop()
		defer b.stop()
		w.link(a, b, true)
		wait(3 * time.Second)
		before := a.current()
		key := NewKey()
		for what, signer := range map[string]*identity.Identity{"a member": b.id, "a stranger": someone("mallory")} {
			rec := NewRecord(signer, a.circle.ch, 9, key.Derive(a.circle.ch).KID, [32]byte{}, time.Now())
			if change, _ := a.circle.take(&Held{Record: rec, Key: key}, time.Now()); change != Refused {
				t.Errorf("%s makes a key: %d", what, change)
			}
			rec.Inviter = alice.PublicKey()
			if change, _ := a.circle.take(&Held{Record: rec, Key: key}, time.Now()); change != Refused {
				t.Errorf("%s makes a key in the inviter's name: %d", what, change)
			}
		}
		if ok, _ := b.circle.Rekey(time.Now()); ok {
			t.Error("a member may rekey")
		}
		if a.current() != before {
			t.Error("the key changed")
		}
	})
}
