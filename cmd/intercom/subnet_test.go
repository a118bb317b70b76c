package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// peerKey is the key of a peer, hex.
func peerKey(t *testing.T, c caller) string {
	t.Helper()
	var info struct{ PeerPubkey string }
	if err := json.Unmarshal(result(t, c, "info", `{}`), &info); err != nil || len(info.PeerPubkey) != 64 {
		t.Fatalf("info: %v", err)
	}
	return info.PeerPubkey
}

// The tutorial of the seed: what one peer persists it restores after a restart, and
// another one, which knows nothing but the bootstrap key, restores it too.
func tutorial(t *testing.T, flags ...string) {
	m := newMachine(t)
	with := func(more ...string) []string { return append(append([]string{}, flags...), more...) }
	a := m.rpc(t, with("--peer-store-name", "a")...)
	key := peerKey(t, a)
	result(t, a, "add_admin", `{"address":"`+key+`"}`)
	result(t, a, "expense_add", dinner)
	result(t, a, "expense_add", snacks)
	before := sorted(t, balances(t, a))
	var done struct{ Tx, State string }
	if err := json.Unmarshal(result(t, a, "expense_persist", `{"channel":"trip-nyc","wait_ms":60000}`), &done); err != nil || len(done.Tx) != 64 || done.State != "confirmed" {
		t.Fatalf("%+v, %v", done, err)
	}
	if again := string(result(t, a, "expense_persist", room)); !strings.Contains(again, done.Tx) || !strings.Contains(again, `"transactions":0`) {
		t.Errorf("persisted again: %s", again)
	}
	a.kill()

	a = m.rpc(t, with("--peer-store-name", "a", "--subnet-channel", "trips")...)
	restored := string(result(t, a, "expense_restore", room))
	if !strings.Contains(restored, `"source":"contract"`) || !strings.Contains(restored, `"confirmed":true`) {
		t.Errorf("restored: %s", restored)
	}
	if after := sorted(t, balances(t, a)); after != before {
		t.Errorf("before %s, after %s", before, after)
	}
	if info := string(result(t, a, "info", `{}`)); !strings.Contains(info, `"subnetBootstrap":"`+key) || !strings.Contains(info, `"subnetChannel":"trips"`) {
		t.Errorf("info: %s", info)
	}

	b := m.rpc(t, with("--peer-store-name", "b", "--subnet-bootstrap", key)...)
	eventually(t, b, "get", `{"key":"admin"}`, holds(key))
	eventually(t, b, "expense_restore", room, holds(`"source":"contract"`))
	if after := sorted(t, balances(t, b)); after != before {
		t.Errorf("a has %s, b %s", before, after)
	}
	eventually(t, b, "tx_result", `{"tx":"`+done.Tx+`"}`, holds("confirmed"))

	result(t, a, "add_writer", `{"key":"`+peerKey(t, b)+`"}`)
	eventually(t, b, "subnet_info", `{}`, holds(`"writable":true`))
	result(t, b, "expense_add", `{"channel":"trip-nyc","payer":"bob","amount":"4","split":"alice,bob","note":"coffee"}`)
	eventually(t, b, "expense_persist", `{"channel":"trip-nyc","wait_ms":60000}`, holds(`"state":"confirmed"`))
	eventually(t, a, "get", `{"key":"expense/room/trip-nyc"}`, holds(`"entries":3`))
	b.kill()
	b = m.rpc(t, with("--peer-store-name", "b")...)
	eventually(t, b, "subnet_info", `{}`, holds(key)) // remembered
}

func balances(t *testing.T, c caller) json.RawMessage {
	t.Helper()
	var sheet struct {
		Balances    json.RawMessage `json:"balances"`
		Settlements json.RawMessage `json:"settlements"`
	}
	if err := json.Unmarshal(result(t, c, "expense_balance", room), &sheet); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(sheet)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestPersistedRoomsAreRestoredUnsettled(t *testing.T) { tutorial(t, "--msb", "0") }

func TestPersistedRoomsAreRestoredSettled(t *testing.T) { tutorial(t) }

// A room that the contract does not have is restored from the snapshot file.
func TestRoomsAreRestoredFromTheFile(t *testing.T) {
	m := newMachine(t)
	a := m.rpc(t, "--peer-store-name", "a", "--msb", "0")
	if refused := string(a.call(t, "expense_restore", room)); !strings.Contains(refused, "not_found") {
		t.Errorf("%s", refused)
	}
	result(t, a, "expense_add", dinner)
	file := filepath.Join(m.home, "intercom", "stores", "a", "expense-split.snapshots.json")
	eventually(t, a, "expense_list", room, func(json.RawMessage) bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "dinner")
	})
	if restored := string(result(t, a, "expense_restore", room)); !strings.Contains(restored, `"source":"local"`) {
		t.Errorf("%s", restored)
	}
}
