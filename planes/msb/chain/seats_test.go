package chain_test

import (
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
)

// TestValidatorsComeAndGoByTransaction gives a full node a seat and takes it
// back; a light client that believes the genesis alone follows.
func TestValidatorsComeAndGoByTransaction(t *testing.T) {
	first, second := newSite(t), newSite(t)
	open(t, []*site{first}, nil)
	second.genesis, second.listen = first.genesis, freeAddr(t)
	second.peers = []bft.Peer{{ID: first.node.ID(), Addr: first.listen}}
	second.start()
	d := follow(t, first.genesis, served(t, "one", first.node))

	settled := func(tx *bus.Signed) bus.Record {
		t.Helper()
		r := settle(t, d, tx)
		if r.Code != bus.OK {
			t.Fatalf("%v", r.Code)
		}
		return r
	}
	settled(first.sign("admin", bus.Whitelist{Account: key("carol").PublicKey()}))
	// The engine's key of the second node consents; it is read where the node keeps it.
	seat := bus.ProveValidator(engineKey(t, second), first.genesis.ChainID, key("carol").PublicKey())
	settled(first.sign("carol", seat))
	await(t, "two validators", func() bool { return len(first.node.Status().Validators) == 2 })
	for range 3 {
		settled(first.sign("alice", pay(t, "bob", "1")))
	}
	n, err := d.Network(t.Context())
	if err != nil || len(n.Seats) != 2 {
		t.Errorf("%+v, %v", n.Seats, err)
	}
	carol, _, _, err := d.Account(t.Context(), key("carol").PublicKey(), 0)
	if err != nil || carol.Role != bus.Validator || carol.Stake != bus.Stake || carol.ValidatorKey != second.node.Key() {
		t.Errorf("%+v, %v", carol, err)
	}
	settled(first.sign("carol", bus.RemoveValidator{}))
	await(t, "one validator", func() bool { return len(first.node.Status().Validators) == 1 })
	last := settled(first.sign("alice", pay(t, "bob", "1")))

	trust, err := d.Trust(t.Context())
	if err != nil || len(trust.Sets) != 3 {
		t.Fatalf("%d sets, %v", len(trust.Sets), err)
	}
	own, err := first.ledger.Trust(t.Context())
	if err != nil || string(own.Encode()) != string(trust.Encode()) {
		t.Errorf("the node trusts %+v, the light client %+v, %v", own, trust, err)
	}
	for name, updates := range map[string]func() ([][]byte, error){
		"node":         func() ([][]byte, error) { return first.ledger.Updates(t.Context(), 1) },
		"light client": func() ([][]byte, error) { return d.Updates(t.Context(), 1) },
	} {
		list, err := updates()
		if err != nil || len(list) != 2 {
			t.Errorf("%s: %d updates, %v", name, len(list), err)
		}
		grown := first.genesis.Trust()
		for _, update := range list {
			if grown, err = bft.Advance(grown, update); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if string(grown.Encode()) != string(trust.Encode()) {
			t.Errorf("the updates of the %s lead to %+v", name, grown)
		}
	}
	await(t, "the second node follows", func() bool {
		height, _, _ := second.app.Last()
		return height >= int64(last.Height)
	})
	mine, _, at, errMine := first.ledger.Account(t.Context(), key("bob").PublicKey(), int64(last.Height))
	theirs, _, _, errTheirs := second.ledger.Account(t.Context(), key("bob").PublicKey(), int64(last.Height))
	if errMine != nil || errTheirs != nil || mine != theirs {
		t.Errorf("at %d bob has %+v here and %+v there, %v, %v", at, mine, theirs, errMine, errTheirs)
	}
}

// engineKey is the key that a stopped or running node signs blocks with.
func engineKey(t *testing.T, s *site) *identity.Identity {
	t.Helper()
	text, err := os.ReadFile(s.dir + "/bft/validator.key")
	if err != nil {
		t.Fatal(err)
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	return identity.FromSeed([32]byte(seed))
}
