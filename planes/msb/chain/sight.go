package chain

import (
	"bytes"

	"intercom/core/merkle"
	"intercom/planes/msb/bus"
)

// recordLeaf is how the leaves of transactions begin.
var recordLeaf = bytes.TrimRight(bus.TxLeaf(bus.ID{}), "\x00")

// sightMax is how many leaves are remembered. With fewer, accounts in use are
// read from the tree again for every block; each takes some 200 bytes.
const sightMax = 20_000

// sight is the newest state to those who check, propose, judge and execute: a
// view that remembers what was read of it, and what of that a block leaves as it
// was. The engine calls one at a time, and nobody else uses it.
type sight struct {
	view *merkle.View
	read map[string]leaf
}

// Get reads a leaf. The value is shared.
func (s *sight) Get(key []byte) (value []byte, ok bool, err error) {
	if found, known := s.read[string(key)]; known {
		return found.value, found.present, nil
	}
	if value, ok, err = s.view.Get(key); err == nil {
		s.remember(key, leaf{value, ok})
	}
	return value, ok, err
}

func (s *sight) remember(key []byte, found leaf) {
	if s.read == nil || len(s.read) >= sightMax {
		s.read = make(map[string]leaf)
	}
	s.read[string(key)] = found
}

// move goes on to the view that an update led to. What it changed of the leaves
// that were read is read from it; the record of a transaction nobody reads again
// to decide anything.
func (s *sight) move(to *merkle.View, by *merkle.Update) {
	by.Changed(func(key, value []byte, deleted bool) {
		if _, known := s.read[string(key)]; !known {
			return
		}
		if bytes.HasPrefix(key, recordLeaf) {
			delete(s.read, string(key))
		} else {
			s.read[string(key)] = leaf{value, !deleted}
		}
	})
	s.view = to
}
