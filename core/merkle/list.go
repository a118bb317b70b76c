package merkle

import (
	"encoding/binary"

	"intercom/core/fault"
)

// A listed content travels in pieces, in the order of [View.Scan]:
//
//	(u32be size ‖ key ‖ u32be size ‖ value)*

// List gives a piece of the content, of whole keys with their values and not
// above that size unless a single one is. It begins behind the key after, nil for
// the first piece, and gives the key to go on behind, nil when there is no more.
func (v *View) List(after []byte, size int) (piece, last []byte, err error) {
	more := false
	err = v.Scan(after, func(key, value []byte) bool {
		if more = len(piece) > 0 && len(piece)+8+len(key)+len(value) > size; more {
			return false
		}
		piece = appendField(appendField(piece, key), value)
		last = append(last[:0:0], key...)
		return true
	})
	if err != nil || !more {
		return piece, nil, err
	}
	return piece, last, nil
}

func appendField(out, field []byte) []byte {
	return append(binary.BigEndian.AppendUint32(out, uint32(len(field))), field...)
}

// ReadList visits what a piece lists, until visit answers an error. The bytes may
// come from anyone: a piece that is cut off is a [fault.Invalid], and whether the
// content is right only its root tells, which a [Builder] computes. Key and value
// are parts of the piece.
func ReadList(piece []byte, visit func(key, value []byte) error) error {
	for len(piece) > 0 {
		key, rest, okKey := cutField(piece)
		value, rest, okValue := cutField(rest)
		if !okKey || !okValue {
			return fault.New(fault.Invalid, "the list is cut off %d bytes before its end", len(piece)).
				WithHint("whoever sent it is broken or hostile: ask another")
		}
		if err := visit(key, value); err != nil {
			return err
		}
		piece = rest
	}
	return nil
}

func cutField(in []byte) (field, rest []byte, ok bool) {
	if len(in) < 4 || uint64(binary.BigEndian.Uint32(in)) > uint64(len(in)-4) {
		return nil, nil, false
	}
	end := 4 + int(binary.BigEndian.Uint32(in))
	return in[4:end], in[end:], true
}
