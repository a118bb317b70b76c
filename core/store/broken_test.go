package store

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"intercom/core/fault"
)

func TestDiskThatRefusesTheLogEndsWritingAndKeepsReading(t *testing.T) {
	var full atomic.Bool
	disk := errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind.ReadOrWrite() == errorfs.OpIsWrite {
			return errors.New("no space left on device")
		}
		return nil
	}))
	s, err := open(disk, "store", nil)
	if err != nil {
		t.Fatal(err)
	}
	sp := s.Space("a")
	commit := func() error {
		b := sp.Batch()
		b.Set([]byte("k"), []byte("v"))
		return b.Commit()
	}
	if err := commit(); err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	for range 3 {
		if err := commit(); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("commit on a full disk: %v", err)
		}
	}
	if _, ok, err := sp.Get([]byte("k")); !ok || err != nil {
		t.Errorf("read on a full disk: %v, %v", ok, err)
	}
	if err := s.Close(); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("close on a full disk: %v", err)
	}
	if _, _, err := sp.Get([]byte("k")); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("read after close: %v", err)
	}
}

func TestDiskThatTakesNoTablesKeepsTheLogAndLetsTheStoreClose(t *testing.T) {
	var full atomic.Bool
	memory := vfs.NewMem()
	disk := errorfs.Wrap(memory, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if full.Load() && op.Kind == errorfs.OpCreate && strings.HasSuffix(op.Path, ".sst") {
			return errors.New("no space left on device")
		}
		return nil
	}))
	s, err := open(disk, "store", nil)
	if err != nil {
		t.Fatal(err)
	}
	full.Store(true)
	b := s.Space("a").Batch()
	b.Set([]byte("k"), []byte("v"))
	if err := errors.Join(b.Commit(), s.Close()); err != nil {
		t.Fatal(err)
	}
	s, err = open(memory, "store", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if v, ok, err := s.Space("a").Get([]byte("k")); string(v) != "v" || !ok || err != nil {
		t.Errorf("%q, %v, %v", v, ok, err)
	}
}
