package msb_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/planes/msb"
)

func TestFirstOperationMakesADevelopmentNetwork(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "peer-msb")
	a := start(t, "alice", dir, "")
	if _, err := os.Stat(dir); err == nil || a.plane.Running().Name != "" {
		t.Fatal("something is there before the first operation")
	}
	out := a.must("balance", with{})
	if out["balance"] != "1000000" || out["address"] != a.address() || out["development"] != true || !strings.HasPrefix(out["network"].(string), "intercom-dev") {
		t.Errorf("balance: %v", out)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the store: %v %v", info, err)
	}
	about := a.must("msb", with{})
	if about["mode"] != "validator" || about["validators"] != 1.0 || about["fee"] != "0.03" || about["health"].(with)["state"] != "healthy" || about["genesis"] != a.plane.Running().Genesis.String() {
		t.Errorf("msb: %v", about)
	}
	a.stop()
	b := start(t, "alice", dir, "")
	if again := b.must("msb", with{}); again["network"] != about["network"] {
		t.Errorf("after a restart the network is %v, not %v", again["network"], about["network"])
	}
}

func TestTransferIsSeenByALightClient(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	genesis := a.must("msb", with{})["genesis"].(string)
	dir := t.TempDir()
	b := start(t, "bob", dir, genesis, a.host.Addrs()...)
	if out := b.must("balance", with{}); out["balance"] != "0" || out["network"] != a.plane.Running().Name {
		t.Errorf("balance: %v", out)
	}
	sent := a.must("transfer", with{"to": b.address(), "amount": "12.50", "key": "rent"})
	done := a.confirmed(sent["hash"])
	if seen := b.confirmed(sent["hash"]); seen["height"] != done["height"] { // the light client waits for the proof
		t.Errorf("the light client saw %v", seen)
	}
	if out := b.must("balance", with{}); out["balance"] != "12.5" {
		t.Errorf("balance: %v", out)
	}
	if out := b.must("tx_status", with{"hash": sent["hash"]}); out["state"] != "confirmed" || out["height"] != done["height"] {
		t.Errorf("tx_status at the light client: %v", out)
	}
	about := b.must("msb_tx", with{"hash": sent["hash"]})
	if about["to"] != b.address() || about["amount"] != "12.5" || about["requester"] != a.address() || about["name"] != "TRANSFER" {
		t.Errorf("msb_tx: %v", about)
	}
	back := b.must("transfer", with{"to": a.address(), "amount": 2, "wait_ms": 60000})
	if back["state"] != "confirmed" {
		t.Errorf("transfer of a light client: %v", back)
	}
	if out := b.must("balance", with{}); out["balance"] != "10.47" {
		t.Errorf("balance: %v", out)
	}
	if later := b.must("balance", with{"height": done["height"]}); later["balance"] != "12.5" || later["height"] != done["height"] {
		t.Errorf("balance of an earlier height: %v", later)
	}
	b.stop()
	again := start(t, "bob", dir, "", a.host.Addrs()...) // remembers the network
	if out := again.must("balance", with{}); out["balance"] != "10.47" || out["network"] != a.plane.Running().Name {
		t.Errorf("after a restart: %v", out)
	}
	list := again.must("msb_txs", with{"from": 1})["txs"].([]any)
	if len(list) != 2 {
		t.Errorf("msb_txs lists %d", len(list))
	}
}

func TestGenesisIsFetchedWhenAPeerHasIt(t *testing.T) {
	dir := t.TempDir()
	a := start(t, "alice", dir, "")
	about := a.must("msb", with{})
	a.stop()
	b := start(t, "bob", t.TempDir(), about["genesis"].(string)) // nobody is there
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := b.ops.Call(soon, op.Request{Name: "balance", Grant: op.Read}); fault.KindOf(fault.Of(err)) != fault.Cancelled {
		t.Errorf("without the genesis: %v", err)
	}
	start(t, "alice", dir, "", b.host.Addrs()...)
	if out := b.must("balance", with{"address": a.address()}); out["balance"] != "1000000" || out["network"] != about["network"] {
		t.Errorf("balance: %v", out)
	}
}

