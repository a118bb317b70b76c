package merkle_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/merkle"
)

var keys = rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("key %d", rapid.IntRange(0, 40).Draw(t, "key")) })

func TestRootIsThatOfTheContentWhateverTheHistory(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, end := newWorld(t, rapid.IntRange(1, 4).Draw(t, "keep"))
		defer end()
		values := rapid.StringMatching(`[ab]{0,2}`)
		var before merkle.Hash
		for _, changes := range rapid.SliceOfN(rapid.MapOf(keys, values), 1, 12).Draw(t, "history") {
			earlier := maps.Clone(w.plain)
			root := w.commit(t, changes)
			if maps.Equal(earlier, w.plain) != (root == before) && len(earlier) > 0 {
				t.Fatalf("content %v became %v, root %s became %s", earlier, w.plain, before, root)
			}
			before = root
			check(t, w.last(t), w.plain, "key 1", "key 20", "never")
		}
		fresh, endFresh := newWorld(t, 1)
		defer endFresh()
		if root := fresh.commit(t, maps.Clone(w.plain)); root != w.last(t).Root() {
			t.Fatalf("written at once the root is %s, after its history %s", root, w.last(t).Root())
		}
	})
}

func TestNothingIsLeftBehind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, end := newWorld(t, 1)
		defer end()
		for _, changes := range rapid.SliceOfN(rapid.MapOf(keys, rapid.StringMatching(`[ab]?`)), 1, 12).Draw(t, "history") {
			w.commit(t, changes)
		}
		fresh, endFresh := newWorld(t, 1)
		defer endFresh()
		fresh.commit(t, maps.Clone(w.plain))
		if got, want := w.nodesKept(t), fresh.nodesKept(t); got != want {
			t.Fatalf("%d nodes are kept, the content needs %d", got, want)
		}
	})
}

func TestOldVersionsStayReadableWhileKept(t *testing.T) {
	const keep = 3
	w, end := newWorld(t, keep)
	defer end()
	contents := []map[string]string{{}}
	for i := range 12 {
		w.commit(t, map[string]string{
			fmt.Sprint("key ", i):   "new",
			fmt.Sprint("key ", i-1): fmt.Sprint("changed ", i),
			fmt.Sprint("key ", i-4): "",
		})
		contents = append(contents, maps.Clone(w.plain))
		for back := range min(keep, i+1) {
			version := w.version - uint64(back)
			v, err := w.tree.At(version)
			if err != nil || v.Version() != version {
				t.Fatal(version, err)
			}
			check(t, v, contents[version], "never")
		}
	}
	if _, err := w.tree.At(w.version - keep); fault.KindOf(err) != fault.NotFound {
		t.Fatalf("a forgotten version answers %v", err)
	}
	if v, err := w.tree.At(w.version + 100); err != nil || v.Version() != w.version {
		t.Fatalf("the newest version not above is %v, %v", v, err)
	}
}

func TestReadingAForgottenVersionFailsAndNeverLies(t *testing.T) {
	w, end := newWorld(t, 1)
	defer end()
	w.commit(t, map[string]string{"a": "1", "b": "1", "c": "1"})
	old := w.last(t)
	w.commit(t, map[string]string{"a": "2", "b": "2", "c": "2"})
	for _, key := range []string{"a", "b", "c"} {
		if value, ok, err := old.Get([]byte(key)); err == nil && string(value) != "1" {
			t.Errorf("%s of the old version is %q, %t", key, value, ok)
		}
	}
}

// Readers of any version go on while the next ones are written.
func TestReadersAndTheWriterDoNotMeet(t *testing.T) {
	w, end := newWorld(t, 4)
	defer end()
	w.commit(t, map[string]string{"fixed": "1", "moving": "0"})
	ctx, stop := context.WithCancel(t.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				v, err := w.tree.Last()
				if err != nil {
					t.Error(err)
					return
				}
				for _, key := range []string{"fixed", "moving"} {
					value, ok, proof, err := v.Prove([]byte(key))
					if fault.KindOf(err) == fault.Unavailable {
						break // four versions were written meanwhile
					}
					if err != nil || !ok || merkle.VerifyPresent(v.Root(), []byte(key), value, proof) != nil {
						t.Errorf("%s of version %d is %q, %t, %v", key, v.Version(), value, ok, err)
						return
					}
				}
			}
		})
	}
	for i := range 300 {
		w.commit(t, map[string]string{"moving": fmt.Sprint(i), fmt.Sprint("key ", i%20): fmt.Sprint(i)})
	}
	stop()
	readers.Wait()
}

