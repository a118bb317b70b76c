package chain_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/planes/msb/bus"
)

// TestBadTransactionsGetTheirCodeAndChangeNothing sends what is wrong in many
// ways, through the node and through a light client.
func TestBadTransactionsGetTheirCodeAndChangeNothing(t *testing.T) {
	s := town(t, 1)[0]
	d := follow(t, s.genesis, served(t, "one", s.node))
	settled := s.sign("alice", pay(t, "bob", "1"))
	settle(t, d, settled)
	make := func(change func(*bus.Tx)) []byte {
		tx := bus.Tx{Network: s.genesis.ChainID, Nonce: bus.NewNonce(), Expiry: 1000, Body: pay(t, "bob", "1")}
		change(&tx)
		return tx.Sign(key("alice")).Encode()
	}
	forged := s.sign("alice", pay(t, "bob", "1")).Encode()
	forged[len(forged)-1] ^= 1
	resigned := settled.Encode()
	for name, bad := range map[string]struct {
		raw  []byte
		code bus.Code
	}{
		"malformed":          {[]byte("what is this"), bus.TxInvalidPayload},
		"cut off":            {resigned[:len(resigned)-70], bus.TxInvalidPayload},
		"another network":    {make(func(tx *bus.Tx) { tx.Network = "elsewhere" }), bus.MSBBootstrapMismatch},
		"expired":            {make(func(tx *bus.Tx) { tx.Expiry = 1 }), bus.TxExpired},
		"good for too long":  {make(func(tx *bus.Tx) { tx.Expiry = 1 << 40 }), bus.TxExpiryTooFar},
		"more than there is": {s.sign("alice", pay(t, "bob", "1000001")).Encode(), bus.TransferInsufficientBalance},
		"all, and no fee":    {s.sign("bob", pay(t, "alice", "1000001")).Encode(), bus.TransferInsufficientBalance},
		"2^128 − 1 units":    {s.sign("alice", bus.Transfer{To: key("bob").PublicKey(), Amount: bus.MaxAmount}).Encode(), bus.TransferAmountTooLarge},
		"from nobody":        {s.sign("nobody", pay(t, "bob", "0")).Encode(), bus.TransferSenderNotFound},
		"a forged signature": {forged, bus.TxSignatureInvalid},
	} {
		height, state, _ := s.app.Last()
		for through, l := range map[string]interface {
			Submit(context.Context, []byte) (bus.Result, error)
		}{"node": s.ledger, "light client": d} {
			if r, err := l.Submit(t.Context(), bad.raw); err != nil || r.Code != bad.code || r.Text == "" {
				t.Errorf("%s, through the %s: %v %q, %v; it should be %v", name, through, r.Code, r.Text, err, bad.code)
			}
		}
		if now, after, _ := s.app.Last(); after != state {
			t.Errorf("%s changed the state, from height %d to %d", name, height, now)
		}
	}
	if _, err := d.Submit(t.Context(), tooLong()); err == nil {
		t.Error("a transaction of many bytes was taken")
	}
	if r, err := s.ledger.Submit(t.Context(), tooLong()); err == nil && r.Code == bus.OK {
		t.Error("a transaction of many bytes was taken")
	}
}

func tooLong() []byte { return make([]byte, bus.MaxTx+1) }

// TestFloodOfBadTransactionsHoldsNobodyUp has honest transfers settled beside
// senders of rubbish, of forged signatures and of one account that sends its
// balance a thousand times.
func TestFloodOfBadTransactionsHoldsNobodyUp(t *testing.T) {
	s := town(t, 1)[0]
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	flood, stop := context.WithCancel(ctx)
	var senders sync.WaitGroup
	for n := range 3 {
		senders.Go(func() {
			for flood.Err() == nil {
				raw := s.sign("carol", pay(t, "bob", "999999")).Encode()
				switch n {
				case 0:
					raw = raw[:100]
					_, _ = rand.Read(raw[20:])
				case 1:
					raw[len(raw)-1] ^= 1
				}
				if r, err := s.ledger.Submit(flood, raw); err != nil && fault.KindOf(err) != fault.Limited && flood.Err() == nil {
					t.Errorf("%+v, %v", r, err)
				}
			}
		})
	}
	for i := range 15 {
		if r := settle(t, s.ledger, s.sign("alice", pay(t, fmt.Sprint("x", i), "1"))); r.Code != bus.OK {
			t.Errorf("%d: %+v", i, r)
		}
	}
	stop()
	senders.Wait()
	carol, _, _, err := s.ledger.Account(ctx, key("carol").PublicKey(), 0)
	if err != nil || carol.Balance.Cmp(amount(t, "0.97")) != 0 {
		t.Errorf("carol spent her balance more than once, or never: %+v, %v", carol, err)
	}
}