func TestRepeatedKeySendsOnce(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	to := someone("bob").PublicKey().Address()
	first := a.must("transfer", with{"to": to, "amount": "999999", "key": "k"})
	a.confirmed(first["hash"])
	// The balance would not cover it a second time.
	if again := a.must("transfer", with{"to": to, "amount": "999999.0", "key": "k"}); again["hash"] != first["hash"] || again["state"] != "confirmed" {
		t.Errorf("the same call gave %v, then %v", first, again)
	}
	if _, err := a.try("transfer", with{"to": to, "amount": "1", "key": "k"}); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the same key with another amount: %v", err)
	}
	if out := a.must("balance", with{"address": to}); out["balance"] != "999999" {
		t.Errorf("balance: %v", out)
	}
}

func TestWhatCannotBePaidIsRefusedAtOnce(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	to := someone("bob").PublicKey().Address()
	for _, c := range []struct {
		name  string
		in    with
		kind  fault.Kind
		piece string
	}{
		{"negative", with{"to": to, "amount": "-1"}, fault.Invalid, "Negative amounts are not allowed"},
		{"negative number", with{"to": to, "amount": -1}, fault.Invalid, "Negative amounts are not allowed"},
		{"no number", with{"to": to, "amount": "1e3"}, fault.Invalid, "Invalid decimal format. Use format: 123.456"},
		{"empty", with{"to": to, "amount": ""}, fault.Invalid, "Invalid decimal format. Use format: 123.456"},
		{"fine", with{"to": to, "amount": "0.0000000000000000001"}, fault.Invalid, "Too many decimal places. Maximum allowed: 18"},
		{"2^128", with{"to": to, "amount": "340282366920938463463.374607431768211456"}, fault.Invalid, "Amount exceeds maximum allowed value (2^128 - 1)"},
		{"2^128-1 and the fee", with{"to": to, "amount": "340282366920938463463.374607431768211455"}, fault.Invalid, "Amount exceeds maximum allowed value (2^128 - 1)"},
		{"too much", with{"to": to, "amount": "1000000"}, fault.Limited, "1000000.03 TNK needed"},
		{"dry run too", with{"to": to, "amount": "1000000", "dry_run": true}, fault.Limited, "1000000.03 TNK needed"},
		{"broken address", with{"to": to[:62] + "q", "amount": "1"}, fault.Invalid, "address"},
		{"no address", with{"to": "bob", "amount": "1"}, fault.Invalid, "to"},
		{"object", with{"to": to, "amount": with{}}, fault.Invalid, "amount"},
		{"nothing", with{}, fault.Invalid, "to"},
	} {
		_, err := a.try("transfer", c.in)
		if fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.piece) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// What is on the way counts.
	a.must("transfer", with{"to": to, "amount": "600000"})
	if _, err := a.try("transfer", with{"to": to, "amount": "600000"}); fault.KindOf(err) != fault.Limited {
		t.Errorf("more than is left: %v", err)
	}
	if out := a.must("transfer", with{"to": to, "amount": "1", "dry_run": true}); out["hash"] != nil || out["state"] != nil ||
		out["balance_after"] != "399998.94" {
		t.Errorf("dry run: %v", out)
	}
}

func TestOddTransfersAreFine(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	for _, in := range []with{
		{"to": a.address(), "amount": "5"},                                  // to oneself: the fee alone
		{"to": someone("nobody").PublicKey().Address(), "amount": "0"},      // zero, to an account that is not there
		{"to": someone("nobody").PublicKey().String(), "amount": "0.00"},    // a key
		{"to": strings.ToUpper(a.address()), "amount": "0.5", "dry_run": 0}, // as upstream takes it
	} {
		in["wait_ms"] = 60000
		if out := a.must("transfer", in); out["state"] != "confirmed" {
			t.Errorf("%v: %v", in, out)
		}
	}
	if out := a.must("balance", with{}); out["balance"] != "999999.88" { // nobody earns from a fee of his own
		t.Errorf("balance: %v", out)
	}
}

