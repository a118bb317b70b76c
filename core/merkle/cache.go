package merkle

import "sync"

// generation is how many nodes a generation of a cache holds; with a kilobyte for
// a page and a quarter for an entry, and two generations each, the caches stay
// near ten megabytes. Too low and updates of large maps read the disk more often.
const generation = 4096

// largestKept is the size in bytes above which an entry is not cached.
const largestKept = 256

// cache holds nodes that were used lately, by number: when the young generation
// is full it becomes the old one, and the old one goes.
type cache[T any] struct {
	mu         sync.Mutex
	young, old map[uint64]*T
}

func (c *cache[T]) get(id uint64) *T {
	c.mu.Lock()
	defer c.mu.Unlock()
	if node := c.young[id]; node != nil {
		return node
	}
	node := c.old[id]
	if node != nil {
		c.keep(id, node)
	}
	return node
}

func (c *cache[T]) put(id uint64, node *T) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keep(id, node)
}

func (c *cache[T]) keep(id uint64, node *T) {
	if c.young == nil || len(c.young) >= generation {
		c.old, c.young = c.young, make(map[uint64]*T)
	}
	c.young[id] = node
}

// written is a version that was put into a batch, with its new nodes. They are
// in the map only when the batch is committed, which the map learns when it next
// reads its head: until then their numbers may come to mean other nodes.
type written struct {
	record  record
	pages   map[uint64]*page
	entries map[uint64]*entry
}

// adopt caches what was written, if this head is what it was written as.
func (m *Map) adopt(head record) {
	w := m.written.Load()
	if w == nil || w.record.version != head.version || w.record.next != head.next ||
		w.record.root.id != head.root.id || w.record.root.hash != head.root.hash {
		return
	}
	if !m.written.CompareAndSwap(w, nil) {
		return // another reader does it
	}
	for id, p := range w.pages {
		m.nodes.pages.put(id, p)
	}
	for id, e := range w.entries {
		m.nodes.keep(id, e)
	}
}
