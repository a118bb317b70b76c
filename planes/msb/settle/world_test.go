package settle_test

import (
	"context"
	"encoding/json"
	"flag"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

var rewrite = flag.Bool("rewrite", false, "write what the network does into testdata")

func TestARealNetworkTellsTheSame(t *testing.T) {
	st := happened(t)
	st.holds(t)
	t.Logf("a proof has %d bytes, an update %d", len(st.Called), len(st.Update))
	if !*rewrite {
		return
	}
	raw, err := json.MarshalIndent(st, "", "  ")
	must(t, err)
	must(t, os.WriteFile("testdata/story.json", append(raw, '\n'), 0o644))
}

// lax lets everything wait for a block, as a validator may: what fails then is in
// the chain.
type lax struct{ *chain.App }

func (lax) Check([]byte, bool) bft.Result { return bft.Result{} }

// happened runs a network of one validator until all of a story has happened.
func happened(t testing.TB) story {
	t.Helper()
	s, err := store.OpenMemory()
	must(t, err)
	t.Cleanup(func() { _ = s.Close() })
	dir, quiet := t.TempDir(), slog.New(slog.DiscardHandler)
	key, err := bft.ValidatorKey(dir)
	must(t, err)
	funds, err := bus.ParseAmount("1000")
	must(t, err)
	g, err := chain.NewGenesis(bus.Genesis{
		Network: bft.RandomChainID("test"), Admin: caller.PublicKey().Address(),
		Accounts:   []bus.Funds{{Address: caller.PublicKey().Address(), Balance: funds}, {Address: other.PublicKey().Address(), Balance: funds}},
		Validators: []bus.Founder{{Key: key, Operator: caller.PublicKey().Address()}},
	}, time.Now())
	must(t, err)
	app, err := chain.Open(s, "main", quiet)
	must(t, err)
	node, err := bft.New(bft.Config{Dir: dir, Store: s, Name: "main", Genesis: g, App: lax{app}, Log: quiet, MaxTx: bus.MaxTx, Recheck: true})
	must(t, err)
	ledger, err := chain.Local(node, app)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	var running sync.WaitGroup
	running.Go(func() { _ = node.Run(ctx) })
	t.Cleanup(running.Wait)
	t.Cleanup(cancel)
	w := &world{t: t, ctx: ctx, node: node, ledger: ledger}
	w.until(func() bool { return node.Status().Health.State == bft.Healthy })
	return w.happens()
}

// world is the network that a story happens in.
type world struct {
	t      testing.TB
	ctx    context.Context
	node   *bft.Node
	ledger chain.Ledger
}

func (w *world) until(is func() bool) {
	w.t.Helper()
	for !is() {
		if w.ctx.Err() != nil {
			w.t.Fatal(w.ctx.Err())
		}
		time.Sleep(time.Millisecond)
	}
}

func (w *world) happens() story {
	w.t.Helper()
	network := w.node.Genesis().ChainID
	deployment := bus.ProveDeployment(subnet, network, caller.PublicKey(), [32]byte{9})
	seat := identity.FromSeed([32]byte{4})
	st := story{Genesis: w.node.Genesis().Encode()}
	w.settles(caller, deployment, bus.OK)
	tx := w.settles(caller, bus.Contract{Subnet: claim.Subnet, Command: claim.Command}, bus.OK)
	st.ID, st.Called = tx.ID[:], w.proof(tx)
	p, err := bft.Verify(w.node.Genesis().Trust(), st.Called)
	must(w.t, err)
	st.Height = p.Header.Height
	st.Failed = w.proof(w.settles(caller, bus.Contract{Subnet: other.PublicKey(), Command: claim.Command}, bus.ExternalBootstrapNotDeployed))
	st.Paid = w.proof(w.settles(caller, bus.Transfer{To: claim.Subnet}, bus.OK))
	w.settles(caller, bus.Whitelist{Account: other.PublicKey()}, bus.OK)
	w.settles(other, bus.ProveValidator(seat, network, other.PublicKey()), bus.OK)
	w.until(func() bool {
		updates, err := w.node.Updates(1, 1)
		must(w.t, err)
		if len(updates) == 1 {
			st.Update = updates[0]
		}
		return len(updates) == 1
	})
	return st
}

func (w *world) settles(who bus.Signer, body bus.Body, want bus.Code) *bus.Signed {
	w.t.Helper()
	tx := bus.Tx{Network: w.node.Genesis().ChainID, Nonce: bus.NewNonce(), Expiry: 1000, Body: body}.Sign(who)
	result, err := w.ledger.Submit(w.ctx, tx.Encode())
	if err != nil || result.Code != bus.OK {
		w.t.Fatal(result, err)
	}
	r, err := w.ledger.Wait(w.ctx, tx.ID)
	if err != nil || r.Code != want {
		w.t.Fatal(r, err)
	}
	return tx
}

func (w *world) proof(tx *bus.Signed) []byte {
	w.t.Helper()
	_, raw, err := w.ledger.Prove(w.ctx, tx.ID)
	must(w.t, err)
	return raw
}
