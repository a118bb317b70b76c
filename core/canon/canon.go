// Package canon is the one place where bytes to be signed or hashed are made.
//
// [JSON] gives the canonical text that upstream signs, [Compact] the text that
// JavaScript's JSON.stringify(JSON.parse(x)) gives, and [Preimage] the tagged,
// length-prefixed bytes under every signature that is ours alone.
//
// Both texts follow upstream 0.1: UTF-8 without spaces, shortest round-trip
// numbers, and no escapes but those for the quote, the backslash, control
// characters and lone surrogates. Two texts that a JavaScript program reads as
// the same value, up to the order of members, have the same canonical text, and
// canonical text is its own canonical text.
//
// The functions are total: whatever the bytes, they end in time about linear in
// their number (sorting aside), use memory of a small multiple of it, and either
// answer or say where the text is wrong. They keep nothing and may be called at
// once from anywhere. Limits on size are the caller's: check before calling.
package canon

import (
	"fmt"
	"unicode/utf8"
)

// MaxDepth bounds how deep arrays and objects may nest. Upstream has no bound
// but its stack; a hostile text must not choose how deep ours grows.
const MaxDepth = 128

// A SyntaxError says where a text stops being one JSON value (RFC 8259) in
// UTF-8 within [MaxDepth].
type SyntaxError struct {
	Offset int    // in bytes from the start
	Reason string // what is wrong there
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("json: %s at byte %d", e.Reason, e.Offset)
}

// JSON returns the canonical ("stable") text of the one JSON value in raw
// (upstream 6.2): members sorted by the UTF-16 code units of their names, of
// repeated names the last. A number beyond the range of a double becomes null,
// as it does in JavaScript. The only error is a [*SyntaxError].
func JSON(raw []byte) ([]byte, error) { return rewrite(raw, sorted) }

// Compact returns the text that JSON.stringify(JSON.parse(raw)) gives. It
// differs from [JSON] in the order of members: names that are array indexes
// come first in ascending order, the others stay where they first appeared. Of
// repeated names the last value counts. The only error is a [*SyntaxError].
func Compact(raw []byte) ([]byte, error) { return rewrite(raw, inserted) }

func rewrite(raw []byte, arrange arrangement) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, &SyntaxError{Offset: firstInvalid(raw), Reason: "invalid UTF-8"}
	}
	w := writer{in: raw, out: make([]byte, 0, len(raw)), arrange: arrange, members: make([]member, 0, 16)}
	w.space()
	if err := w.value(); err != nil {
		return nil, err
	}
	w.space()
	if w.pos < len(w.in) {
		return nil, w.wrong("more text after the value")
	}
	return w.out, nil
}

func firstInvalid(raw []byte) int {
	for i := 0; i < len(raw); {
		r, size := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return len(raw)
}
