package merkle

import (
	"encoding/binary"
	"sync"

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
	space *store.Space
	pages cache
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
	raw, err := n.read(r.id)
	if err != nil {
		return nil, err
	}
	e, ok := decodeEntry(raw)
	if !ok {
		return nil, damaged(r.id)
	}
	return e, nil
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

// generation is how many pages a generation of the cache holds; with about a
// kilobyte each and two generations it stays below ten megabytes. Too low and
// updates of large maps read the disk more often.
const generation = 4096

// cache holds pages that were read lately: when the young generation is full it
// becomes the old one, and the old one goes.
type cache struct {
	mu         sync.Mutex
	young, old map[uint64]*page
}

func (c *cache) get(id uint64) *page {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.young[id]; p != nil {
		return p
	}
	p := c.old[id]
	if p != nil {
		c.keep(id, p)
	}
	return p
}

func (c *cache) put(id uint64, p *page) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(id, p)
}

func (c *cache) keep(id uint64, p *page) {
	if c.young == nil || len(c.young) >= generation {
		c.old, c.young = c.young, make(map[uint64]*page)
	}
	c.young[id] = p
}
