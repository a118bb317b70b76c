package merkle_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"intercom/core/merkle"
)

var update = flag.Bool("update", false, "write the golden files again")

// golden is what another implementation needs to check itself.
type golden struct {
	Content map[string]string `json:"content"`
	Root    string            `json:"root"`
	Proofs  map[string]string `json:"proofs"` // of every key, and of "absent"
}

func TestGoldenVectors(t *testing.T) {
	contents := []map[string]string{
		{},
		{"a": "1"},
		{"a": "1", "b": "2"},
		{"a": "1", "b": "2", "c": "", "": "empty key"},
	}
	many := map[string]string{}
	for i := range 50 {
		many[fmt.Sprint("key ", i)] = fmt.Sprint("value ", i)
	}
	contents = append(contents, many)
	var vectors []golden
	for _, content := range contents {
		w, end := newWorld(t, 1)
		u, _ := w.tree.Update()
		for key, value := range content {
			u.Set([]byte(key), []byte(value))
		}
		batch := w.space.Batch()
		root, err := u.Write(batch, 1)
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Commit(); err != nil {
			t.Fatal(err)
		}
		g := golden{Content: content, Root: root.String(), Proofs: map[string]string{}}
		for _, key := range append(slices.Sorted(maps.Keys(content)), "absent") {
			_, _, proof, err := w.last(t).Prove([]byte(key))
			if err != nil {
				t.Fatal(err)
			}
			g.Proofs[key] = hex.EncodeToString(proof)
		}
		vectors = append(vectors, g)
		end()
	}
	got, err := json.MarshalIndent(vectors, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/golden.json"
	if *update {
		if err := os.WriteFile(file, append(got, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(bytes.TrimSpace(want), got) {
		t.Fatalf("roots or proofs changed, %v:\n%s", err, got)
	}
}

// Every change of any bit of a proof, a shorter and a longer one are refused.
func TestTamperedProofsAreRefused(t *testing.T) {
	w, end := newWorld(t, 1)
	defer end()
	changes := map[string]string{}
	for i := range 40 {
		changes[fmt.Sprint("key ", i)] = "value"
	}
	w.commit(t, changes)
	v := w.last(t)
	ends := map[byte]bool{}
	for i := range 60 { // of which 20 are absent
		key := []byte(fmt.Sprint("key ", i))
		value, ok, proof, err := v.Prove(key)
		if err != nil {
			t.Fatal(err)
		}
		ends[proof[1]] = true
		verify := func(proof []byte) error {
			if ok {
				return merkle.VerifyPresent(v.Root(), key, value, proof)
			}
			return merkle.VerifyAbsent(v.Root(), key, proof)
		}
		if err := verify(proof); err != nil {
			t.Fatal(err)
		}
		for bit := range 8 * len(proof) {
			bad := bytes.Clone(proof)
			bad[bit/8] ^= 1 << (bit % 8)
			if verify(bad) == nil {
				t.Errorf("%s: the proof holds with bit %d changed", key, bit)
			}
		}
		for size := range len(proof) {
			if verify(proof[:size]) == nil {
				t.Errorf("%s: the proof holds with %d of %d bytes", key, size, len(proof))
			}
		}
		if verify(append(bytes.Clone(proof), 0)) == nil {
			t.Errorf("%s: the proof holds with a byte more", key)
		}
	}
	if len(ends) != 3 {
		t.Errorf("only proofs of kinds %v were tried", ends)
	}
}

func TestAProofFitsItsVersionOnly(t *testing.T) {
	w, end := newWorld(t, 2)
	defer end()
	w.commit(t, map[string]string{"a": "1", "b": "1"})
	old := w.last(t)
	w.commit(t, map[string]string{"b": "2"})
	value, _, proof, err := old.Prove([]byte("a"))
	if err != nil || merkle.VerifyPresent(old.Root(), []byte("a"), value, proof) != nil {
		t.Fatal("the old proof does not hold", err)
	}
	if merkle.VerifyPresent(w.last(t).Root(), []byte("a"), value, proof) == nil {
		t.Error("an old proof holds under the new root")
	}
}

// No bytes make the functions panic, and no bytes show both that a key has some
// value and that it is absent.
func FuzzProof(f *testing.F) {
	w, end := newWorld(f, 1)
	f.Cleanup(end)
	w.commit(f, map[string]string{"a": "1", "b": "2", "c": "3"})
	v := w.last(f)
	for _, key := range []string{"a", "b", "x", "y", "z"} {
		_, _, proof, err := v.Prove([]byte(key))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(proof, []byte(key))
	}
	f.Add([]byte{1, 1, 0, 0}, []byte{})
	f.Add(bytes.Repeat([]byte{0xff}, merkle.MaxProof), []byte("a"))
	f.Fuzz(func(t *testing.T, proof, key []byte) {
		value, there := w.plain[string(key)]
		if merkle.VerifyAbsent(v.Root(), key, proof) == nil && there {
			t.Fatalf("%x shows that %q is absent", proof, key)
		}
		if merkle.VerifyPresent(v.Root(), key, []byte(value), proof) == nil && !there {
			t.Fatalf("%x shows %q", proof, key)
		}
	})
}
