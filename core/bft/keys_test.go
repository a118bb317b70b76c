package bft_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"intercom/core/bft"
	"intercom/core/fault"
)

func TestKeyAndItsStateBelongTogether(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bft")
	key, err := bft.ValidatorKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	again, err := bft.ValidatorKey(dir)
	if err != nil || again != key {
		t.Errorf("%s, then %s, %v", key, again, err)
	}
	keyPath, statePath := filepath.Join(dir, "validator.key"), filepath.Join(dir, "validator.state")
	for _, path := range []string{keyPath, statePath} {
		if info, err := os.Stat(path); err != nil || (runtime.GOOS != "windows" && info.Mode().Perm() != 0o600) {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	good, _ := os.ReadFile(statePath)
	for _, bad := range []string{"", "{}", "null", `{"height":"x","round":0,"step":0}`, `{"height":"-1","round":0,"step":0}`} {
		if err := os.WriteFile(statePath, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := bft.ValidatorKey(dir); fault.KindOf(err) != fault.Conflict {
			t.Errorf("state %q: %v", bad, err)
		}
	}
	os.Remove(statePath)
	if _, err := bft.ValidatorKey(dir); fault.KindOf(err) != fault.Conflict {
		t.Errorf("key without its state: %v", err)
	}
	os.Remove(keyPath)
	os.WriteFile(statePath, []byte(`{"height":"5","round":0,"step":2}`), 0o600)
	if _, err := bft.ValidatorKey(dir); fault.KindOf(err) != fault.Conflict {
		t.Errorf("state without its key: %v", err)
	}
	os.WriteFile(statePath, good, 0o600)
	if other, err := bft.ValidatorKey(dir); err != nil || other == key {
		t.Errorf("a key that ended while it was made: %s, %v", other, err)
	}
	os.WriteFile(keyPath, []byte("short"), 0o600)
	if _, err := bft.ValidatorKey(dir); fault.KindOf(err) != fault.Conflict {
		t.Errorf("damaged key: %v", err)
	}
}
