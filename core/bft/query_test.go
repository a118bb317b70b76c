package bft_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"intercom/core/bft"
)

// Four validators answer what their applications hold, and a fifth server, in
// front of one of them, lies: it is noticed, and nobody else is blamed.
func TestALieAboutTheApplicationIsNoticed(t *testing.T) {
	sites := albums(t, 4, 3)
	old, err := sites[0].album.Query("all", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		sites[i%4].confirm(fmt.Sprint("more ", i))
	}
	wait(t, "all four rest at one height", func() bool {
		for _, s := range sites {
			if now := s.node.Status(); now.Height != sites[0].node.Status().Height || now.Waiting > 0 || !s.album.shows([]byte("more 4")) {
				return false
			}
		}
		block, err := sites[0].node.Block(sites[0].node.Status().Height)
		return err == nil && len(block.Txs) == 0
	})
	framed := func(status byte, body []byte) []byte {
		return append(binary.BigEndian.AppendUint32(nil, uint32(len(body)+1)), append([]byte{status}, body...)...)
	}
	query := func(lie func(answer []byte) []byte) func(byte, []byte) []byte {
		return func(kind byte, answer []byte) []byte {
			if kind == 6 {
				return lie(answer)
			}
			return answer
		}
	}
	cases := []struct {
		name  string
		fault bft.Fault
		lie   func(kind byte, answer []byte) []byte
	}{
		// The newest block's state stands in no header yet: what cannot be
		// proven counts as nothing.
		{"another state", bft.Withheld, query(func(a []byte) []byte { a[len(a)-1] ^= 1; return a })},
		{"a state that is cut", bft.Lied, query(func(a []byte) []byte { return framed(0, a[5:len(a)-1]) })},
		{"a state with more", bft.Withheld, query(func(a []byte) []byte {
			return framed(0, append(bytes.Clone(a[5:]), 0, 0, 0, 1, 'x'))
		})},
		{"an old state", bft.Behind, query(func([]byte) []byte { return framed(0, old) })},
		{"an old state under the newest height", bft.Withheld, query(func(a []byte) []byte {
			return framed(0, append(bytes.Clone(a[5:13]), old[8:]...))
		})},
		{"an old state under another old height", bft.Lied, query(func(a []byte) []byte {
			height := binary.BigEndian.Uint64(a[5:]) - 1
			return framed(0, append(binary.BigEndian.AppendUint64(nil, height), old[8:]...))
		})},
		{"nothing", bft.Withheld, query(func([]byte) []byte { return framed(1, nil) })},
		{"silence", bft.Silent, query(func([]byte) []byte { return nil })},
		{"a forged header", bft.Lied, func(kind byte, answer []byte) []byte {
			if kind == 2 || kind == 1 {
				answer[len(answer)-40] ^= 1
			}
			return answer
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			servers := []bft.Server{liar(t, "liar", sites[3].node, c.lie)}
			for i, s := range sites {
				servers = append(servers, served(t, fmt.Sprint("v", i), s.node))
			}
			f := follow(t, sites[0].genesis, nil, servers...)
			if _, err := f.Sync(t.Context()); err != nil {
				t.Fatal(err)
			}
			raw, at, err := f.Query(t.Context(), "all", nil, readAlbum)
			if err != nil || !bytes.HasSuffix(raw, []byte("more 4")) || at.Height == 0 {
				t.Errorf("the answer is %q under %+v, %v", raw, at, err)
			}
			if !f.told("liar", c.fault) {
				t.Errorf("not noticed as %s: %+v", c.fault, f.notices)
			}
			for _, n := range f.notices {
				if n.Server != "liar" {
					t.Errorf("an honest one was blamed: %+v", n)
				}
			}
		})
	}
	t.Run("no server says the truth", func(t *testing.T) {
		f := follow(t, sites[0].genesis, nil, liar(t, "liar", sites[3].node, cases[0].lie))
		if _, err := f.Sync(t.Context()); err != nil {
			t.Fatal(err)
		}
		if raw, _, err := f.Query(t.Context(), "all", nil, readAlbum); err == nil {
			t.Errorf("a lie was believed: %q", raw)
		}
	})
}
