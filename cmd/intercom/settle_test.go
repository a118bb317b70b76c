package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// said reads a member of a result as text.
func said(t testing.TB, raw json.RawMessage, member string) string {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(raw, &object); err != nil || object[member] == nil {
		t.Fatalf("no %q in %s", member, raw)
	}
	return fmt.Sprint(object[member])
}

// settledWith is a second peer of the machine, on the first one's development
// network.
func settledWith(t testing.TB, m machine, a caller) (b *rpcClient, address string) {
	t.Helper()
	b = m.rpc(t, "--peer-store-name", "bob", "--msb-genesis", said(t, result(t, a, "msb", `{}`), "genesis"))
	return b, said(t, result(t, b, "get_keys", `{}`), "address")
}

func TestTransferReachesAnotherProcess(t *testing.T) {
	m := newMachine(t)
	a := m.rpc(t, "--peer-store-name", "alice")
	if raw := result(t, a, "balance", `{}`); said(t, raw, "balance") != "1000000" || said(t, raw, "development") != "true" {
		t.Errorf("balance: %s", raw)
	}
	b, address := settledWith(t, m, a)
	sent := result(t, a, "transfer", fmt.Sprintf(`{"to":%q,"amount":"12.5","key":"rent"}`, address))
	hash := fmt.Sprintf(`{"hash":%q,"timeout_ms":30000}`, said(t, sent, "hash"))
	if raw := result(t, a, "tx_wait", hash); said(t, raw, "state") != "confirmed" {
		t.Errorf("transfer: %s", raw)
	}
	if raw := result(t, b, "tx_wait", hash); said(t, raw, "state") != "confirmed" {
		t.Errorf("transfer, as the other sees it: %s", raw)
	}
	if raw := result(t, b, "balance", `{}`); said(t, raw, "balance") != "12.5" {
		t.Errorf("balance of the other: %s", raw)
	}
	if raw := result(t, b, "info", `{}`); said(t, raw, "msbBootstrap") != said(t, result(t, a, "msb", `{}`), "genesis") || said(t, raw, "msbChannel") != said(t, sent, "network") {
		t.Errorf("info: %s", raw)
	}
}

// Every transfer that was answered before the kill is confirmed once, and asking
// again with its key makes no second one.
func TestKilledPeerLosesNoTransfer(t *testing.T) {
	m := newMachine(t)
	a := m.rpc(t, "--peer-store-name", "alice")
	b, address := settledWith(t, m, a)
	transfer := func(i int) string {
		return said(t, result(t, a, "transfer", fmt.Sprintf(`{"to":%q,"amount":"1","key":"k%d"}`, address, i)), "hash")
	}
	var hashes []string
	for kills := range 3 {
		for i := range 10 {
			hashes = append(hashes, transfer(10*kills+i))
		}
		a.kill()
		a = m.rpc(t, "--peer-store-name", "alice")
	}
	for i, hash := range hashes {
		if again := transfer(i); again != hash {
			t.Errorf("transfer %d was %s, now %s", i, hash, again)
		}
		if raw := result(t, a, "tx_wait", fmt.Sprintf(`{"hash":%q,"timeout_ms":60000}`, hash)); said(t, raw, "state") != "confirmed" {
			t.Errorf("transfer %d: %s", i, raw)
		}
	}
	if raw := eventually(t, b, "balance", `{}`, holds(`"balance":"30"`)); said(t, raw, "network") != said(t, result(t, a, "msb", `{}`), "network") {
		t.Errorf("the networks differ: %s", raw)
	}
	if raw := result(t, a, "balance", `{}`); said(t, raw, "balance") != "999969.1" {
		t.Errorf("balance: %s", raw)
	}
}

// The process that holds the peer is killed; the one that was attached goes on with
// the same network and what the other had sent.
func TestSettlementIsTakenOver(t *testing.T) {
	m := newMachine(t)
	holder := m.rpc(t)
	network := said(t, result(t, holder, "msb", `{}`), "network")
	attached := m.rpc(t)
	sent := result(t, attached, "transfer", fmt.Sprintf(`{"to":%q,"amount":"3","key":"k"}`, other))
	holder.kill()
	raw := eventually(t, attached, "tx_wait", fmt.Sprintf(`{"hash":%q}`, said(t, sent, "hash")), holds(`"state":"confirmed"`))
	if said(t, raw, "network") != network {
		t.Errorf("network %s became %s", network, raw)
	}
}

// other is the address of nobody in these tests.
const other = "trac1x3lrxnw6tt62q0j0lryqw7t9r5nq7ve3tm7r0pwj6rcn9g7xqerq8hd7nv"

func TestSettlementFromTheShell(t *testing.T) {
	m := newMachine(t)
	out, errs, code := m.run(t, "", "balance", "--json")
	if code != 0 || !strings.Contains(out, `"balance":"1000000"`) {
		t.Fatalf("balance: %d %s %s", code, out, errs)
	}
	to := said(t, json.RawMessage(out), "address")
	if out, errs, code = m.run(t, "", "transfer", to, "5", "--key", "k", "--wait_ms", "30000"); code != 0 || !strings.Contains(out, "confirmed: 5 TNK") || !strings.Contains(out, "development") {
		t.Errorf("transfer: %d %s %s", code, out, errs)
	}
	for _, c := range []struct {
		words []string
		code  int
		piece string
	}{
		{[]string{"transfer", other, "5000000"}, 1, "Insufficient balance"},
		{[]string{"transfer", other, "2,5"}, 1, "Invalid decimal format. Use format: 123.456"},
		{[]string{"balance", "--msb", "0"}, 1, "settlement is turned off"},
		{[]string{"balance", "--msb-genesis", "nothing.json"}, 1, "nothing.json"},
		{[]string{"balance", "--msb-validators", "127.0.0.1:1"}, 1, "--msb-genesis"},
		{[]string{"rpc", "--msb-bootstrap", "00"}, 2, "--msb-genesis"},
	} {
		if out, errs, code := m.run(t, "", c.words...); code != c.code || !strings.Contains(out+errs, c.piece) {
			t.Errorf("%v: %d %s %s", c.words, code, out, errs)
		}
	}
}
