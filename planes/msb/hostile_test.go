package msb_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/core/p2p"
	"intercom/planes/msb"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// outsider is a light client with nothing but the genesis and a host.
func outsider(t *testing.T, node *somebody) chain.Ledger {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(node.dir, msb.Own, "genesis.json"))
	if err != nil {
		t.Fatal(err)
	}
	genesis, err := bft.ParseGenesis(text)
	if err != nil {
		t.Fatal(err)
	}
	f, err := bft.NewFollower(bft.FollowerConfig{Genesis: genesis, Log: quiet(), Servers: serverOf(visitor(t, node), node)})
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := chain.Remote(f, genesis)
	if err != nil {
		t.Fatal(err)
	}
	return ledger
}

// visitor is a host that is connected with a peer.
func visitor(t *testing.T, to *somebody) *p2p.Host {
	t.Helper()
	h, err := p2p.Listen(p2p.Config{Identity: someone("mallory"), Listen: []string{"/ip4/127.0.0.1/tcp/0"}, DHTBootstrap: to.host.Addrs(), Log: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- h.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; h.Close() })
	for end := time.Now().Add(patience); len(h.Peers()) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the hosts did not meet")
		}
	}
	return h
}

func serverOf(h *p2p.Host, node *somebody) func() []bft.Server {
	return func() []bft.Server {
		return []bft.Server{{Name: "node", Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
			return h.Open(ctx, node.id.PublicKey(), msb.ChainProtocol)
		}}}
	}
}

func TestBadTransactionsGetTheirCodeAndChangeNothing(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	network := a.must("msb", with{})["network"].(string)
	ledger := outsider(t, a)
	rich, poor, nobody := a.id, someone("bob"), someone("nobody")
	a.confirmed(a.must("transfer", with{"to": poor.PublicKey().Address(), "amount": "1"})["hash"])
	settled := a.must("balance", with{})["balance"]
	tx := func(from *identity.Identity, change func(*bus.Tx)) []byte {
		t := bus.Tx{Network: network, Nonce: bus.NewNonce(), Expiry: 100, Body: bus.Transfer{To: nobody.PublicKey(), Amount: bus.Atomic(1)}}
		change(&t)
		return t.Sign(from).Encode()
	}
	plain := func(*bus.Tx) {}
	broken := tx(poor, plain)
	broken[len(broken)-1] ^= 1
	for _, c := range []struct {
		name string
		raw  []byte
		code bus.Code
	}{
		{"a byte", []byte{0}, bus.TxInvalidPayload},
		{"text", []byte(`{"type":13}`), bus.TxInvalidPayload},
		{"oversized", bytes.Repeat([]byte{1}, bus.MaxTx), bus.TxInvalidPayload},
		{"cut", broken[:len(broken)-70], bus.TxInvalidPayload},
		{"signature", broken, bus.TxSignatureInvalid},
		{"network", tx(poor, func(t *bus.Tx) { t.Network = "trac-main" }), bus.MSBBootstrapMismatch},
		{"expired", tx(poor, func(t *bus.Tx) { t.Expiry = 1 }), bus.TxExpired},
		{"far ahead", tx(poor, func(t *bus.Tx) { t.Expiry = 1 << 40 }), bus.TxExpiryTooFar},
		{"no account", tx(nobody, plain), bus.TransferSenderNotFound},
		{"no funds", tx(poor, func(t *bus.Tx) {
			most, _ := bus.ParseAmount("0.98")
			t.Body = bus.Transfer{To: rich.PublicKey(), Amount: most}
		}), bus.TransferInsufficientBalance},
		{"2^128-1", tx(rich, func(t *bus.Tx) { t.Body = bus.Transfer{To: nobody.PublicKey(), Amount: bus.MaxAmount} }), bus.TransferAmountTooLarge},
		{"no admin", tx(poor, func(t *bus.Tx) { t.Body = bus.Ban{Account: rich.PublicKey()} }), bus.RoleNotAdmin},
	} {
		result, err := ledger.Submit(t.Context(), c.raw)
		if err != nil || result.Code != c.code {
			t.Errorf("%s: %v %v, not %v", c.name, result, err, c.code)
		}
	}
	if now := a.must("balance", with{})["balance"]; now != settled {
		t.Errorf("the balance went from %v to %v", settled, now)
	}
}

func TestHonestTransactionsPassAFlood(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	a.must("msb", with{})
	ledger := outsider(t, a)
	ctx, cancel := context.WithCancel(t.Context())
	flooding := make(chan int)
	go func() {
		sent := 0
		for ; ctx.Err() == nil; sent++ {
			junk := bytes.Repeat(binary.BigEndian.AppendUint64(nil, uint64(sent)), 100)
			if _, err := ledger.Submit(ctx, junk); err != nil {
				break
			}
		}
		flooding <- sent
	}()
	for range 20 {
		a.confirmed(a.must("transfer", with{"to": someone("bob").PublicKey().Address(), "amount": "1"})["hash"])
	}
	cancel()
	if sent := <-flooding; sent == 0 {
		t.Error("nothing flooded")
	}
	if out := a.must("msb_txs", with{}); len(out["txs"].([]any)) != 20 {
		t.Errorf("%d transactions settled", len(out["txs"].([]any)))
	}
}

func TestNonsenseOnTheStreamEndsIt(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	a.must("msb", with{})
	h := visitor(t, a)
	for _, junk := range [][]byte{{0}, []byte("GET / HTTP/1.1\r\n\r\n"), bytes.Repeat([]byte{255}, 4096)} {
		s, err := h.Open(t.Context(), a.id.PublicKey(), msb.ChainProtocol)
		if err != nil {
			t.Fatal(err)
		}
		_ = s.SetDeadline(time.Now().Add(patience))
		_, _ = s.Write(junk) // it may be reset meanwhile
		_ = s.CloseWrite()
		if answer, err := io.ReadAll(io.LimitReader(s, 1<<20)); len(answer) > 64 {
			t.Errorf("%.20q was answered with %d bytes, %v", junk, len(answer), err)
		}
		_ = s.Close()
	}
	a.must("balance", with{})
}

func TestServerThatLiesIsToldOf(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	genesis := a.must("msb", with{})["genesis"].(string)
	liar := visitor(t, a)
	// It speaks the protocol and answers every question with the same bytes.
	liar.Handle(msb.ChainProtocol, func(_ context.Context, _ identity.PublicKey, s p2p.Stream) {
		_ = s.SetDeadline(time.Now().Add(patience))
		_, _ = s.Read(make([]byte, 64))
		// A frame of nine bytes: all is well, and what is no answer.
		_, _ = s.Write([]byte{0, 0, 0, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8})
	})
	b := start(t, "bob", t.TempDir(), genesis, append(a.host.Addrs(), liar.Addrs()...)...)
	for end := time.Now().Add(patience); len(b.host.Peers()) < 2; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the hosts did not meet")
		}
	}
	for end := time.Now().Add(patience); !toldOfALiar(t, b); {
		if b.must("balance", with{}); time.Now().After(end) {
			t.Fatal("nobody was told of a liar")
		}
	}
}

// toldOfALiar looks for the event.
func toldOfALiar(t *testing.T, s *somebody) bool {
	now, cancel := context.WithCancel(t.Context())
	cancel() // what is there, without waiting
	batch, err := s.hub.Read(now, "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range batch.Events {
		if e.Kind == "msb_liar" {
			return bytes.Contains(e.Data, []byte(someone("mallory").PublicKey().String()))
		}
	}
	return false
}
