package merkle_test

import (
	"fmt"
	"testing"

	"intercom/core/fault"
	"intercom/core/merkle"
	"intercom/core/store"
)

// put writes one version with one key.
func put(t *testing.T, space *store.Space, tree *merkle.Map, version uint64) {
	t.Helper()
	u, err := tree.Update()
	if err != nil {
		t.Fatal(err)
	}
	u.Set([]byte("key"), fmt.Append(nil, "value ", version))
	batch := space.Batch()
	if _, err = u.Write(batch, version); err == nil {
		err = batch.Apply()
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestAHeldVersionStaysReadable(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	space := s.Space("tree")
	tree := merkle.Open(space, 2)
	for version := range uint64(5) {
		put(t, space, tree, version+1)
	}
	if _, _, err := tree.Hold(3); fault.KindOf(err) != fault.NotFound {
		t.Errorf("hold of a version that is gone: %v", err)
	}
	view, release, err := tree.Hold(4)
	if err != nil {
		t.Fatal(err)
	}
	_, twice, err := tree.Hold(4)
	if err != nil {
		t.Fatal(err)
	}
	for version := range uint64(40) {
		put(t, space, tree, version+6)
	}
	twice()
	twice()
	put(t, space, tree, 46)
	if value, ok, err := view.Get([]byte("key")); string(value) != "value 4" || !ok || err != nil {
		t.Errorf("the held version reads %q %v %v", value, ok, err)
	}
	release()
	for version := range uint64(4) {
		put(t, space, tree, version+47)
	}
	if _, err := tree.At(48); fault.KindOf(err) != fault.NotFound {
		t.Errorf("after the release too much is kept: %v", err)
	}
	if _, err := tree.At(49); err != nil {
		t.Errorf("a version that is kept: %v", err)
	}
}

func TestAHoldIsBounded(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	space := s.Space("tree")
	tree := merkle.Open(space, 1)
	put(t, space, tree, 1)
	if _, _, err := tree.Hold(1); err != nil {
		t.Fatal(err)
	}
	for version := range uint64(1010) {
		put(t, space, tree, version+2)
	}
	if _, err := tree.At(1); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a version is held for ever: %v", err)
	}
}
