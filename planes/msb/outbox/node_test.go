package outbox_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
	"intercom/planes/msb/outbox"
)

// childDir names the home of the child process that is killed.
const childDir = "OUTBOX_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Println("error", err)
		}
		return
	}
	os.Exit(m.Run())
}

// peer is a real network of one validator with an outbox.
type peer struct {
	genesis bft.Genesis
	store   *store.Store
	ledger  chain.Ledger
	box     *outbox.Outbox
	stop    context.CancelFunc
	running sync.WaitGroup
}

// found makes the files of a network in which the payer has a million.
func found(dir string) error {
	key, err := bft.ValidatorKey(dir)
	if err != nil {
		return err
	}
	funds, err := bus.ParseAmount("1000000")
	if err != nil {
		return err
	}
	address := payer.PublicKey().Address()
	g, err := chain.NewGenesis(bus.Genesis{
		Network: bft.RandomChainID("test"), Development: true,
		Accounts:   []bus.Funds{{Address: address, Balance: funds}},
		Validators: []bus.Founder{{Key: key, Operator: address}},
	}, time.Now())
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "genesis"), g.Encode(), 0o600)
}

// start opens a home and returns when its node is healthy.
func start(dir string) (*peer, error) {
	text, err := os.ReadFile(filepath.Join(dir, "genesis"))
	if err != nil {
		return nil, err
	}
	p := &peer{}
	if p.genesis, err = bft.ParseGenesis(text); err != nil {
		return nil, err
	}
	if p.store, err = store.Open(filepath.Join(dir, "store")); err != nil {
		return nil, err
	}
	app, err := chain.Open(p.store, "main", quiet)
	if err != nil {
		return nil, err
	}
	node, err := bft.New(bft.Config{
		Dir: dir, Store: p.store, Name: "main", Genesis: p.genesis, App: app, Log: quiet, MaxTx: bus.MaxTx, Recheck: true,
	})
	if err != nil {
		return nil, err
	}
	if p.ledger, err = chain.Local(node, app); err != nil {
		return nil, err
	}
	p.box, err = outbox.Open(outbox.Config{
		Space: p.store.Space("outbox"), Network: p.genesis.ChainID, Port: p.ledger, Own: true, Log: quiet,
	})
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	p.running.Go(func() { _ = node.Run(ctx) })
	p.running.Go(func() { _ = p.box.Run(ctx) })
	for began := time.Now(); node.Status().Health.State != bft.Healthy; time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			return nil, fmt.Errorf("the node does not start: %+v", node.Status().Health)
		}
	}
	p.box.Wake()
	return p, nil
}

func (p *peer) end() {
	p.stop()
	p.running.Wait()
	_ = p.store.Close()
}

// pay puts a transfer of one atomic unit.
func (p *peer) pay(ctx context.Context, key string) (outbox.Entry, error) {
	return p.box.Put(ctx, key, []byte(key), func() (*bus.Signed, error) {
		head, err := p.ledger.Head(ctx)
		if err != nil {
			return nil, err
		}
		tx := bus.Tx{
			Network: p.genesis.ChainID, Nonce: bus.NewNonce(), Expiry: uint64(head.Height) + outbox.Life,
			Body: bus.Transfer{To: payee, Amount: bus.Atomic(1)},
		}
		return tx.Sign(payer), nil
	})
}

// child lets eight callers pay until it is killed, and says what it told them.
func child(dir string) error {
	began := time.Now()
	p, err := start(dir)
	if err != nil {
		return err
	}
	fmt.Println("ready", time.Since(began).Milliseconds())
	ctx := context.Background()
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				e, err := p.pay(ctx, fmt.Sprintf("%x", bus.NewNonce()))
				if err != nil {
					failed <- err
					return
				}
				fmt.Println("stored", e.ID, 0)
				if e, err = p.box.Wait(ctx, e.ID, outbox.Confirmed); err != nil {
					failed <- err
					return
				}
				fmt.Println(e.State, e.ID, e.Height)
			}
		}()
	}
	return <-failed
}

// TestProofNothingPutIsLostByKill kills a peer with a real network while transfers
// are under way. INTERCOM_PROOF: 100 times.
func TestProofNothingPutIsLostByKill(t *testing.T) {
	rounds := 2
	if os.Getenv("INTERCOM_PROOF") != "" {
		rounds = 100
	}
	dir := t.TempDir()
	if err := found(dir); err != nil {
		t.Fatal(err)
	}
	told := map[string]uint64{} // id → height, 0 before it was told as confirmed
	starts := make([]time.Duration, rounds)
	for i := range starts {
		starts[i] = killed(t, dir, told)
	}
	slices.Sort(starts)
	p, err := start(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer p.end()
	confirmed := p.holds(t, told)
	t.Logf("%d kills: %d transfers were stored and %d of them told as confirmed; each is settled once; starts took %v (median) to %v",
		rounds, len(told), confirmed, starts[rounds/2], starts[rounds-1])
}

// killed runs a child until it is killed at a random moment, notes what it told
// and gives how long it took to start.
func killed(t *testing.T, dir string, told map[string]uint64) (took time.Duration) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		var word, id string
		var n uint64
		if _, err := fmt.Sscan(lines.Text(), &word); err != nil {
			continue
		}
		switch word {
		case "ready":
			_, _ = fmt.Sscan(lines.Text(), &word, &n)
			took = time.Duration(n) * time.Millisecond
			// A start after a kill may need a round of the engine, 0.7 s: some
			// kills come before that, most amid transfers.
			time.AfterFunc(time.Duration(rand.IntN(1500))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		case "stored", string(outbox.Confirmed):
			if _, err := fmt.Sscan(lines.Text(), &word, &id, &n); err == nil {
				told[id] = n
			}
		default:
			t.Error(lines.Text())
		}
	}
	_ = cmd.Wait()
	return took
}

// holds checks that all that was stored is settled, once and as it was told.
func (p *peer) holds(t *testing.T, told map[string]uint64) (confirmed int) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, e := range p.box.Pending() { // what was stored, told or not
		if e, err := p.box.Wait(ctx, e.ID, outbox.Confirmed); err != nil || e.State != outbox.Confirmed {
			t.Errorf("transfer %s is %s: %v", e.ID, e.State, err)
		}
	}
	settled := p.settled(t, ctx)
	for id, height := range told {
		if height > 0 {
			confirmed++
		}
		if at := settled[id]; len(at) != 1 || height > 0 && at[0] != height {
			t.Errorf("transfer %s was told to be in block %d and is in %v", id, height, at)
		}
	}
	a, _, _, err := p.ledger.Account(ctx, payee, 0)
	if err != nil || a.Balance != bus.Atomic(uint64(len(settled))) {
		t.Errorf("%s units arrived of %d transfers: %v", a.Balance.AtomicText(), len(settled), err)
	}
	return confirmed
}

// settled lists the blocks in which each transaction of the chain stands.
func (p *peer) settled(t *testing.T, ctx context.Context) map[string][]uint64 {
	settled := map[string][]uint64{}
	for place := (chain.Place{Height: 1}); ; {
		txs, next, err := p.ledger.Txs(ctx, place, 0, chain.MaxListed)
		if err != nil {
			t.Fatal(err)
		}
		for _, tx := range txs {
			id := tx.Tx.ID.String()
			settled[id] = append(settled[id], uint64(tx.Height))
		}
		if place = next; next == (chain.Place{}) {
			return settled
		}
	}
}
