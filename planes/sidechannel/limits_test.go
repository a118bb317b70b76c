package sidechannel

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"intercom/core/identity"
	"intercom/core/p2p"
)

// Without relaying, what arrives is delivered and goes no further.
func TestRelayCanBeSwitchedOff(t *testing.T) {
	net := newSimnet()
	open, shut := Config{Channels: []ChannelName{"trip"}}, Config{Channels: []ChannelName{"trip"}, Policy: Policy{NoRelay: true}}
	alice, bob, carol := newPeer(t, net, "alice", open), newPeer(t, net, "bob", shut), newPeer(t, net, "carol", open)
	net.link(alice.id.PublicKey(), bob.id.PublicKey())
	net.link(bob.id.PublicKey(), carol.id.PublicKey())
	for _, p := range []*peer{alice, bob, carol} {
		p.start(t)
	}
	send(t, alice, "trip", `"hello"`)
	net.flush()
	if got := bob.events(t, "sidechannel_message"); len(got) != 1 {
		t.Errorf("the middle heard %v", got)
	}
	if got := carol.events(t, "sidechannel_message"); len(got) != 0 {
		t.Errorf("it was passed on: %v", got)
	}
}

// An author who floods with good frames is blocked as an author, over whatever
// neighbour they come; the neighbour is not.
func TestFloodingAuthorIsBlockedNotItsRelay(t *testing.T) {
	bob := newPeer(t, newSimnet(), "bob", Config{Channels: []ChannelName{"trip"}})
	bob.start(t)
	ch, relay, mallory := bob.find("trip"), someone("alice").PublicKey(), someone("mallory")
	text := json.RawMessage(`"` + strings.Repeat("x", 100_000) + `"`)
	blocked := false
	for i := 0; i < 200 && !blocked; i++ {
		f, err := newFrame(mallory, `"trip"`, text, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		bob.check(ch, "", &p2p.Message{From: relay, Data: f.encode()})
		blocked = ch.tally.counts().Dropped[Blocked] > 0
	}
	if !blocked {
		t.Fatalf("not blocked: %+v", ch.tally.counts())
	}
	f, _ := newFrame(someone("alice"), `"trip"`, []byte("1"), time.Now())
	if got := bob.check(ch, "", &p2p.Message{From: relay, Data: f.encode()}); got != p2p.Accept {
		t.Error("the relay was blocked for what it passed on")
	}
	if got := bob.call(t, "", "sc_stats", `{}`); got["blocked"] != 1.0 {
		t.Errorf("sc_stats: %v", got["blocked"])
	}
}

// Keys are free, addresses less so: many keys behind one pay together.
func TestAddressIsBlockedToo(t *testing.T) {
	net := newSimnet()
	bob := newPeer(t, net, "bob", Config{})
	bob.start(t)
	now := time.Now()
	for i := 0; i < 1000 && !bob.screen.limits.blocked(addressPurse("192.0.2.7"), now); i++ {
		key := someone(fmt.Sprint("sybil", i)).PublicKey()
		net.node(key).address = "192.0.2.7"
		bob.charge(key, now, 500_000)
	}
	fresh := someone("one more").PublicKey()
	net.node(fresh).address = "192.0.2.7"
	if !bob.barred(fresh, now) {
		t.Error("a new key of a blocked address is heard")
	}
	if other := someone("other").PublicKey(); bob.barred(other, now) {
		t.Error("everybody is blocked")
	}
}

// May answers by policy: the ledger asks it.
func TestMayAnswersByPolicy(t *testing.T) {
	net := newSimnet()
	alice, bob, carol := someone("alice").PublicKey(), someone("bob").PublicKey(), someone("carol").PublicKey()
	me := newPeer(t, net, "me", Config{Channels: []ChannelName{"open", "news"}, Policy: Policy{
		Owners: map[ChannelName]identity.PublicKey{"news": alice}, OwnerWriteIn: []ChannelName{"news"},
	}})
	me.start(t)
	me.call(t, "", "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	law, _ := me.law("crew")
	if err := law.Present(bob, newInvite(me.id, "crew", bob, time.Now(), time.Hour).JSON(), time.Now()); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		channel     string
		peer        identity.PublicKey
		read, write bool
	}{
		{"open", carol, true, true}, {"news", alice, true, true}, {"news", carol, true, false},
		{"crew", bob, true, true}, {"crew", carol, false, false}, {"crew", me.id.PublicKey(), true, true}, {"not joined", bob, false, false},
	} {
		if read, write := me.May(c.channel, c.peer, Read), me.May(c.channel, c.peer, Write); read != c.read || write != c.write {
			t.Errorf("%s, %.8s: read %v, write %v", c.channel, c.peer, read, write)
		}
	}
	me.call(t, "", "sc_revoke", fmt.Sprintf(`{"channel":"crew","pubkey":"%s"}`, bob))
	if me.May("crew", bob, Read) {
		t.Error("a revoked guest reads")
	}
}

// Posting waits for nothing, and what was posted arrives in order.
func TestPostedMessagesArriveInOrder(t *testing.T) {
	net, alice, bob := pair(t, Config{Channels: []ChannelName{"trip"}, Policy: Policy{Work: Work{Bits: 10}}})
	for i := range 20 {
		if _, peers, err := alice.Post(t.Context(), "trip", json.RawMessage(fmt.Sprint(i))); err != nil || peers != 1 {
			t.Fatal(peers, err)
		}
	}
	eventually(t, "20 messages", func() bool { net.flush(); return len(bob.events(t, "sidechannel_message")) == 20 })
	for i, got := range bob.events(t, "sidechannel_message") {
		if !strings.HasSuffix(got, fmt.Sprintf(`"message":%d}`, i)) {
			t.Fatalf("place %d: %s", i, got)
		}
	}
}

// A newcomer that knows the owner hears nothing until a member hands the welcome
// over, which it does by itself.
func TestMembersHandTheWelcomeOver(t *testing.T) {
	net := newSimnet()
	owner := someone("alice").PublicKey()
	known := Config{Channels: []ChannelName{"trip"}, Policy: Policy{Owners: map[ChannelName]identity.PublicKey{"trip": owner}}}
	alice, bob := newPeer(t, net, "alice", known), newPeer(t, net, "bob", known)
	net.link(owner, bob.id.PublicKey())
	alice.start(t)
	bob.start(t)
	if got := bob.call(t, "", "sc_join", `{"channel":"trip"}`); got["joined"] != true || got["welcome"] != "missing" || got["hint"] == "" {
		t.Errorf("joining without a welcome: %v", got)
	}
	if got := bob.call(t, "", "sc_send", `{"channel":"trip","message":1}`); got["welcome"] != "missing" {
		t.Errorf("sending without a welcome: %v", got)
	}
	send(t, alice, "trip", `"unheard"`)
	net.flush()
	alice.call(t, "", "sc_welcome", `{"channel":"trip","text":"hi"}`)
	eventually(t, "the welcome", func() bool {
		net.flush()
		return bob.call(t, "", "sc_join", `{"channel":"trip"}`)["welcome"] == "verified"
	})
	send(t, alice, "trip", `"heard"`)
	net.flush()
	if got := bob.events(t, "sidechannel_message"); len(got) != 1 || !strings.Contains(got[0], `"heard"`) {
		t.Errorf("bob heard %v", got)
	}
}

// What was learned of a channel is there after a restart.
func TestLawOutlivesARestart(t *testing.T) {
	disk, net := newStore(t), newSimnet()
	bob := someone("bob").PublicKey()
	me := newPeer(t, net, "me", Config{}, disk)
	stop := me.start(t)
	me.call(t, "", "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	me.call(t, "", "sc_welcome", `{"channel":"crew","text":"kept"}`)
	law, _ := me.law("crew")
	v := newInvite(me.id, "crew", bob, time.Now().Add(-time.Minute), time.Hour)
	if err := law.Present(bob, v.JSON(), time.Now()); err != nil {
		t.Fatal(err)
	}
	me.call(t, "", "sc_revoke", `{"channel":"crew","pubkey":"`+otherKey+`"}`)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	again := newPeer(t, net, "me", Config{}, disk)
	again.start(t)
	if !again.May("crew", bob, Write) || len(again.laws["crew"].Revocations()) != 1 {
		t.Error("a guest or a revocation was forgotten")
	}
	if got := again.call(t, "", "sc_join", `{"channel":"crew"}`); got["open"] != false || got["welcome_text"] != "kept" {
		t.Errorf("sc_join: %v", got)
	}
}

// BenchmarkWork is what a proof of work costs an author, and its check a member.
func BenchmarkWork(b *testing.B) {
	for _, n := range benchSizes {
		d, err := newDraft(someone("alice").PublicKey(), `"trip"`, benchMessage(n), time.Now())
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint("prove 12 bits ", n), func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				d.ts = int64(1 + i) // another proof each time
				if err := d.prove(b.Context(), d.canonical, 12); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprint("check ", n), func(b *testing.B) {
			for b.Loop() {
				d.worked(d.canonical, 12)
			}
		})
	}
}

// BenchmarkBlocked is what a frame of a blocked neighbour costs.
func BenchmarkBlocked(b *testing.B) {
	bob := newPeer(b, newSimnet(), "bob", Config{})
	mallory := someone("mallory").PublicKey()
	bob.screen.limits.block(neighbourPurse(mallory), time.Now().Add(time.Hour), time.Now())
	m, ch := &p2p.Message{From: mallory, Data: make([]byte, 700)}, bob.find(Entry)
	bob.carry(ch)
	for b.Loop() {
		bob.check(ch, "", m)
	}
}
