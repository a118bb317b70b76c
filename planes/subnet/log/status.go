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

// Order visits the ids of confirmed entries in the order of the chain, the first
// entry first, until visit answers false.
func (l *Log) Order(visit func(id feed.ID) (more bool)) error {
	var failed error
	err := l.at().space.Scan([]byte{keyOrder}, []byte{keyOrder + 1}, func(_, roll []byte) bool {
		more := true
		failed = readRoll(roll, func(e listed) bool {
			more = visit(e.id)
			return more
		})
		return more && failed == nil
	})
	return firstOf(err, failed)
}

// replicaSpace is where a replica keeps its place in the chain.
func (l *Log) replicaSpace() *store.Space { return l.store.Space(l.prefix + "/replica") }
