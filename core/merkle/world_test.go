package merkle_test

import (
	"maps"

	"intercom/core/merkle"
	"intercom/core/store"
)

// world is a map in a store in memory, with the plain map it must equal.
type world struct {
	space   *store.Space
	tree    *merkle.Map
	version uint64
	plain   map[string]string
}

type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

func newWorld(t tester, keep int) (*world, func()) {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	space := s.Space("tree")
	return &world{space: space, tree: merkle.Open(space, keep), plain: map[string]string{}}, func() { _ = s.Close() }
}

// commit writes the changes, where "" removes, and returns the new root.
func (w *world) commit(t tester, changes map[string]string) merkle.Hash {
	t.Helper()
	u, err := w.tree.Update()
	if err != nil {
		t.Fatal(err)
	}
	for key, value := range changes {
		if value == "" {
			u.Delete([]byte(key))
			delete(w.plain, key)
		} else {
			u.Set([]byte(key), []byte(value))
			w.plain[key] = value
		}
	}
	w.version++
	batch := w.space.Batch()
	root, err := u.Write(batch, w.version)
	if err != nil {
		t.Fatal(err)
	}
	if err := batch.Commit(); err != nil {
		t.Fatal(err)
	}
	return root
}

func (w *world) last(t tester) *merkle.View {
	t.Helper()
	v, err := w.tree.Last()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// nodesKept counts the nodes in the store.
func (w *world) nodesKept(t tester) (n int) {
	t.Helper()
	if err := w.space.Scan([]byte("n"), []byte("o"), func(_, _ []byte) bool { n++; return true }); err != nil {
		t.Fatal(err)
	}
	return n
}

// check holds the view against a plain map: every key, the list, the proofs.
func check(t tester, v *merkle.View, plain map[string]string, absent ...string) {
	t.Helper()
	for key, want := range plain {
		value, ok, proof, err := v.Prove([]byte(key))
		if err != nil || !ok || string(value) != want {
			t.Fatalf("%q is %q, %t, %v; want %q", key, value, ok, err, want)
		}
		if err := merkle.VerifyPresent(v.Root(), []byte(key), value, proof); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		if merkle.VerifyAbsent(v.Root(), []byte(key), proof) == nil || merkle.VerifyPresent(v.Root(), []byte(key), []byte(want+"x"), proof) == nil {
			t.Fatalf("the proof of %q shows something else as well", key)
		}
	}
	for _, key := range absent {
		if _, there := plain[key]; there {
			continue
		}
		_, ok, proof, err := v.Prove([]byte(key))
		if err != nil || ok {
			t.Fatalf("%q is there: %t, %v", key, ok, err)
		}
		if err := merkle.VerifyAbsent(v.Root(), []byte(key), proof); err != nil {
			t.Fatalf("%q: %v", key, err)
		}
		if merkle.VerifyPresent(v.Root(), []byte(key), nil, proof) == nil {
			t.Fatalf("the proof without %q shows it as well", key)
		}
	}
	checkList(t, v, plain)
}

// checkList takes the list in pieces and builds the root from it.
func checkList(t tester, v *merkle.View, plain map[string]string) {
	t.Helper()
	var b merkle.Builder
	listed := map[string]string{}
	var after []byte
	for more := true; more; {
		more = false
		n := 0
		err := v.Scan(after, func(key, value []byte) bool {
			if err := b.Add(key, value); err != nil {
				t.Fatal(err)
			}
			listed[string(key)] = string(value)
			after, more = append([]byte{}, key...), true
			n++
			return n < 3
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if !maps.Equal(listed, plain) {
		t.Fatalf("listed %v, want %v", listed, plain)
	}
	if root := b.Root(); root != v.Root() {
		t.Fatalf("the list gives root %s, the map has %s", root, v.Root())
	}
}
