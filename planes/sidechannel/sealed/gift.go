package sealed

import (
	"encoding/binary"
	"errors"
)

// Bounds of a gift.
const (
	MaxRevocations    = 4096 // that a gift carries
	MaxRevocationSize = 2048 // bytes of one
	maxGift           = 4 << 20
)

// gift is what one end hands to the other: the key that it lacks, and the
// revocations that it may not know.
type gift struct {
	held        *Held // Record and Key alone; nil when the other end is not behind
	revocations [][]byte
}

// newGift takes as many revocations as fit.
func newGift(held *Held, revocations [][]byte) gift {
	g, room := gift{held: held}, maxGift-(1+RecordSize+32+2)
	for _, r := range revocations {
		if room -= 2 + len(r); room < 0 || len(g.revocations) == MaxRevocations {
			break
		}
		if len(r) <= MaxRevocationSize {
			g.revocations = append(g.revocations, r)
		}
	}
	return g
}

// encode writes: 0 or 1 ‖ [record ‖ key] ‖ u16 count ‖ (u16 length ‖ bytes)*.
func (g gift) encode() []byte {
	out := []byte{0}
	if g.held != nil {
		out = append([]byte{1}, g.held.Record.Encode()...)
		out = append(out, g.held.Key[:]...)
	}
	out = binary.BigEndian.AppendUint16(out, uint16(len(g.revocations)))
	for _, r := range g.revocations {
		out = binary.BigEndian.AppendUint16(out, uint16(len(r)))
		out = append(out, r...)
	}
	return out
}

var errGift = errors.New("not a gift")

// decodeGift reads the one form that encode writes. The slices are data's.
func decodeGift(data []byte) (gift, error) {
	var g gift
	if len(data) < 3 || len(data) > maxGift || data[0] > 1 {
		return gift{}, errGift
	}
	has := data[0] == 1
	data = data[1:]
	if has {
		if len(data) < RecordSize+32+2 {
			return gift{}, errGift
		}
		record, err := DecodeRecord(data[:RecordSize])
		if err != nil {
			return gift{}, errGift
		}
		g.held = &Held{Record: record}
		data = data[RecordSize:]
		data = data[copy(g.held.Key[:], data):]
	}
	count := int(binary.BigEndian.Uint16(data))
	data = data[2:]
	if count > MaxRevocations {
		return gift{}, errGift
	}
	for range count {
		if len(data) < 2 {
			return gift{}, errGift
		}
		size := int(binary.BigEndian.Uint16(data))
		data = data[2:]
		if size > MaxRevocationSize || size > len(data) {
			return gift{}, errGift
		}
		g.revocations = append(g.revocations, data[:size:size])
		data = data[size:]
	}
	if len(data) > 0 {
		return gift{}, errGift
	}
	return g, nil
}
