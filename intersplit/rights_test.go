package intersplit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// invite is an invite as the world's channels read it.
func invite(inviter, invitee *peer, from, until time.Time) []byte {
	raw, _ := json.Marshal(Invite{inviter.id.PublicKey(), invitee.id.PublicKey(), from.UnixMilli(), until.UnixMilli()})
	return raw
}

func expense(payer, amount string) string {
	return fmt.Sprintf(`{"channel":"trip","payer":%q,"amount":%q,"split":"alice,bob"}`, payer, amount)
}

func (p *peer) total() string {
	p.world.t.Helper()
	var out BalanceResult
	decodeResult(p.world.t, p.must("expense_balance", `{"channel":"trip"}`), &out)
	if len(out.Totals) == 0 {
		return "0.00"
	}
	return out.Totals[0].Amount
}

func TestOnlyTheOwnerCountsUnderOwnerWrite(t *testing.T) {
	w := newWorld(t)
	owner, bob := w.join(1), w.join(2)
	bob.must("expense_add", expense("bob", "7")) // the channel was open then
	for _, p := range []*peer{owner, bob} {
		p.setPolicy(Policy{Owner: owner.id.PublicKey()})
	}
	owner.must("expense_add", expense("alice", "30"))
	until(t, "both agree", func() bool { return owner.export("trip") == bob.export("trip") && bob.total() == "30.00" })
	_, err := bob.call("expense_add", expense("bob", "1"))
	if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), owner.id.PublicKey().String()) {
		t.Error(err)
	}
	if got := owner.must("expense_list", `{"channel":"trip"}`).Text; !strings.Contains(got, withoutRight) && !strings.Contains(got, "unsupported") {
		t.Error(got)
	}
}

// An invited author counts from its join on, while its invite lives; what a
// revocation keeps counts for ever, and the rest never.
func TestInvitesDecideWhoCounts(t *testing.T) {
	w := newWorld(t)
	alice, bob, eve := w.join(1), w.join(2), w.join(3)
	start := time.Now()
	policy := func(own []byte, revoked ...identity.PublicKey) Policy {
		return Policy{InviteOnly: true, Inviters: []identity.PublicKey{alice.id.PublicKey()}, Own: own, Revoked: revoked}
	}
	alice.setPolicy(policy(nil))
	bob.setPolicy(policy(invite(alice, bob, start, start.Add(time.Hour))))
	eve.setPolicy(policy(invite(bob, eve, start, start.Add(time.Hour)))) // bob is no inviter
	alice.must("expense_add", expense("alice", "30"))
	bob.must("expense_add", expense("bob", "7"))
	if _, err := eve.call("expense_add", expense("eve", "1")); fault.KindOf(err) != fault.Denied {
		t.Error(err)
	}
	eve.setPolicy(Policy{InviteOnly: true, Inviters: []identity.PublicKey{alice.id.PublicKey(), eve.id.PublicKey()}}) // she counts herself in
	eve.must("expense_add", expense("eve", "1"))
	err := eve.compare(t.Context(), errand{pair: pair{"trip", alice.id.PublicKey()}})
	if fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), eve.id.PublicKey().String()) {
		t.Error("different inviters are exchanged with:", err)
	}
	until(t, "alice and bob agree", func() bool { return alice.total() == "37.00" && alice.export("trip") == bob.export("trip") })
	if got := alice.must("expense_list", `{"channel":"trip"}`).Text; strings.Contains(got, "join") {
		t.Error("a join is listed:", got)
	}
}

// After its invite's life a peer needs another one.
func TestAnInviteEndsWithItsLife(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	inviters, start := []identity.PublicKey{alice.id.PublicKey()}, time.Now()
	bob.setPolicy(Policy{InviteOnly: true, Inviters: inviters, Own: invite(alice, bob, start, start.Add(500*time.Millisecond))})
	until(t, "the invite expires", func() bool {
		_, err := bob.call("expense_add", expense("bob", "5"))
		return fault.KindOf(err) == fault.Denied && strings.Contains(err.Error(), "expired")
	})
	before := bob.total()
	bob.setPolicy(Policy{InviteOnly: true, Inviters: inviters, Own: invite(alice, bob, start, start.Add(time.Hour))})
	bob.must("expense_add", expense("bob", "1000"))
	if after := bob.total(); len(after) <= len(before) {
		t.Errorf("%s, then %s", before, after)
	}
}

func TestARevocationKeepsWhatItsInviterKnew(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	start := time.Now()
	inviters := []identity.PublicKey{alice.id.PublicKey()}
	alice.setPolicy(Policy{InviteOnly: true, Inviters: inviters})
	bob.setPolicy(Policy{InviteOnly: true, Inviters: inviters, Own: invite(alice, bob, start, start.Add(time.Hour))})
	bob.must("expense_add", expense("bob", "7"))
	alice.must("expense_add", expense("alice", "30"))
	until(t, "they agree", func() bool { return alice.total() == "37.00" && bob.total() == "37.00" })
	bob.setOnline(false)
	bob.must("expense_add", expense("bob", "5")) // alice does not know of it when she revokes
	alice.setPolicy(Policy{InviteOnly: true, Inviters: inviters, Revoked: []identity.PublicKey{bob.id.PublicKey()}})
	until(t, "the revocation is recorded", func() bool {
		n, err := alice.feeds.Count(FeedOf("trip"))
		return err == nil && n == 4 // join, two expenses, revoke
	})
	bob.setOnline(true)
	until(t, "both hold everything", func() bool { return alice.export("trip") == bob.export("trip") })
	if alice.total() != "37.00" || bob.total() != "37.00" {
		t.Error(alice.total(), bob.total())
	}
	if _, err := bob.call("expense_add", expense("bob", "1")); fault.KindOf(err) != fault.Denied {
		t.Error(err)
	}
	// It is the same after a restart.
	s := alice.store
	alice.leave()
	again := w.joinWith(1, s)
	again.setPolicy(Policy{InviteOnly: true, Inviters: inviters})
	if again.total() != "37.00" {
		t.Error(again.total())
	}
}

func TestStandingIsReadInOneFormOnly(t *testing.T) {
	join, err := joinBody([]byte("invite"))
	if err != nil {
		t.Fatal(err)
	}
	revoke, err := revokeBody(identity.PublicKey{1}, feed.ID{2})
	if err != nil {
		t.Fatal(err)
	}
	for _, body := range [][]byte{join, revoke} {
		if _, ok := readStanding(body); !ok {
			t.Errorf("%s is not read", body)
		}
		for _, bent := range []string{" " + string(body), strings.Replace(string(body), `"v":1`, `"v":2`, 1), strings.Replace(string(body), `,"v"`, `,"x":1,"v"`, 1)} {
			if _, ok := readStanding([]byte(bent)); ok {
				t.Errorf("%s is read", bent)
			}
		}
	}
	s, _ := readStanding(revoke)
	if author, keep, ok := s.revoked(); !ok || author != (identity.PublicKey{1}) || keep != (feed.ID{2}) {
		t.Error(author, keep, ok)
	}
}

func FuzzReadStanding(f *testing.F) {
	join, _ := joinBody([]byte("invite"))
	revoke, _ := revokeBody(identity.PublicKey{1}, feed.ID{2})
	f.Add(join)
	f.Add(revoke)
	f.Fuzz(func(t *testing.T, body []byte) {
		if s, ok := readStanding(body); ok {
			s.invite()
			s.revoked()
		}
	})
}

func keysOf(peers ...*peer) (keys []identity.PublicKey) {
	for _, p := range peers {
		keys = append(keys, p.id.PublicKey())
	}
	return keys
}
