package canon

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Preimage returns the bytes to sign or hash for a purpose of ours:
//
//	u16be len(tag) ‖ tag ‖ (u32be len(field) ‖ field)*
//
// The tag names domain and version, as in "intercom/feed/entry/v1". No two
// different calls give the same bytes, and no signature for one tag can be
// taken for one of another. The tag is a constant of ours: one longer than
// 65 535 bytes, or a field of 4 GiB, is a bug and panics.
func Preimage(tag string, fields ...[]byte) []byte {
	size := 2 + len(tag)
	for _, field := range fields {
		size += 4 + len(field)
	}
	out := make([]byte, 0, size)
	if len(tag) > math.MaxUint16 {
		panic(fmt.Sprintf("canon: tag of %d bytes", len(tag)))
	}
	out = binary.BigEndian.AppendUint16(out, uint16(len(tag)))
	out = append(out, tag...)
	for _, field := range fields {
		if uint64(len(field)) > math.MaxUint32 {
			panic(fmt.Sprintf("canon: field of %d bytes", len(field)))
		}
		out = binary.BigEndian.AppendUint32(out, uint32(len(field)))
		out = append(out, field...)
	}
	return out
}
