package sealed

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/identity"
)

// TestProofAnyHistoryKeepsTheRevokedOut: whatever happens in whatever order, links going up and down, revocations, new
// keys and restarts, in the end all who belong share one key that honours all
// revocations, and nobody ever held a key that was made to keep him out.
func TestProofAnyHistoryKeepsTheRevokedOut(t *testing.T) {
	histories := uint64(40)
	switch {
	case os.Getenv("INTERCOM_PROOF") != "":
		histories = 2000
	case testing.Short():
		histories = 5
	}
	defer func() {
		t.Logf("PROOF sealed keys: %d random histories of links, revocations, new keys and restarts, failed: %v", histories, t.Failed())
	}()
	for seed := range histories {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { history(t, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func history(t *testing.T, random *rand.Rand) {
	w := newWorld()
	alice, bob := someone("alice"), someone("bob")
	all := []*member{
		w.peer(t, "alice", nil, alice, bob), w.peer(t, "bob", nil, bob, alice),
		w.peer(t, "carol", alice, alice, bob), w.peer(t, "dave", alice, alice, bob), w.peer(t, "erin", bob, bob, alice),
	}
	inviters, guests := all[:2], all[2:]
	revoked := map[identity.PublicKey]bool{}
	kept := map[KID][]identity.PublicKey{} // from whom a key is kept

	watch := func() {
		for _, m := range inviters {
			if rec := m.current(); rec.Inviter == m.key() && rec.Honours == HashRevocations(m.gate.Revocations()) {
				for key := range m.gate.revokedKeys() {
					kept[rec.KID] = append(kept[rec.KID], key)
				}
			}
		}
		for _, m := range all {
			if slices.Contains(kept[m.current().KID], m.key()) {
				t.Fatalf("%s holds the key that was made to keep it out", m.name)
			}
		}
	}
	for range 5 + random.IntN(25) {
		a, b := all[random.IntN(len(all))], all[random.IntN(len(all))]
		inviter := inviters[random.IntN(2)]
		switch random.IntN(8) {
		case 0, 1, 2:
			w.link(a, b, a != b && random.IntN(3) > 0)
		case 3:
			guest := guests[random.IntN(len(guests))]
			inviter.gate.Revoke([][]byte{revocation(inviter.id, guest.key())}, time.Now())
			revoked[guest.key()] = true
		case 4:
			if _, err := inviter.circle.Rekey(time.Now()); err != nil {
				t.Fatal(err)
			}
		case 5:
			a.restart(t)
		default:
			time.Sleep(time.Duration(random.IntN(90_000)) * time.Millisecond)
		}
		synctest.Wait()
		watch()
	}
	for i, a := range all {
		for _, b := range all[:i] {
			w.link(a, b, true)
		}
	}
	for range 60 {
		time.Sleep(3 * time.Second)
		synctest.Wait()
		watch()
	}
	final := all[0].current()
	if final.Honours != HashRevocations(all[0].gate.Revocations()) || len(all[0].gate.revokedKeys()) != len(revoked) {
		t.Errorf("the last key honours not all of %d revocations", len(revoked))
	}
	for _, m := range all {
		if out := revoked[m.key()]; out == (m.current() == final) {
			t.Errorf("%s, revoked %v, has %v, the last key is %v", m.name, out, m.current().KID, final.KID)
		}
		m.stop()
	}
}
