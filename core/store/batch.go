package store

import (
	"github.com/cockroachdb/pebble/v2"

	"intercom/core/fault"
)

// Batch collects writes that happen together or not at all, the later of two
// on one key winning. It belongs to one goroutine, is written once, and may be
// dropped unwritten.
type Batch struct {
	space *Space
	*writes
}

// writes is what the views of one batch share.
type writes struct {
	store *Store
	batch *pebble.Batch // nil once written
}

// Batch begins a batch of this space.
func (sp *Space) Batch() *Batch {
	return &Batch{space: sp, writes: &writes{store: sp.store, batch: sp.store.db.NewBatch()}}
}

// In is the same batch, writing keys of another space of the same store: so
// can two owners write together. A space of another store is a bug and panics.
func (b *Batch) In(sp *Space) *Batch {
	if sp.store != b.store {
		panic("store: a batch cannot span two stores")
	}
	return &Batch{space: sp, writes: b.writes}
}

// Set writes a value; both slices are copied. Writing into a batch that was
// written already is a bug and panics.
func (b *Batch) Set(key, value []byte) {
	b.open()
	at := b.batch.SetDeferred(len(b.space.prefix)+len(key), len(value))
	copy(at.Key[copy(at.Key, b.space.prefix):], key)
	copy(at.Value, value)
	_ = at.Finish() // only a batch with an index can fail
}

// Delete removes a key; one that is not there is no error.
func (b *Batch) Delete(key []byte) {
	b.open()
	at := b.batch.DeleteDeferred(len(b.space.prefix) + len(key))
	copy(at.Key[copy(at.Key, b.space.prefix):], key)
	_ = at.Finish() // only a batch with an index can fail
}

func (b *Batch) open() {
	if b.batch == nil {
		panic("store: the batch was written already")
	}
}

// Commit writes the batch and returns when it is on the disk. On an error the
// batch may be there or not after the next start, but never in part.
func (b *Batch) Commit() error { return b.apply(pebble.Sync) }

// Apply writes the batch and does not wait for the disk: it is seen at once and
// survives when a later Commit or [Space.Sync] has returned. What is durable is
// always everything up to some batch, in the order in which they were applied.
func (b *Batch) Apply() error { return b.apply(pebble.NoSync) }

func (b *Batch) apply(how *pebble.WriteOptions) error {
	batch := b.batch
	if batch == nil {
		return fault.New(fault.Internal, "a batch is written once").
			WithHint("make a new batch")
	}
	b.batch = nil
	return b.store.write(func() error {
		if err := batch.Commit(how); err != nil {
			return err
		}
		return batch.Close()
	})
}
