package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"intercom/core/fault"
	"intercom/core/store"
)

// memory opens a store for one test.
func memory(t testing.TB) *store.Store {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func put(t testing.TB, sp *store.Space, pairs ...string) {
	t.Helper()
	b := sp.Batch()
	for i := 0; i < len(pairs); i += 2 {
		b.Set([]byte(pairs[i]), []byte(pairs[i+1]))
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
}

// text is what a scan sees, as "k=v k=v".
func text(t testing.TB, sp *store.Space, from, to []byte) string {
	t.Helper()
	var seen []string
	err := sp.Scan(from, to, func(k, v []byte) bool {
		seen = append(seen, fmt.Sprintf("%s=%s", k, v))
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(seen, " ")
}

func TestGetAnswersWhatWasCommitted(t *testing.T) {
	sp := memory(t).Space("a")
	put(t, sp, "k", "v", "empty", "", "", "no key")
	for key, want := range map[string]string{"k": "v", "empty": "", "": "no key"} {
		got, ok, err := sp.Get([]byte(key))
		if err != nil || !ok || string(got) != want || got == nil {
			t.Errorf("Get(%q) = %q, %v, %v", key, got, ok, err)
		}
	}
	if got, ok, err := sp.Get([]byte("other")); got != nil || ok || err != nil {
		t.Errorf("Get of nothing = %q, %v, %v", got, ok, err)
	}
}

func TestScanGoesUpwardsWithinItsBoundsAndItsSpace(t *testing.T) {
	s := memory(t)
	sp := s.Space("b")
	put(t, sp, "1", "x", "3", "z", "2", "y", "\xff\xff", "last")
	for _, near := range []string{"a", "b\x01", "ba", "c"} {
		put(t, s.Space(near), "1", "not mine", "\xff", "not mine")
	}
	for _, c := range []struct {
		from, to []byte
		want     string
	}{
		{nil, nil, "1=x 2=y 3=z \xff\xff=last"},
		{[]byte("2"), nil, "2=y 3=z \xff\xff=last"},
		{[]byte("1"), []byte("3"), "1=x 2=y"},
		{[]byte("3"), []byte("1"), ""},
		{nil, []byte(""), ""},
	} {
		if got := text(t, sp, c.from, c.to); got != c.want {
			t.Errorf("Scan(%q, %q) = %q, want %q", c.from, c.to, got, c.want)
		}
	}
}

func TestScanStopsWhenToldAndSeesNoLaterWrite(t *testing.T) {
	sp := memory(t).Space("a")
	put(t, sp, "1", "", "2", "", "3", "")
	visits := 0
	if err := sp.Scan(nil, nil, func(k, _ []byte) bool {
		visits++
		put(t, sp, string(k)+"+", "", "4", "")
		return visits < 3
	}); err != nil || visits != 3 {
		t.Errorf("%d visits, %v", visits, err)
	}
	if err := sp.Scan(nil, nil, func(_, _ []byte) bool { visits++; return false }); err != nil || visits != 4 {
		t.Errorf("%d visits, %v", visits, err)
	}
}

func TestABatchOfTwoSpacesIsOneWrite(t *testing.T) {
	s := memory(t)
	one, two := s.Space("one"), s.Space("two")
	put(t, two, "gone", "soon")
	b := one.Batch()
	b.Set([]byte("k"), []byte("1"))
	b.In(two).Set([]byte("k"), []byte("2"))
	b.In(two).Delete([]byte("gone"))
	b.In(two).Delete([]byte("never there"))
	if got := text(t, one, nil, nil) + text(t, two, nil, nil); got != "gone=soon" {
		t.Errorf("before the commit: %q", got)
	}
	if err := b.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := text(t, one, nil, nil) + " " + text(t, two, nil, nil); got != "k=1 k=2" {
		t.Errorf("after the commit: %q", got)
	}
	if err := b.Commit(); fault.KindOf(err) != fault.Internal {
		t.Errorf("a second commit: %v", err)
	}
}

func TestClosedStoreAnswersUnavailableAndNeverPanics(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	sp := s.Space("a")
	put(t, sp, "k", "v")
	early := sp.Batch()
	early.Set([]byte("x"), nil)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	late := sp.Batch()
	late.Set([]byte("y"), nil)
	_, _, getErr := sp.Get([]byte("k"))
	for name, err := range map[string]error{
		"Get": getErr, "Scan": sp.Scan(nil, nil, nil), "Sync": sp.Sync(),
		"Commit of an early batch": early.Commit(), "Apply of a late batch": late.Apply(),
	} {
		if fault.KindOf(err) != fault.Unavailable || fault.Of(err).Hint == "" {
			t.Errorf("%s after Close: %v", name, err)
		}
	}
}

func TestCloseWaitsForCallsUnderWay(t *testing.T) {
	for range 20 {
		s, err := store.OpenMemory()
		if err != nil {
			t.Fatal(err)
		}
		sp := s.Space("a")
		put(t, sp, "k", "v")
		var callers sync.WaitGroup
		started := make(chan struct{}, 8)
		for range 8 {
			callers.Go(func() {
				started <- struct{}{}
				for err := error(nil); err == nil; {
					b := sp.Batch()
					b.Set([]byte("k"), []byte("w"))
					_, _, getErr := sp.Get([]byte("k"))
					err = errors.Join(b.Commit(), getErr, sp.Scan(nil, nil, func(_, _ []byte) bool { return true }))
					if err != nil && fault.KindOf(err) != fault.Unavailable {
						t.Errorf("while closing: %v", err)
					}
				}
			})
		}
		<-started
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		callers.Wait()
	}
}

func TestStoreOpensOnceAndSaysSo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "er")
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Open(dir); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second open: %v", err)
	}
	put(t, s.Space("a"), "k", "v")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s, err = store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := text(t, s.Space("a"), nil, nil); got != "k=v" {
		t.Errorf("after a restart: %q", got)
	}
	if mode, err := os.Stat(dir); err != nil || mode.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", mode.Mode(), err)
	}
}

