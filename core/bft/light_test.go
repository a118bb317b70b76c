package bft_test

import (
	"bytes"
	"fmt"
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
)

func TestProofsHoldAndNothingElseDoes(t *testing.T) {
	s := alone(t)
	for i := range 4 {
		s.confirm(fmt.Sprint("tx", i))
	}
	s.confirm("bad one")
	s.settled()
	trust := s.genesis.Trust()
	for _, tx := range []string{"tx0", "tx3", "bad one"} {
		raw, err := s.node.Prove(bft.TxHash([]byte(tx)))
		if err != nil {
			t.Fatal(err)
		}
		p, err := bft.Verify(trust, raw)
		if err != nil || string(p.Tx) != tx || (p.Result.Code == 9) != (tx == "bad one") {
			t.Fatalf("%s: %+v, %v", tx, p, err)
		}
		if tx == "tx0" {
			t.Logf("a proof has %d bytes", len(raw))
			everyBitCounts(t, raw, func(b []byte) error { _, err := bft.Verify(trust, b); return err })
		}
	}
	if _, err := s.node.Prove(bft.Hash{1}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown tx: %v", err)
	}
	other := trust
	other.ChainID = "other"
	raw, _ := s.node.Prove(bft.TxHash([]byte("tx0")))
	if _, err := bft.Verify(other, raw); fault.KindOf(err) != fault.Invalid {
		t.Errorf("another chain: %v", err)
	}
	stranger := genesis(t, t.TempDir()).Trust()
	stranger.ChainID = trust.ChainID
	if _, err := bft.Verify(stranger, raw); fault.KindOf(err) != fault.Invalid {
		t.Errorf("another validator: %v", err)
	}
}

// everyBitCounts flips bits all over and cuts: nothing of it may hold.
func everyBitCounts(t *testing.T, good []byte, check func([]byte) error) {
	t.Helper()
	for i := range good {
		for _, bit := range []byte{1, 0x80} {
			b := bytes.Clone(good)
			b[i] ^= bit
			if check(b) == nil {
				t.Errorf("byte %d of %d does not count", i, len(good))
			}
		}
		if check(good[:i]) == nil {
			t.Errorf("%d bytes of %d are enough", i, len(good))
		}
	}
	if check(append(bytes.Clone(good), 0)) == nil {
		t.Error("a byte more does not count")
	}
}

func TestTrustFollowsTheValidators(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, dir)
	t.Cleanup(func() { s.store.Close() })
	s.genesis = genesis(t, dir+"/bft")
	own := s.genesis.Validators[0]
	s.sets = func(height int64) []bft.Validator {
		own.Power = 10 + height/2 // another set now and then
		return []bft.Validator{own}
	}
	s.start()
	for i := range 10 {
		s.confirm(fmt.Sprint("tx", i))
	}
	tip := s.settled()
	trust := s.genesis.Trust()
	signed, err := s.node.SignedHeader(tip)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bft.VerifyHeader(trust, signed); fault.KindOf(err) != fault.Invalid {
		t.Errorf("header %d under the first set: %v", tip, err)
	}
	updates, err := s.node.Updates(1, 100)
	if err != nil || len(updates) < 3 {
		t.Fatalf("%d updates, %v", len(updates), err)
	}
	if _, err := bft.Advance(trust, updates[1]); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an update skipped: %v", err)
	}
	everyBitCounts(t, updates[0], func(b []byte) error { _, err := bft.Advance(trust, b); return err })
	for _, u := range updates {
		if trust, err = bft.Advance(trust, u); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := bft.Advance(trust, updates[0]); fault.KindOf(err) != fault.Invalid {
		t.Errorf("an old update: %v", err)
	}
	for height := int64(1); height <= tip; height++ {
		signed, err := s.node.SignedHeader(height)
		if err != nil {
			t.Fatal(err)
		}
		if h, err := bft.VerifyHeader(trust, signed); err != nil || h.Height != height {
			t.Errorf("header %d: %+v, %v", height, h, err)
		}
	}
	again, err := bft.ParseTrust(trust.Encode())
	if err != nil || !bytes.Equal(again.Encode(), trust.Encode()) {
		t.Errorf("trust does not survive its encoding: %v", err)
	}
}
