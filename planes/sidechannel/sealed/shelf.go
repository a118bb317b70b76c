package sealed

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"intercom/core/store"
)

// Shelf keeps rings in the store.
type Shelf struct{ space *store.Space }

// NewShelf keeps rings in a space of their own.
func NewShelf(space *store.Space) *Shelf { return &Shelf{space} }

const heldSize = RecordSize + 32

// A ring is kept as u64 learned ‖ record ‖ key, then, while there is a previous
// one, u64 until ‖ record ‖ key. Times are ms since 1970.
func encodeRing(r Ring) []byte {
	out := slices.Concat(u64(uint64(r.Learned.UnixMilli())), r.Current.Record.Encode(), r.Current.Key[:])
	if r.Previous != nil {
		out = slices.Concat(out, u64(uint64(r.Until.UnixMilli())), r.Previous.Record.Encode(), r.Previous.Key[:])
	}
	return out
}

var errRing = errors.New("the keys of a channel in the store are damaged")

func decodeRing(ch Channel, data []byte) (r Ring, err error) {
	if len(data) != 8+heldSize && len(data) != 2*(8+heldSize) {
		return Ring{}, errRing
	}
	if r.Learned, r.Current, err = decodeHeld(ch, data[:8+heldSize]); err != nil {
		return Ring{}, err
	}
	if len(data) > 8+heldSize {
		r.Until, r.Previous, err = decodeHeld(ch, data[8+heldSize:])
	}
	return r, err
}

func decodeHeld(ch Channel, data []byte) (at time.Time, held *Held, err error) {
	ms := binary.BigEndian.Uint64(data)
	record, err := DecodeRecord(data[8 : 8+RecordSize])
	if err != nil || ms > 1<<53 {
		return time.Time{}, nil, errRing
	}
	var key Key
	copy(key[:], data[8+RecordSize:])
	held = &Held{record, key, key.Derive(ch)}
	if record.Channel != ch || record.KID != held.KID {
		return time.Time{}, nil, errRing
	}
	return time.UnixMilli(int64(ms)), held, nil
}

func (s *Shelf) load(ch Channel) (Ring, error) {
	data, ok, err := s.space.Get(ch[:])
	if err != nil || !ok {
		return Ring{}, err
	}
	ring, err := decodeRing(ch, data)
	if err != nil {
		return Ring{}, fmt.Errorf("%w: %d bytes", err, len(data))
	}
	return ring, nil
}

// save is durable when it returns.
func (s *Shelf) save(ch Channel, r Ring) error {
	batch := s.space.Batch()
	batch.Set(ch[:], encodeRing(r))
	return batch.Commit()
}