func TestStoreThatCannotBeReachedIsUnavailable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{file, filepath.Join(file, "store"), ""} {
		if s, err := store.Open(dir); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("Open(%q) = %v, %v", dir, s, err)
		}
	}
}

func TestDamagedStoreIsUnavailableAndIsReleased(t *testing.T) {
	dir := t.TempDir()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	put(t, s.Space("a"), "k", "v")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Glob(filepath.Join(dir, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatalf("manifests %q, %v", manifests, err)
	}
	for _, m := range manifests {
		if err := os.WriteFile(m, bytes.Repeat([]byte("rot"), 99), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second time it is not locked by the first
		if _, err := store.Open(dir); fault.KindOf(err) != fault.Unavailable || !strings.Contains(fault.Of(err).Hint, "restore") {
			t.Errorf("open of a damaged store: %v", err)
		}
	}
}

func TestCutOfPowerKeepsWhatWasAcknowledgedAndNothingInPart(t *testing.T) {
	for seed := range uint64(20) {
		disk := store.NewDisk()
		s, err := disk.Open()
		if err != nil {
			t.Fatal(err)
		}
		sp := s.Space("a")
		put(t, sp, "committed", "1")
		half := sp.Batch()
		half.Set([]byte("synced left"), []byte("1"))
		half.Set([]byte("synced right"), []byte("1"))
		if err := errors.Join(half.Apply(), sp.Sync()); err != nil {
			t.Fatal(err)
		}
		loose := sp.Batch()
		loose.Set([]byte("x left"), bytes.Repeat([]byte("l"), 40_000))
		loose.Set([]byte("x right"), bytes.Repeat([]byte("r"), 40_000))
		if err := loose.Apply(); err != nil {
			t.Fatal(err)
		}
		after, err := disk.Crash(seed).Open()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		sp = after.Space("a")
		if got := text(t, sp, nil, []byte("x")); got != "committed=1 synced left=1 synced right=1" {
			t.Errorf("seed %d: left %q", seed, got)
		}
		_, left, _ := sp.Get([]byte("x left"))
		_, right, _ := sp.Get([]byte("x right"))
		if left != right {
			t.Errorf("seed %d: half a batch is there", seed)
		}
		if err := errors.Join(s.Close(), after.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestPebblesWordsGoToTheLogAtDebugOnly(t *testing.T) {
	var said [2]bytes.Buffer
	for i, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		log := slog.New(slog.NewJSONHandler(&said[i], &slog.HandlerOptions{Level: level}))
		s, err := store.OpenMemory(store.WithLog(log))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
	if said[0].Len() != 0 || said[1].Len() == 0 {
		t.Errorf("info %q, debug %q", said[0].String(), said[1].String())
	}
}

func TestBrokenDeclarationsPanic(t *testing.T) {
	s, other := memory(t), memory(t)
	for name, do := range map[string]func(){
		"no name":        func() { s.Space("") },
		"a zero byte":    func() { s.Space("a\x00b") },
		"a second store": func() { s.Space("a").Batch().In(other.Space("a")) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			do()
		}()
	}
}
