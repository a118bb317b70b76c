package sealed

import (
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/identity"
	"intercom/core/store"
)

// wait lets virtual time pass.
func wait(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestInviteeGetsTheKeyAndAStrangerNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		alice := someone("alice")
		a, b := w.peer(t, "alice", nil, alice), w.peer(t, "bob", alice, alice)
		mallory := w.peer(t, "mallory", someone("mallory"), alice) // an invite by herself
		defer a.stop()
		defer b.stop()
		defer mallory.stop()
		w.link(a, b, true)
		w.link(a, mallory, true)
		w.link(b, mallory, true)
		wait(3 * time.Second)
		if !reads(a, b) || !reads(b, a) || a.current().Epoch != 1 {
			t.Errorf("the invitee has %+v, the inviter %+v", b.current(), a.current())
		}
		wait(10 * time.Minute)
		if mallory.current().Epoch != 0 {
			t.Error("a stranger got a key")
		}
	})
}

func TestLateJoinerAsksAnyMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		alice := someone("alice")
		a, b := w.peer(t, "alice", nil, alice), w.peer(t, "bob", alice, alice)
		w.link(a, b, true)
		wait(3 * time.Second)
		a.stop() // the inviter is away
		c := w.peer(t, "carol", alice, alice)
		defer b.stop()
		defer c.stop()
		w.link(b, c, true)
		wait(3 * time.Second)
		if !reads(b, c) || !reads(c, b) {
			t.Errorf("the late joiner has %+v", c.current())
		}
	})
}

func TestRevocationCutsOffWithinAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		alice := someone("alice")
		a, b, c := w.peer(t, "alice", nil, alice), w.peer(t, "bob", alice, alice), w.peer(t, "carol", alice, alice)
		w.link(a, b, true)
		w.link(a, c, true)
		w.link(b, c, true)
		wait(3 * time.Second)
		if !reads(a, c) {
			t.Fatal("carol is not in")
		}
		a.gate.Revoke([][]byte{revocation(alice, c.key())}, time.Now())
		wait(time.Second)
		if !reads(a, b) || !reads(b, a) || a.current().Epoch != 2 {
			t.Errorf("the members have %+v and %+v", a.current(), b.current())
		}
		if reads(a, c) || reads(b, c) {
			t.Error("the revoked member still reads")
		}
		if !reads(c, a) {
			t.Error("the old key is not accepted while it may still be in use")
		}
		wait(Grace)
		if reads(c, a) || reads(c, b) {
			t.Error("the old key is accepted after its time")
		}
		a.circle.mu.Lock()
		aged := a.circle.ring
		aged.Learned = time.Now().Add(-MaxKeyAge)
		if err := a.circle.keep(aged); err != nil {
			t.Fatal(err)
		}
		a.circle.mu.Unlock()
		for _, m := range []*member{a, b, c} {
			m.restart(t)
			defer func() { m.stop() }()
		}
		wait(5 * time.Second)
		if c.current().Epoch > 1 {
			t.Error("the revoked member got the next key")
		}
		if a.current().Epoch != 3 || b.current() != a.current() {
			t.Errorf("after seven days: %d and %d", a.current().Epoch, b.current().Epoch)
		}
	})
}

func TestMemberThatWasAwayCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		alice := someone("alice")
		a, b, c := w.peer(t, "alice", nil, alice), w.peer(t, "bob", alice, alice), w.peer(t, "carol", alice, alice)
		w.link(a, b, true)
		w.link(a, c, true)
		wait(3 * time.Second)
		w.link(a, c, false)
		a.gate.Revoke([][]byte{revocation(alice, someone("dave").PublicKey())}, time.Now())
		wait(time.Second)
		a.stop()
		w.link(b, c, true)
		wait(30 * time.Second)
		defer b.stop()
		defer c.stop()
		if c.current() != b.current() || c.current().Epoch != 2 {
			t.Errorf("carol has %+v, bob %+v", c.current(), b.current())
		}
		if len(c.gate.Revocations()) != 1 {
			t.Error("the revocation did not come with the key")
		}
	})
}

