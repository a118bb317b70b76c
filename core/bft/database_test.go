package bft

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	dbm "github.com/cometbft/cometbft-db"
	"pgregory.net/rapid"

	"intercom/core/store"
)

// The engine's own database in memory is the model of what it expects.
func TestDatabaseIsWhatTheEngineExpects(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	runs := 0
	rapid.Check(t, func(t *rapid.T) {
		runs++
		ours, model := &database{space: s.Space(fmt.Sprint("db", runs)), gate: &gate{}}, dbm.NewMemDB()
		key := rapid.Custom(func(t *rapid.T) []byte { return []byte(rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "key")) })
		for range rapid.IntRange(0, 40).Draw(t, "writes") {
			k, v := key.Draw(t, "k"), rapid.SliceOf(rapid.Byte()).Draw(t, "v")
			if v == nil {
				v = []byte{}
			}
			remove := rapid.IntRange(0, 3).Draw(t, "remove") == 0
			for _, db := range []dbm.DB{ours, model} {
				if remove {
					_ = db.Delete(k)
				} else {
					_ = db.Set(k, v)
				}
			}
		}
		var start, end []byte
		if rapid.Bool().Draw(t, "from") {
			start = key.Draw(t, "start")
		}
		if rapid.Bool().Draw(t, "to") {
			end = key.Draw(t, "end")
		}
		if bytes.Compare(start, end) > 0 && end != nil {
			start, end = end, start
		}
		for _, back := range []bool{false, true} {
			if a, b := walk(ours, start, end, back), walk(model, start, end, back); !slices.Equal(a, b) {
				t.Fatalf("[%q,%q) back=%v: %q, the model has %q", start, end, back, a, b)
			}
		}
	})
}

func walk(db dbm.DB, start, end []byte, back bool) (out []string) {
	it, err := db.Iterator(start, end)
	if back {
		it, err = db.ReverseIterator(start, end)
	}
	if err != nil {
		return []string{err.Error()}
	}
	defer it.Close()
	for ; it.Valid(); it.Next() {
		out = append(out, fmt.Sprintf("%s=%x", it.Key(), it.Value()))
	}
	return out
}

func TestDatabaseReadsPageAfterPage(t *testing.T) {
	s, _ := store.OpenMemory()
	defer s.Close()
	db := &database{space: s.Space("db"), gate: &gate{}}
	for i := range 3*page + 1 {
		if err := db.Set(fmt.Appendf(nil, "%05d", i), []byte("v")); err != nil {
			t.Fatal(err)
		}
	}
	if got := walk(db, nil, nil, false); len(got) != 3*page+1 || !slices.IsSorted(got) {
		t.Errorf("%d entries", len(got))
	}
}

func TestNothingIsThereAfterTheEnd(t *testing.T) {
	s, _ := store.OpenMemory()
	db := &database{space: s.Space("db"), gate: &gate{}}
	if err := db.SetSync([]byte("k"), []byte("v")); err != nil {
		t.Fatal(err)
	}
	it, err := db.Iterator(nil, nil)
	if err != nil || !it.Valid() {
		t.Fatal(err)
	}
	db.gate.shut.Store(true)
	s.Close()
	if v, err := db.Get([]byte("k")); v != nil || err != nil {
		t.Errorf("get: %q, %v", v, err)
	}
	if ok, err := db.Has([]byte("k")); ok || err != nil {
		t.Errorf("has: %v, %v", ok, err)
	}
	if got := walk(db, nil, nil, false); got != nil {
		t.Errorf("walk: %q", got)
	}
	if err := db.Set([]byte("k"), []byte("v")); err == nil {
		t.Error("a write after the end claims to be kept")
	}
	it.Next()
	if it.Valid() {
		t.Error("the iterator goes on")
	}
}
