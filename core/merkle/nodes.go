package merkle

import (
	"encoding/binary"

	"intercom/core/fault"
	"intercom/core/store"
)

// Keys of the space.
const (
	keyHead  = 'h' // the newest version
	keyNode  = 'n' // ‖ number: a page or a leaf
	keyRoot  = 'r' // ‖ version: a root that can be read
	keyStale = 's' // ‖ version: the numbers that this version replaced
)

func numbered(prefix byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{prefix}, number)
}

// nodes reads pages and leaves by their numbers.
type nodes struct {
	space   *store.Space
	pages   cache[page]
	entries cache[entry]
}

func (n *nodes) page(r *ref) (*page, error) {
	if r.page != nil {
		return r.page, nil
	}
	if p := n.pages.get(r.id); p != nil {
		return p, nil
	}
	raw, err := n.read(r.id)
	if err != nil {
		return nil, err
	}
	p, ok := decodePage(raw)
	if !ok {
		return nil, damaged(r.id)
	}
	n.pages.put(r.id, p)
	return p, nil
}

func (n *nodes) entry(r *ref) (*entry, error) {
	if r.entry != nil {
		return r.entry, nil
	}
	if e := n.entries.get(r.id); e != nil {
		return e, nil
	}
	raw, err := n.read(r.id)
	if err != nil {
		return nil, err
	}
	e, ok := decodeEntry(raw)
	if !ok {
		return nil, damaged(r.id)
	}
	n.keep(r.id, e)
	return e, nil
}

// keep remembers an entry, unless it is large.
func (n *nodes) keep(id uint64, e *entry) {
	if len(e.key)+len(e.value) <= largestKept {
		n.entries.put(id, e)
	}
}

func (n *nodes) read(id uint64) ([]byte, error) {
	raw, ok, err := n.space.Get(numbered(keyNode, id))
	if err == nil && !ok {
		err = fault.New(fault.Unavailable, "this version of the map is no longer kept").
			WithHint("read the newest version")
	}
	return raw, err
}

func damaged(id uint64) error {
	return fault.New(fault.Unavailable, "node %d of the map is damaged", id).
		WithHint("restore the store from a copy, or fetch the state again")
}
