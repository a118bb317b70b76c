package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2"
)

// Space is an owner's own part of the store. Keys are any bytes, also none.
type Space struct {
	store  *Store
	prefix []byte // name ‖ 0x00
	end    []byte // the first key behind the space: name ‖ 0x01
}

// Space gives the part of the store with that name. Names are constants of
// their owners: one that is empty or contains a zero byte is a bug and panics.
func (s *Store) Space(name string) *Space {
	if name == "" || strings.IndexByte(name, 0) >= 0 {
		panic(fmt.Sprintf("store: %q is no name for a space", name))
	}
	return &Space{
		store:  s,
		prefix: append([]byte(name), 0),
		end:    append([]byte(name), 1),
	}
}

// key is the key as pebble has it.
func (sp *Space) key(key []byte) []byte {
	return slices.Concat(sp.prefix, key)
}

// Get reads one value; ok tells whether it is there. The value is the caller's.
func (sp *Space) Get(key []byte) (value []byte, ok bool, err error) {
	if err := sp.store.enter(); err != nil {
		return nil, false, err
	}
	defer sp.store.leave()
	found, closer, err := sp.store.db.Get(sp.key(key))
	switch {
	case errors.Is(err, pebble.ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, unreadable(err)
	}
	value = slices.Clone(found)
	if value == nil {
		value = []byte{}
	}
	if err := closer.Close(); err != nil {
		return nil, false, unreadable(err)
	}
	return value, true, nil
}

// Scan visits the keys of [from, to) in ascending order until visit answers
// false; a nil end is open. It sees the space as it was when Scan began,
// whatever is written meanwhile. Key and value are valid only during the visit,
// which may read and write the store.
func (sp *Space) Scan(from, to []byte, visit func(key, value []byte) (more bool)) error {
	if err := sp.store.enter(); err != nil {
		return err
	}
	defer sp.store.leave()
	bounds := &pebble.IterOptions{LowerBound: sp.key(from), UpperBound: sp.end}
	if to != nil {
		bounds.UpperBound = sp.key(to)
	}
	it, err := sp.store.db.NewIter(bounds)
	if err != nil {
		return unreadable(err)
	}
	if err := sp.walk(it, visit); err != nil {
		return unreadable(err)
	}
	return nil
}

// walk runs the iterator and closes it, also when visit panics.
func (sp *Space) walk(it *pebble.Iterator, visit func(key, value []byte) bool) (err error) {
	defer func() { err = errors.Join(err, it.Close()) }()
	for it.First(); it.Valid(); it.Next() {
		value, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if !visit(it.Key()[len(sp.prefix):], value) {
			return nil
		}
	}
	return nil // the iterator's own error comes out of Close
}

// Sync makes everything durable that was written before it was called, by
// whoever. Calls from different goroutines share their fsync.
func (sp *Space) Sync() error {
	return sp.store.write(func() error { return sp.store.db.LogData(nil, pebble.Sync) })
}