func TestAnUpdateIsAnOverlayUntilItIsWritten(t *testing.T) {
	w, end := newWorld(t, 1)
	defer end()
	before := w.commit(t, map[string]string{"a": "1", "b": "1"})
	u, err := w.tree.Update()
	if err != nil {
		t.Fatal(err)
	}
	u.Set([]byte("a"), []byte("2"))
	u.Delete([]byte("b"))
	u.Set([]byte("c"), nil)
	for key, want := range map[string]string{"a": "2 true", "b": " false", "c": " true", "d": " false"} {
		value, ok, err := u.Get([]byte(key))
		if got := fmt.Sprint(string(value), " ", ok); err != nil || got != want {
			t.Errorf("%s is %s, want %s", key, got, want)
		}
	}
	changed, err := u.Root()
	if err != nil || changed == before {
		t.Errorf("the root did not change: %v", err)
	}
	u.Set([]byte("a"), []byte("1"))
	u.Set([]byte("b"), []byte("1"))
	u.Delete([]byte("c"))
	if back, err := u.Root(); err != nil || back != before {
		t.Errorf("changes taken back leave root %s, want %s", back, before)
	}
	if v := w.last(t); v.Root() != before {
		t.Error("an update that is not written changed the map")
	}
}

func TestAnUpdateIsWrittenOnceOnTheVersionItBeganOn(t *testing.T) {
	w, end := newWorld(t, 1)
	defer end()
	first, _ := w.tree.Update()
	second, _ := w.tree.Update()
	first.Set([]byte("a"), []byte("1"))
	second.Set([]byte("a"), []byte("2"))
	batch := w.space.Batch()
	if _, err := first.Write(batch, 7); err != nil {
		t.Fatal(err)
	}
	if err := batch.Commit(); err != nil {
		t.Fatal(err)
	}
	for name, u := range map[string]*merkle.Update{"the same": first, "an overtaken": second} {
		if _, err := u.Write(w.space.Batch(), 8); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s update was written: %v", name, err)
		}
	}
	third, _ := w.tree.Update()
	third.Set([]byte("a"), []byte("3"))
	if _, err := third.Write(w.space.Batch(), 7); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a version was written twice: %v", err)
	}
}

func TestABatchThatIsDroppedLeavesNoTrace(t *testing.T) {
	w, end := newWorld(t, 1)
	defer end()
	root := w.commit(t, map[string]string{"a": "1"})
	u, _ := w.tree.Update()
	u.Set([]byte("a"), []byte("2"))
	if _, err := u.Write(w.space.Batch(), 2); err != nil {
		t.Fatal(err)
	}
	if v := w.last(t); v.Root() != root {
		t.Error("a batch that was not committed changed the map")
	}
	if again := w.commit(t, map[string]string{"a": "3"}); again == root {
		t.Error("the map cannot be written after a dropped batch")
	}
	check(t, w.last(t), w.plain)
}

func TestTheListMustBeInOrder(t *testing.T) {
	ordered := [][]byte{[]byte("a"), []byte("b"), []byte("c")}
	w, end := newWorld(t, 1)
	defer end()
	w.commit(t, map[string]string{"a": "1", "b": "1", "c": "1"})
	ordered = ordered[:0]
	if err := w.last(t).Scan(nil, func(key, _ []byte) bool { ordered = append(ordered, bytes.Clone(key)); return true }); err != nil {
		t.Fatal(err)
	}
	slices.Reverse(ordered)
	for _, list := range [][][]byte{ordered, {ordered[0], ordered[0]}} {
		var b merkle.Builder
		var err error
		for _, key := range list {
			if err = b.Add(key, []byte("1")); err != nil {
				break
			}
		}
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("the list %q was taken: %v", list, err)
		}
	}
}

// Keys whose paths part late make pages with one place in use.
func TestPathsThatPartLate(t *testing.T) {
	type placed struct {
		key  string
		path [32]byte
	}
	var found []placed
	for i := range 20_000 {
		key := fmt.Sprint("key ", i)
		found = append(found, placed{key, sha256.Sum256(append([]byte{3}, key...))})
	}
	slices.SortFunc(found, func(a, b placed) int { return bytes.Compare(a.path[:], b.path[:]) })
	same := func(i int) (bits int) {
		a, b := found[i].path, found[i+1].path
		for bits < 256 && (a[bits/8]^b[bits/8])>>(7-bits%8)&1 == 0 {
			bits++
		}
		return bits
	}
	best := 0
	for i := range len(found) - 1 {
		if same(i) > same(best) {
			best = i
		}
	}
	if same(best) < 20 {
		t.Fatalf("the paths of 20 000 keys share %d bits at most", same(best))
	}
	a, b, c := found[best].key, found[best+1].key, found[(best+10_000)%len(found)].key
	w, end := newWorld(t, 1)
	defer end()
	alone := w.commit(t, map[string]string{a: "1"})
	check(t, w.last(t), w.plain, b, c)
	both := w.commit(t, map[string]string{b: "1"})
	check(t, w.last(t), w.plain, c)
	w.commit(t, map[string]string{c: "1"})
	check(t, w.last(t), w.plain)
	if again := w.commit(t, map[string]string{c: ""}); again != both {
		t.Errorf("root %s after removal, want %s", again, both)
	}
	if again := w.commit(t, map[string]string{b: ""}); again != alone {
		t.Errorf("root %s after removal, want %s", again, alone)
	}
	if n := w.nodesKept(t); n != 1 {
		t.Errorf("%d nodes are kept for one key", n)
	}
}
