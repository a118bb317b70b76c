package subnet_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"testing"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/machine"
)

// bank is a settlement network by script: it remembers what was paid, and gives
// proofs while it is open. A proof is the claim and the transaction; it shows nothing
// to anybody who was not there, which is enough for one process.
type bank struct {
	mu       sync.Mutex
	opened   chan struct{}
	deployed map[identity.PublicKey]bool
	paid     map[[32]byte]machine.Claim // by transaction
	payer    identity.PublicKey
	broke    error // why nothing can be paid
}

func newBank(payer identity.PublicKey) *bank {
	b := &bank{opened: make(chan struct{}), deployed: map[identity.PublicKey]bool{}, paid: map[[32]byte]machine.Claim{}, payer: payer}
	return b
}

func (b *bank) Begin(genesis []byte) (string, []byte, error) {
	return string(genesis), []byte("trust"), nil
}
func (b *bank) Genesis(context.Context) ([]byte, error)          { return []byte("bank"), nil }
func (b *bank) Advance(_, _ []byte) ([]byte, error)              { return nil, errors.New("nothing changes") }
func (b *bank) Updates(context.Context, int64) ([][]byte, error) { return nil, nil }

func (b *bank) Deploy(_ context.Context, bootstrap machine.Signer, _ [32]byte) ([32]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.deployed[bootstrap.PublicKey()] = true
	return [32]byte{1}, nil
}

func (b *bank) Deployed(_ context.Context, subnet identity.PublicKey) (bool, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.deployed[subnet], nil
}

func (b *bank) Settle(_ context.Context, wish [32]byte, subnet identity.PublicKey, command [32]byte) ([32]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broke != nil {
		return [32]byte{}, b.broke
	}
	hash := sha256.Sum256(append(wish[:], command[:]...))
	b.paid[hash] = machine.Claim{Subnet: subnet, Requester: b.payer, Command: command}
	return hash, nil
}

func (b *bank) Proof(ctx context.Context, hash [32]byte) ([]byte, error) {
	if hash == [32]byte{1} {
		return hash[:], nil // of the deployment
	}
	select {
	case <-b.opened:
		return hash[:], nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (b *bank) Verify(trust, proof []byte, claim machine.Claim) (machine.Fact, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(proof) != 32 || !bytes.Equal(trust, []byte("trust")) || b.paid[[32]byte(proof)] != claim {
		return machine.Fact{}, errors.New("it was not paid")
	}
	return machine.Fact{Tx: [32]byte(proof)}, nil
}

func (b *bank) payments() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.paid)
}

const where = `open {"question":"Where to?","answers":["sea","hills"]}`

func TestATransactionIsFinishedAfterACrash(t *testing.T) {
	dir, b := t.TempDir(), newBank(someone("a").PublicKey())
	a := start(t, "a", setup{dir: dir, settlement: b})
	done := a.must("tx", with{"command": where, "wait_ms": 1})
	if done["state"] != "accepted" || done["settled"] != true || a.must("subnet_info", with{})["settlement"] != "bank" {
		t.Errorf("%v", done)
	}
	if got := a.must("tx_result", with{"tx": done["tx"]}); got["state"] != "accepted" {
		t.Errorf("%v", got)
	}
	if got := a.must("get", with{"key": "txl"}); got["value"] != nil {
		t.Errorf("it was carried out before it was settled: %v", got)
	}
	a.wait("the command is confirmed", func() bool { return a.must("subnet_info", with{})["waiting"] == 0.0 })
	a.stop()

	close(b.opened)
	again := start(t, "a", setup{dir: dir, settlement: b})
	again.has("txl", 1.0)
	if got := again.must("tx_result", with{"tx": done["tx"]}); got["state"] != "confirmed" || got["type"] != "open" {
		t.Errorf("%v", got)
	}
	if n := b.payments(); n != 1 {
		t.Errorf("it was paid %d times", n)
	}
}

func TestAnEqualCommandIsAnotherTransaction(t *testing.T) {
	b := newBank(someone("a").PublicKey())
	close(b.opened)
	a := start(t, "a", setup{settlement: b})
	first := a.must("tx", with{"command": where, "wait_ms": 60000})
	second := a.must("tx", with{"command": where, "wait_ms": 60000})
	if first["state"] != "confirmed" || second["state"] != "confirmed" || first["tx"] == second["tx"] || b.payments() != 2 {
		t.Errorf("%v, %v", first, second)
	}
	a.has("txl", 2.0)
	if got := a.must("deploy_subnet", with{}); got["network"] != "bank" {
		t.Errorf("%v", got)
	}
	c := start(t, "c", setup{bootstrap: a.key(), seeds: a.host.Addrs()})
	c.refused(fault.Unavailable, "", "subnet_info", with{}) // it cannot follow payments
}

func TestWhatCouldNotBePaidIsNotPaidLater(t *testing.T) {
	dir, b := t.TempDir(), newBank(someone("a").PublicKey())
	close(b.opened)
	a := start(t, "a", setup{dir: dir, settlement: b})
	b.broke = fault.New(fault.Limited, "the balance is 0, the fee 0.03").WithHint("ask somebody for a transfer")
	a.refused(fault.Limited, "the balance is 0, the fee 0.03", "tx", with{"command": where})
	a.wait("the command is confirmed", func() bool { return a.must("subnet_info", with{})["waiting"] == 0.0 })
	a.stop()
	b.broke = nil
	again := start(t, "a", setup{dir: dir, settlement: b})
	again.must("tx", with{"command": where, "wait_ms": 60000})
	again.has("txl", 1.0)
	if n := b.payments(); n != 1 {
		t.Errorf("it was paid %d times", n)
	}
}