func TestRolesOnADevelopmentNetwork(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	bob := someone("bob").PublicKey().Address()
	do := func(action string, code float64, state string) {
		t.Helper()
		out := a.must("msb_roles", with{"action": action, "address": bob, "wait_ms": 60000})
		if out["state"] != state || out["code"] != code {
			t.Errorf("%s: %v", action, out)
		}
	}
	do("ban", 24, "failed") // it has no account
	do("whitelist", 0, "confirmed")
	if out := a.must("msb_account", with{"address": bob}); out["role"] != "whitelisted" || out["license"] == nil {
		t.Errorf("account: %v", out)
	}
	do("whitelist", 105, "failed")
	do("ban", 0, "confirmed")
	for name, in := range map[string]with{
		"nobody":  {"action": "ban"},
		"no keys": {"action": "add_validator"},
		"short":   {"action": "add_validator", "validator_key": "00", "proof": "00"},
		"alone":   {"action": "add_validator", "validator_key": strings.Repeat("ab", 32), "proof": strings.Repeat("cd", 64)},
		"unknown": {"action": "promote", "address": bob},
	} {
		if _, err := a.try("msb_roles", in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if out := a.must("msb_roles", with{"action": "remove_validator", "wait_ms": 60000}); out["state"] != "failed" || out["code_name"] != "ROLE_LAST_VALIDATOR" {
		t.Errorf("the last validator: %v", out)
	}
}

func TestManyAtOnceFromALightClient(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	b := start(t, "bob", t.TempDir(), a.must("msb", with{})["genesis"].(string), a.host.Addrs()...)
	b.confirmed(b.must("faucet", with{})["hash"])
	to := someone("carol").PublicKey().Address()
	const count = 200
	hashes := make([]any, count)
	for i := range hashes {
		hashes[i] = b.must("transfer", with{"to": to, "amount": "0.01"})["hash"]
	}
	for _, hash := range hashes {
		b.confirmed(hash)
	}
	if out := b.must("balance", with{"address": to}); out["balance"] != "2" {
		t.Errorf("balance: %v", out)
	}
	if out := b.must("balance", with{}); out["balance"] != "92" { // 100 - 200 × 0.04
		t.Errorf("balance: %v", out)
	}
}

func TestEveryChangeIsAnEvent(t *testing.T) {
	a := start(t, "alice", t.TempDir(), "")
	hash := a.must("transfer", with{"to": someone("bob").PublicKey().Address(), "amount": "1"})["hash"].(string)
	a.confirmed(hash)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var states []string
	for at := event.Cursor(""); !slices.Contains(states, "confirmed"); {
		batch, err := a.hub.Read(ctx, at, 100)
		if err != nil || ctx.Err() != nil {
			t.Fatalf("told of %v only, %v", states, err)
		}
		for _, e := range batch.Events {
			var change struct {
				Hash, State string
				Code        *int
				Height      int
			}
			if e.Kind != "tx_changed" {
				continue
			}
			if err := json.Unmarshal(e.Data, &change); err != nil || change.Hash != hash {
				t.Fatalf("%s: %v", e.Data, err)
			}
			if ended := change.State == "confirmed"; ended != (change.Code != nil) || ended != (change.Height > 0) {
				t.Errorf("%s", e.Data)
			}
			states = append(states, change.State)
		}
		at = batch.Next
	}
	if !slices.IsSortedFunc(states, func(x, y string) int { return slices.Index(order, x) - slices.Index(order, y) }) {
		t.Errorf("told of %v", states)
	}
}

// order is how a transaction may go.
var order = []string{"created", "sent", "accepted", "confirmed"}

func TestOffAnswersUnavailable(t *testing.T) {
	p := msb.New(msb.Config{Off: true})
	r := op.NewRegistry(nil, quiet())
	r.Add(p.Ops()...)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	for _, info := range r.Ops() {
		_, err := r.Call(t.Context(), op.Request{Name: info.Name, Params: info.Example, Grant: op.Admin})
		if fault.KindOf(err) != fault.Unavailable || fault.Of(err).Hint == "" {
			t.Errorf("%s: %v", info.Name, err)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
