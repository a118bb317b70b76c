package merkle_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/merkle"
)

// A map that is filled from the pieces of another has its root.
func TestAListMakesTheSameMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, end := newWorld(t, 1)
		defer end()
		w.commit(t, rapid.MapOf(keys, rapid.StringMatching(`[ab]{0,8}`)).Draw(t, "content"))
		size := rapid.IntRange(0, 200).Draw(t, "size")
		fresh, endFresh := newWorld(t, 1)
		defer endFresh()
		u, err := fresh.tree.Update()
		if err != nil {
			t.Fatal(err)
		}
		var b merkle.Builder
		var after []byte
		for more := true; more; more = after != nil {
			var piece []byte
			if piece, after, err = w.last(t).List(after, size); err != nil {
				t.Fatal(err)
			}
			items := 0
			err := merkle.ReadList(piece, func(key, value []byte) error {
				items++
				u.Set(key, value)
				return b.Add(key, value)
			})
			if err != nil || len(piece) > size && items > 1 || items == 0 && len(w.plain) > 0 {
				t.Fatalf("a piece of %d bytes with %d items: %v", len(piece), items, err)
			}
		}
		root, err := u.Root()
		if err != nil || root != w.last(t).Root() || b.Root() != root {
			t.Fatalf("root %s from the list, %v; the map has %s", root, err, w.last(t).Root())
		}
	})
}

func FuzzReadList(f *testing.F) {
	w, end := newWorld(f, 1)
	f.Cleanup(end)
	w.commit(f, map[string]string{"a": "1", "b": "", "c": "3"})
	piece, _, err := w.last(f).List(nil, 1000)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(piece)
	f.Add(piece[:len(piece)-1])
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0})
	stop := errors.New("enough")
	f.Fuzz(func(t *testing.T, piece []byte) {
		var b merkle.Builder
		read := 0
		err := merkle.ReadList(piece, func(key, value []byte) error {
			read += 8 + len(key) + len(value)
			if bytes.Equal(key, []byte("stop")) {
				return stop
			}
			_ = b.Add(key, value) // which may be out of order
			return nil
		})
		if err == nil && read != len(piece) || err != nil && err != stop && fault.KindOf(err) != fault.Invalid {
			t.Fatal(fmt.Sprint(read, " of ", len(piece), " bytes: ", err))
		}
		b.Root()
	})
}
