package msb_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

// genesisFile writes the genesis of a real network of one validator.
func genesisFile(t *testing.T) (path string, g bft.Genesis) {
	t.Helper()
	key, err := bft.ValidatorKey(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	g, err = chain.NewGenesis(bus.Genesis{
		Network: "our-net", Validators: []bus.Founder{{Key: key, Operator: someone("operator").PublicKey().Address()}},
	}, time.Now().UTC())
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "genesis.json")
	if err := os.WriteFile(path, g.Encode(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, g
}

func names(p *msb.Plane) (list []string) {
	for _, o := range p.Ops() {
		list = append(list, o.Info().Name)
	}
	return list
}

func TestRealNetworkHasNoFaucet(t *testing.T) {
	path, _ := genesisFile(t)
	choice, err := msb.Choose(t.TempDir(), path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if list := names(msb.New(msb.Config{Choice: choice})); slices.Contains(list, "faucet") || !slices.Contains(list, "transfer") {
		t.Errorf("the operations are %v", list)
	}
	own, err := msb.Choose(t.TempDir(), "", nil)
	if err != nil || !slices.Contains(names(msb.New(msb.Config{Choice: own})), "faucet") {
		t.Errorf("a development network has no faucet (%v)", err)
	}
}

func TestNamedNetworkIsRememberedAndLeft(t *testing.T) {
	path, g := genesisFile(t)
	dir := t.TempDir()
	const soon = 50 * time.Millisecond // nobody will come
	a := startWith(t, soon, "alice", dir, path)
	if out := a.must("msb", with{}); out["network"] != "our-net" || out["development"] != false || out["mode"] != "light client" || out["health"].(with)["state"] != "unreachable" {
		t.Errorf("msb: %v", out)
	}
	if _, err := a.try("balance", with{}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a balance that nobody proves: %v", err)
	}
	a.stop()
	for _, genesis := range []string{"", g.Hash().String(), strings.ToUpper(g.Hash().String())} {
		b := startWith(t, soon, "alice", dir, genesis)
		if out := b.must("msb", with{}); out["network"] != "our-net" {
			t.Errorf("named by %q: %v", genesis, out)
		}
		b.stop()
	}
	back := start(t, "alice", dir, msb.Own)
	own := back.must("msb", with{})
	if own["development"] != true {
		t.Errorf("its own: %v", own)
	}
	back.stop()
	again := start(t, "alice", dir, own["genesis"].(string)) // its own, by hash
	if out := again.must("msb", with{}); out["network"] != own["network"] || out["mode"] != "validator" {
		t.Errorf("its own, named by hash: %v", out)
	}
}

func TestBadChoicesAreRefused(t *testing.T) {
	path, g := genesisFile(t)
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	other := g
	other.ChainID = "other-net"
	for name, c := range map[string]struct {
		genesis    string
		validators []string
	}{
		"no file": {"nothing.json", nil}, "short hash": {g.Hash().String()[:60], nil}, "a directory": {t.TempDir(), nil},
		"empty": {write(""), nil}, "text": {write("hello"), nil}, "two names": {write(string(other.Encode())), nil},
		"followed": {write(string(g.Encode()) + "{}"), nil}, "validators alone": {"", []string{"127.0.0.1:1"}},
	} {
		if _, err := msb.Choose(t.TempDir(), c.genesis, c.validators); fault.KindOf(err) != fault.Invalid || fault.Of(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "network.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := msb.Choose(dir, "", nil); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a damaged choice: %v", err)
	}
	if _, err := msb.Choose(dir, path, nil); err != nil {
		t.Errorf("a damaged choice hides the one that is made: %v", err)
	}
}
