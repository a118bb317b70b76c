package chain_test

import (
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

func TestTransferIsSettledReadListedAndProven(t *testing.T) {
	s := town(t, 1)[0]
	tx := s.sign("alice", pay(t, "dora", "2.5"))
	r := settle(t, s.ledger, tx)
	if r.Code != bus.OK || r.Height == 0 {
		t.Fatalf("%+v", r)
	}
	checkTransfer(t, s.ledger, tx, r)
}

// checkTransfer checks everything that a ledger says of alice's 2.5 to dora.
func checkTransfer(t *testing.T, l chain.Ledger, tx *bus.Signed, r bus.Record) {
	t.Helper()
	ctx := t.Context()
	a, known, at, err := l.Account(ctx, key("dora").PublicKey(), 0)
	if err != nil || !known || a.Balance != amount(t, "2.5") || at < int64(r.Height) {
		t.Errorf("dora: %+v %t at %d, %v", a, known, at, err)
	}
	if _, known, at, err := l.Account(ctx, key("dora").PublicKey(), int64(r.Height)-1); known || err != nil || at != int64(r.Height)-1 {
		t.Errorf("dora before: %t at %d, %v", known, at, err)
	}
	if _, known, _, err := l.Account(ctx, key("nobody").PublicKey(), 0); known || err != nil {
		t.Errorf("nobody: %t, %v", known, err)
	}
	if _, _, _, err := l.Account(ctx, key("dora").PublicKey(), 1<<40); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a height to come: %v", err)
	}
	list, at, err := l.Records(ctx, []bus.ID{{1}, tx.ID})
	if err != nil || at < int64(r.Height) || list[0].Settled || !list[1].Settled || list[1].Record != r {
		t.Errorf("records %+v at %d, %v", list, at, err)
	}
	n, err := l.Network(ctx)
	if err != nil || n.Name != l.Genesis().ChainID || len(n.Seats) != len(l.Settings().Validators) || !n.HasAdmin ||
		n.Admin != key("admin").PublicKey() || n.Fee != bus.Fee || n.Supply.IsZero() || n.Development {
		t.Errorf("network %+v, %v", n, err)
	}
	txs, next, err := l.Txs(ctx, chain.Place{}, 0, 10)
	if err != nil || next != (chain.Place{}) || len(txs) != 1 || txs[0].Tx.ID != tx.ID || txs[0].Code != bus.OK || txs[0].Height != int64(r.Height) {
		t.Errorf("listed %+v, next %+v, %v", txs, next, err)
	}
	p, raw, err := l.Prove(ctx, tx.ID)
	if err != nil || p.Header.Height != int64(r.Height) || string(p.Tx) != string(tx.Encode()) || p.Result.Code != 0 {
		t.Errorf("proven %+v, %v", p, err)
	}
	trust, err := l.Trust(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bft.Verify(trust, raw); err != nil {
		t.Error(err)
	}
	if _, _, err := l.Prove(ctx, bus.ID{1}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("proof of nothing: %v", err)
	}
	if h, err := l.Head(ctx); err != nil || h.Height < int64(r.Height) {
		t.Errorf("head %+v, %v", h, err)
	}
}
