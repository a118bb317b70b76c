package bft

import (
	"errors"
	"sync/atomic"

	dbm "github.com/cometbft/cometbft-db"

	"intercom/core/store"
)

// gate closes the databases of one run of the engine. The engine goes on
// reading after it stopped; from then on nothing is there.
type gate struct{ shut atomic.Bool }

// errShut answers a write after the end. The engine's writers have ended by
// then, so nobody sees it.
var errShut = errors.New("the node has stopped")

// database is the engine's port for databases on a space of the store.
type database struct {
	space *store.Space
	gate  *gate
}

var _ dbm.DB = (*database)(nil)

func (d *database) Get(key []byte) ([]byte, error) {
	if d.gate.shut.Load() {
		return nil, nil
	}
	value, _, err := d.space.Get(key)
	return value, err
}

func (d *database) Has(key []byte) (bool, error) {
	if d.gate.shut.Load() {
		return false, nil
	}
	_, ok, err := d.space.Get(key)
	return ok, err
}

func (d *database) Set(key, value []byte) error { return d.write(key, value, (*writes).Write) }

func (d *database) SetSync(key, value []byte) error { return d.write(key, value, (*writes).WriteSync) }

func (d *database) write(key, value []byte, how func(*writes) error) error {
	w := d.batch()
	if err := w.Set(key, value); err != nil {
		return err
	}
	return how(w)
}

func (d *database) Delete(key []byte) error { return d.remove(key, (*writes).Write) }

func (d *database) DeleteSync(key []byte) error { return d.remove(key, (*writes).WriteSync) }

func (d *database) remove(key []byte, how func(*writes) error) error {
	w := d.batch()
	if err := w.Delete(key); err != nil {
		return err
	}
	return how(w)
}

func (d *database) Iterator(start, end []byte) (dbm.Iterator, error) {
	return newCursor(d, start, end, false)
}

func (d *database) ReverseIterator(start, end []byte) (dbm.Iterator, error) {
	return newCursor(d, start, end, true)
}

func (d *database) NewBatch() dbm.Batch { return d.batch() }

// Close leaves the store open: it belongs to the caller of New.
func (d *database) Close() error { return nil }

func (d *database) Print() error                    { return nil }
func (d *database) Stats() map[string]string        { return map[string]string{} }
func (d *database) Compact(start, end []byte) error { return nil }

// writes is the engine's batch.
type writes struct {
	gate  *gate
	batch *store.Batch // nil once written or closed
}

func (d *database) batch() *writes { return &writes{gate: d.gate, batch: d.space.Batch()} }

var (
	errWritten  = errors.New("the batch was written already")
	errNoKey    = errors.New("a key cannot be empty")
	errNilValue = errors.New("a value cannot be nil")
)

func (w *writes) Set(key, value []byte) error {
	switch {
	case len(key) == 0:
		return errNoKey
	case value == nil:
		return errNilValue
	case w.batch == nil:
		return errWritten
	}
	w.batch.Set(key, value)
	return nil
}

func (w *writes) Delete(key []byte) error {
	switch {
	case len(key) == 0:
		return errNoKey
	case w.batch == nil:
		return errWritten
	}
	w.batch.Delete(key)
	return nil
}

func (w *writes) Write() error { return w.end((*store.Batch).Apply) }

func (w *writes) WriteSync() error { return w.end((*store.Batch).Commit) }

func (w *writes) end(how func(*store.Batch) error) error {
	batch := w.batch
	w.batch = nil
	switch {
	case batch == nil:
		return errWritten
	case w.gate.shut.Load():
		return errShut
	}
	return how(batch)
}

func (w *writes) Close() error {
	w.batch = nil
	return nil
}
