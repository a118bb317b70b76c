package bft

import (
	"bytes"
	"slices"

	dbm "github.com/cometbft/cometbft-db"
)

// page is how many entries a cursor holds at a time.
const page = 256

// cursor is the engine's iterator. It reads page by page, so it holds no
// snapshot and nothing open; the engine never writes where it iterates.
// Backward it holds the keys of the whole range: no part of the engine that
// runs here goes backward over a large one.
type cursor struct {
	db         *database
	start, end []byte
	keys       [][]byte // what is left of this page, the current one first
	values     [][]byte
	next       []byte // where the next page begins; nil: there is none
	err        error
}

func newCursor(d *database, start, end []byte, backward bool) (*cursor, error) {
	if (start != nil && len(start) == 0) || (end != nil && len(end) == 0) {
		return nil, errNoKey
	}
	c := &cursor{db: d, start: start, end: end}
	if backward {
		c.readAll()
	} else {
		c.next = append([]byte{}, start...)
		c.read()
	}
	return c, c.err
}

// read gets the next page.
func (c *cursor) read() {
	from := c.next
	c.next = nil
	if from == nil || c.db.gate.shut.Load() {
		return
	}
	c.err = c.db.space.Scan(from, c.end, func(key, value []byte) bool {
		if len(c.keys) == page {
			c.next = bytes.Clone(key)
			return false
		}
		c.keep(key, value)
		return true
	})
}

func (c *cursor) readAll() {
	if c.db.gate.shut.Load() {
		return
	}
	c.err = c.db.space.Scan(c.start, c.end, func(key, value []byte) bool {
		c.keep(key, value)
		return true
	})
	slices.Reverse(c.keys)
	slices.Reverse(c.values)
}

func (c *cursor) keep(key, value []byte) {
	c.keys = append(c.keys, bytes.Clone(key))
	c.values = append(c.values, append([]byte{}, value...))
}

func (c *cursor) Next() {
	c.must()
	c.keys, c.values = c.keys[1:], c.values[1:]
	if len(c.keys) == 0 {
		c.keys, c.values = nil, nil
		c.read()
	}
}

func (c *cursor) Valid() bool { return len(c.keys) > 0 }

func (c *cursor) Key() []byte {
	c.must()
	return c.keys[0]
}

func (c *cursor) Value() []byte {
	c.must()
	return c.values[0]
}

func (c *cursor) must() {
	if !c.Valid() {
		panic("bft: the iterator is at its end")
	}
}

func (c *cursor) Domain() (start, end []byte) { return c.start, c.end }
func (c *cursor) Error() error                { return c.err }
func (c *cursor) Close() error                { c.keys, c.values, c.next = nil, nil, nil; return nil }

var _ dbm.Iterator = (*cursor)(nil)
