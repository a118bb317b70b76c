package chain_test

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// pretender does to an application what the engine does, in the order in which
// it does it: the block on the disk, its effects, and then, on the disk, that it
// is done.
type pretender struct {
	t       *testing.T
	genesis bft.Genesis
	store   *store.Store
	blocks  *store.Space
	app     *chain.App
}

func pretend(t *testing.T, g bft.Genesis, s *store.Store) *pretender {
	t.Helper()
	app, err := chain.Open(s, "main", quiet())
	if err != nil {
		t.Fatal(err)
	}
	p := &pretender{t: t, genesis: g, store: s, blocks: s.Space("blocks"), app: app}
	height, _, err := app.Last()
	if err != nil {
		t.Fatal(err)
	}
	if done, _ := p.read("done"); int64(len(done)) > 0 && int64(binary.BigEndian.Uint64(done)) > height {
		t.Fatalf("block %d is done, the application is at %d", binary.BigEndian.Uint64(done), height)
	}
	if height == 0 {
		if _, err := app.Init(g); err != nil {
			t.Fatal(err)
		}
	}
	for ; ; height++ {
		raw, ok := p.read(fmt.Sprint("block ", height+1))
		if !ok {
			return p
		}
		var txs [][]byte
		if err := json.Unmarshal(raw, &txs); err != nil {
			t.Fatal(err)
		}
		p.execute(height+1, txs)
	}
}

func (p *pretender) read(name string) ([]byte, bool) {
	raw, ok, err := p.blocks.Get([]byte(name))
	if err != nil {
		p.t.Fatal(err)
	}
	return raw, ok
}

// block agrees on the next block and executes it; the power may go at each cut.
func (p *pretender) block(txs [][]byte, cut func()) {
	p.t.Helper()
	height, _, _ := p.app.Last()
	p.keep(fmt.Sprint("block ", height+1), must(json.Marshal(txs)))
	cut()
	p.execute(height+1, txs)
	cut()
	p.keep("done", binary.BigEndian.AppendUint64(nil, uint64(height+1)))
	cut()
}

func (p *pretender) execute(height int64, txs [][]byte) {
	p.t.Helper()
	done, err := p.app.Execute(bft.Proposal{Height: height, Proposer: p.genesis.Validators[0].Key, Txs: txs})
	if err == nil {
		err = p.app.Commit()
	}
	now, state, errLast := p.app.Last()
	if err != nil || errLast != nil || now != height || state != done.State {
		p.t.Fatalf("block %d promised %s and came to %d %s: %v, %v", height, done.State, now, state, err, errLast)
	}
}

func (p *pretender) keep(name string, value []byte) {
	b := p.blocks.Batch()
	b.Set([]byte(name), value)
	if err := b.Commit(); err != nil {
		p.t.Fatal(err)
	}
}

func must(raw []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return raw
}

// TestPowerMayGoAtAnyMoment cuts the power around every block, with every fate
// of what was not yet on the disk, and goes on: the state is the one of a peer
// that never stopped.
func TestPowerMayGoAtAnyMoment(t *testing.T) { crashes(t, 60) }

// TestProofPowerMayGoAtAnyMoment is the same for longer.
func TestProofPowerMayGoAtAnyMoment(t *testing.T) {
	if os.Getenv("INTERCOM_PROOF") == "" {
		return
	}
	crashes(t, 600)
}

func crashes(t *testing.T, blocks int) {
	random := rand.New(rand.NewPCG(1, uint64(blocks)))
	settings := bus.Genesis{Network: "crash", Validators: []bus.Founder{{Key: key("e0").PublicKey(), Operator: address("v0")}}}
	for _, name := range []string{"alice", "bob"} {
		settings.Accounts = append(settings.Accounts, bus.Funds{Address: address(name), Balance: amount(t, "1000000")})
	}
	g, err := chain.NewGenesis(settings, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	steady, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer steady.Close()
	never := pretend(t, g, steady)

	disk, cuts := store.NewDisk(), 0
	s, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := pretend(t, g, s)
	for height := 1; height <= blocks; height++ {
		var txs [][]byte
		for range random.IntN(6) {
			tx := bus.Tx{Network: "crash", Expiry: uint64(height + random.IntN(3)), Body: pay(t, fmt.Sprint("x", random.IntN(50)), "0.5")}
			binary.BigEndian.PutUint64(tx.Nonce[:], random.Uint64()|1)
			txs = append(txs, tx.Sign(key([]string{"alice", "bob", "nobody"}[random.IntN(3)])).Encode())
		}
		var crashed *store.Disk
		p.block(txs, func() {
			if crashed == nil && random.IntN(6) == 0 {
				crashed = disk.Crash(random.Uint64N(4))
			}
		})
		never.block(txs, func() {})
		if crashed == nil {
			continue
		}
		cuts++
		_ = s.Close()
		disk = crashed
		if s, err = disk.Open(); err != nil {
			t.Fatal(err)
		}
		p = pretend(t, g, s)
		if now, _, _ := p.app.Last(); now < int64(height) {
			t.Fatalf("block %d was on the disk, and the application came to %d", height, now)
		}
	}
	wantHeight, want, _ := never.app.Last()
	height, state, _ := p.app.Last()
	if height != wantHeight || state != want {
		t.Errorf("height %d and state %s, without a crash %d and %s", height, state, wantHeight, want)
	}
	_ = s.Close()
	t.Logf("%d blocks, the power went %d times, the same state", blocks, cuts)
}