func TestTwoInvitersAtOnceAgree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		alice, bob := someone("alice"), someone("bob")
		a, b := w.peer(t, "alice", nil, alice, bob), w.peer(t, "bob", nil, bob, alice)
		c, d := w.peer(t, "carol", alice, alice, bob), w.peer(t, "dave", bob, bob, alice)
		for _, m := range []*member{a, b, c, d} {
			defer m.stop()
		}
		w.link(a, c, true)
		w.link(b, d, true)
		wait(5 * time.Second)
		if a.current().Epoch != 1 || b.current().Epoch != 1 || a.current() == b.current() {
			t.Fatalf("apart: %+v, %+v", a.current(), b.current())
		}
		w.link(a, b, true)
		wait(20 * time.Second)
		for _, m := range []*member{b, c, d} {
			if m.current() != a.current() {
				t.Errorf("%s has %v, alice %v", m.name, m.current().KID, a.current().KID)
			}
		}
		a.gate.Revoke([][]byte{revocation(alice, c.key())}, time.Now())
		b.gate.Revoke([][]byte{revocation(bob, d.key())}, time.Now())
		wait(30 * time.Second)
		if a.current() != b.current() || a.current().Honours != HashRevocations(a.gate.Revocations()) {
			t.Errorf("after two revocations at once: %+v, %+v", a.current(), b.current())
		}
		epoch := a.current().Epoch
		wait(time.Hour)
		if a.current().Epoch != epoch {
			t.Errorf("keys change without a reason: %d, then %d", epoch, a.current().Epoch)
		}
	})
}

func TestInvitersWhoTrustDifferentListsComeToRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		alice, bob, eve := someone("alice"), someone("bob"), someone("eve")
		a, b := w.peer(t, "alice", nil, alice, bob), w.peer(t, "bob", nil, bob, alice, eve)
		defer a.stop()
		defer b.stop()
		w.link(a, b, true)
		wait(10 * time.Second)
		b.gate.Revoke([][]byte{revocation(eve, someone("x").PublicKey())}, time.Now()) // which alice does not know of
		wait(time.Minute)
		epoch := a.current().Epoch
		if epoch > 1+2*maxRekeys {
			t.Errorf("%d epochs for one revocation", epoch)
		}
		wait(time.Hour)
		if a.current().Epoch != epoch || b.current() != a.current() {
			t.Errorf("no rest: %d, then %d and %d", epoch, a.current().Epoch, b.current().Epoch)
		}
	})
}

func TestRestartsNeedNoNewInvite(t *testing.T) {
	for name, who := range map[string][]bool{"inviter": {true, false}, "invitee": {false, true}, "both": {true, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld()
				alice := someone("alice")
				a, b := w.peer(t, "alice", nil, alice), w.peer(t, "bob", alice, alice)
				w.link(a, b, true)
				wait(3 * time.Second)
				before := a.current()
				if who[0] {
					a.restart(t)
				}
				if who[1] {
					b.restart(t)
				}
				defer func() { a.stop(); b.stop() }()
				if a.current() != before || !reads(a, b) || !reads(b, a) {
					t.Error("keys were lost")
				}
				wait(2 * time.Second)
				if _, err := a.circle.Rekey(time.Now()); err != nil {
					t.Fatal(err)
				}
				wait(time.Second)
				if a.current().Epoch != before.Epoch+1 || !reads(a, b) || !reads(b, a) {
					t.Errorf("the next key did not arrive: %+v, %+v", a.current(), b.current())
				}
			})
		})
	}
}

// BenchmarkRound is what a peer in 1024 invite-only channels with 48 neighbours,
// none of whom is in one, does twice a second while nothing happens.
func BenchmarkRound(b *testing.B) {
	alice := someone("alice")
	s, err := store.OpenMemory()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	w := newWorld()
	k := NewKeeper(&node{world: w, key: alice.PublicKey()}, alice, s.Space("sealed"), slog.New(slog.DiscardHandler))
	for i := range 1024 {
		if _, err := k.Open(fmt.Sprint(i), newGate(alice.PublicKey(), nil, alice.PublicKey()), func() {}); err != nil {
			b.Fatal(err)
		}
	}
	connected := map[identity.PublicKey]bool{}
	for i := range 48 {
		connected[identity.PublicKey{byte(i)}] = true
	}
	now := time.Now()
	for _, c := range k.list() {
		for _, peer := range c.company(connected, now) {
			c.appoint(peer, now)
		}
	}
	var meetings sync.WaitGroup
	for b.Loop() {
		for _, c := range k.list() {
			k.tend(b.Context(), c, connected, &meetings)
		}
	}
	meetings.Wait()
}
