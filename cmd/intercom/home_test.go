package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Entries are kept in plain text, so nobody else may look; and a copy of the
// rooms is kept in the seed application's form.
func TestTheHomeIsPrivateAndHoldsASnapshot(t *testing.T) {
	m := newMachine(t)
	c := m.rpc(t, "--peer-store-name", "alice")
	result(t, c, "expense_add", dinner)
	var file string
	for deadline := time.Now().Add(patience); file == "" && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		_ = filepath.WalkDir(m.home, func(path string, _ fs.DirEntry, _ error) error {
			if filepath.Base(path) == "expense-split.snapshots.json" {
				file = path
			}
			return nil
		})
	}
	raw, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(raw), `"payer":"alice","amountCents":3000`) {
		t.Errorf("%v: %s", err, raw)
	}
	if runtime.GOOS == "windows" {
		return // where modes say nothing
	}
	_ = filepath.WalkDir(filepath.Join(m.home, "intercom"), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it is gone again
		}
		if info, err := d.Info(); err == nil && d.IsDir() && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		return nil
	})
}
