package bus_test

import (
	"testing"

	"intercom/planes/msb/bus"
)

// admit asks the pool about a transaction on the newest state.
func (w *world) admit(p *bus.Pool, raw []byte) bus.Code {
	w.t.Helper()
	result, err := p.Admit(w.view(), w.height+1, raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return result.Code
}

func (w *world) remain(p *bus.Pool, raw []byte) bus.Code {
	w.t.Helper()
	result, err := p.Remain(w.view(), w.height+1, raw)
	if err != nil {
		w.t.Fatal(err)
	}
	return result.Code
}

func TestWhatWaitsIsReserved(t *testing.T) {
	w := newWorld(t, 1)
	p := bus.NewPool(w.machine, 100)
	first := w.sign("alice", pay("bob", "600"))
	for i, c := range []struct {
		raw  []byte
		want bus.Code
	}{
		{first, bus.OK},
		{first, bus.TxAlreadyPending},
		{w.sign("alice", pay("bob", "600")), bus.TransferInsufficientBalance}, // 600 are reserved
		{w.sign("alice", pay("bob", "399.94")), bus.OK},
		{w.sign("alice", pay("bob", "0")), bus.TransferInsufficientBalance}, // nothing is left for a fee
		{w.sign("alice", pay("alice", "5")), bus.TransferInsufficientBalance},
		{w.sign("bob", pay("alice", "1")), bus.OK},
		{w.sign("alice", bus.RemoveValidator{}), bus.InsufficientFeeBalance},
		{w.sign("bob", bus.RemoveValidator{}), bus.RoleNodeNotWriter},
		{[]byte("x"), bus.TxInvalidPayload},
	} {
		if got := w.admit(p, c.raw); got != c.want {
			t.Errorf("%d: %s, want %s", i, got, c.want)
		}
	}
	if n, reserved := p.Pending(key("alice").PublicKey()); n != 2 || reserved.String() != "1000" {
		t.Errorf("alice has %d pending and %s reserved", n, reserved)
	}
	p.Committed(w.apply(w.block(first)).Results)
	if n, reserved := p.Pending(key("alice").PublicKey()); n != 1 || reserved.String() != "399.97" {
		t.Errorf("after the block alice has %d pending and %s reserved", n, reserved)
	}
	if got := w.admit(p, first); got != bus.TxAlreadyExists {
		t.Errorf("replayed: %s", got)
	}
}

// An account's transactions wait and are settled in any order: none holds up
// another.
func TestAnAccountHasManyInFlight(t *testing.T) {
	w := newWorld(t, 1)
	p := bus.NewPool(w.machine, 4000)
	var txs [][]byte
	for range 1000 {
		raw := w.sign("alice", pay("bob", "0.5"))
		if got := w.admit(p, raw); got != bus.OK {
			t.Fatal(got)
		}
		txs = append(txs, raw)
	}
	for i := range len(txs) / 2 { // the last first, and every other one lost
		at := len(txs) - 1 - 2*i
		if code := w.apply(w.block(txs[at])).Results[0].Code; code != bus.OK {
			if code == bus.TxExpired && i >= 10 {
				break // they live for ten blocks
			}
			t.Fatal(i, code)
		}
	}
	if got := w.balance("bob"); got != "1005" {
		t.Errorf("bob has %s", got)
	}
}

// Drained on another validator: what waits here and can still pay its fee stays, and
// fails with a proof; what cannot pay even that goes, in the order in which it came.
func TestADrainedAccountFillsNoBlocks(t *testing.T) {
	w := newWorld(t, 1)
	p := bus.NewPool(w.machine, 100)
	var txs [][]byte
	for range 4 {
		txs = append(txs, w.sign("alice", pay("bob", "249.9")))
		if got := w.admit(p, txs[len(txs)-1]); got != bus.OK {
			t.Fatal(got)
		}
	}
	p.Committed(w.apply(w.block(w.sign("alice", pay("bob", "749.99")))).Results)
	want := []bus.Code{bus.OK, bus.OK, bus.TransferInsufficientBalance, bus.TransferInsufficientBalance}
	for i, raw := range txs {
		if got := w.remain(p, raw); got != want[i] {
			t.Errorf("%d: %s, want %s", i, got, want[i])
		}
	}
	if n, _ := p.Pending(key("alice").PublicKey()); n != 2 {
		t.Errorf("alice has %d pending", n)
	}
	results := w.apply(w.block(txs[0], txs[1])).Results
	for i, code := range []bus.Code{bus.OK, bus.TransferInsufficientBalance} {
		if results[i].Code != code || !results[i].Settled {
			t.Errorf("%d: %+v, want %s", i, results[i], code)
		}
	}
	if got := w.balance("alice"); got != "0.02" {
		t.Errorf("alice has %s", got)
	}
}

func TestWhatTheEngineForgotIsForgotten(t *testing.T) {
	w := newWorld(t, 1)
	p := bus.NewPool(w.machine, 100)
	kept, lost := w.sign("alice", pay("bob", "1")), w.sign("alice", pay("bob", "1"))
	w.admit(p, kept)
	w.admit(p, lost)
	for range 3 {
		p.Committed(w.apply(w.block()).Results)
		if got := w.remain(p, kept); got != bus.OK {
			t.Fatal(got)
		}
	}
	if n, _ := p.Pending(key("alice").PublicKey()); n != 1 {
		t.Errorf("%d transactions are pending", n)
	}
	for range 10 {
		p.Committed(w.apply(w.block()).Results)
	}
	if got := w.remain(p, kept); got != bus.TxExpired {
		t.Errorf("after its expiry: %s", got)
	}
	if n, reserved := p.Pending(key("alice").PublicKey()); n != 0 || !reserved.IsZero() {
		t.Errorf("%d transactions are pending with %s", n, reserved)
	}
}

func TestAPoolIsBoundedAndNoAccountFillsIt(t *testing.T) {
	w := newWorld(t, 1)
	p := bus.NewPool(w.machine, 10)
	codes := func(who string, n int) (ok int) {
		for range n {
			switch got := w.admit(p, w.sign(who, pay("carol", "0"))); got {
			case bus.OK:
				ok++
			case bus.NodeOverloaded:
			default:
				t.Fatal(got)
			}
		}
		return ok
	}
	if a, b, c := codes("alice", 8), codes("bob", 8), codes("carol", 1); a != 5 || b != 5 || c != 0 {
		t.Errorf("%d, %d and %d were admitted", a, b, c)
	}
}
