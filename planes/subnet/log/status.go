package log

import (
	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/merkle"
	"intercom/core/store"
)

// Status is how a log stands.
type Status struct {
	Height    int64    // of the newest block that is confirmed here
	Root      bft.Hash // of the confirmed state
	Confirmed uint64   // entries, with the first one
	Waiting   int      // entries that are stored and not confirmed
	Conflict  error    // why nothing more is confirmed here; nil while all is well
}

// Status reads the status; it never fails.
func (l *Log) Status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	return Status{
		Height: l.head.height, Root: l.head.root, Confirmed: l.head.count,
		Waiting: len(l.tail.list), Conflict: l.broken,
	}
}

// State is the confirmed state. After 64 further blocks its reads may fail, and
// it is to be asked for again.
func (l *Log) State() (*merkle.View, error) { return l.states().Last() }

// Find tells in which block an entry was confirmed; ok is false while it is not.
// The first entry stands in block 0.
func (l *Log) Find(id feed.ID) (height int64, ok bool, err error) {
	f, ok, err := l.facts(id)
	return int64(f.block), ok, err
}

// Order visits the ids of confirmed entries in the order of the chain, beginning
// with that number, until visit answers false.
func (l *Log) Order(from uint64, visit func(number uint64, id feed.ID) (more bool)) error {
	return l.space.Scan(orderKey(from), []byte{keyOrder + 1}, func(key, value []byte) bool {
		return len(value) != len(feed.ID{}) || visit(numberOf(key[1:]), feed.ID(value))
	})
}

// replicaSpace is where a replica keeps its place in the chain.
func (l *Log) replicaSpace() *store.Space { return l.store.Space("log/" + l.name + "/replica") }
