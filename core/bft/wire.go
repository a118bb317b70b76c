package bft

import (
	"encoding/binary"
	"errors"
)

// Every encoding of ours is a row of fixed numbers, and of blobs that begin
// with their length; there is one way to write a value, and a reader that has
// read it checks that nothing is left.

var errMalformed = errors.New("malformed")

func putBlob(out, blob []byte) []byte {
	return append(binary.BigEndian.AppendUint32(out, uint32(len(blob))), blob...)
}

// reader takes such an encoding apart; after the first thing that is wrong it
// gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.rest) {
		r.bad = true
		return nil
	}
	out := r.rest[:n:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) u8() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) u32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// number is a height or a power: never negative.
func (r *reader) number() int64 {
	if b := r.take(8); b != nil && b[0] < 0x80 {
		return int64(binary.BigEndian.Uint64(b))
	}
	r.bad = true
	return 0
}

func (r *reader) hash() (h Hash) {
	copy(h[:], r.take(len(h)))
	return h
}

func (r *reader) blob(limit int) []byte {
	n := r.u32()
	if int64(n) > int64(limit) {
		r.bad = true
		return nil
	}
	return r.take(int(n))
}

// end tells whether all was read and nothing was wrong.
func (r *reader) end() error {
	if r.bad || len(r.rest) != 0 {
		return errMalformed
	}
	return nil
}

// message is what the engine's own encodings have in common.
type message interface {
	Unmarshal([]byte) error
	Marshal() ([]byte, error)
}

// strict reads an engine's encoding and takes only the one that the engine
// itself would write: no unknown field, no other order.
func strict(raw []byte, into message) error {
	if err := into.Unmarshal(raw); err != nil {
		return err
	}
	again, err := into.Marshal()
	if err != nil {
		return err
	}
	if string(again) != string(raw) {
		return errMalformed
	}
	return nil
}
