package merkle_test

import (
	"fmt"
	"testing"

	"intercom/core/merkle"
	"intercom/core/store"
)

func TestHeldVersionStaysReadable(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	space := s.Space("map")
	m := merkle.Open(space, 2)
	write := func(version uint64) {
		u, err := m.Update()
		if err != nil {
			t.Fatal(err)
		}
		for i := range 20 {
			u.Set(fmt.Append(nil, "k", i), fmt.Append(nil, version))
		}
		b := space.Batch()
		if _, err := u.Write(b, version); err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	write(1)
	first, err := m.Last()
	if err != nil {
		t.Fatal(err)
	}
	release := m.Hold(first)
	for version := uint64(2); version < 40; version++ {
		write(version)
	}
	readable := func() (n int) {
		_ = first.Scan(nil, func(_, value []byte) bool {
			if string(value) == "1" {
				n++
			}
			return true
		})
		return n
	}
	if n := readable(); n != 20 {
		t.Errorf("%d keys of the held version", n)
	}
	release()
	write(40)
	if _, err := m.At(1); err == nil {
		t.Error("the version is kept after its release")
	}
	if v, err := m.At(39); err != nil || v.Version() != 39 {
		t.Errorf("%v, %v", v, err)
	}
}
