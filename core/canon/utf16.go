package canon

import (
	"cmp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// compareUTF16 compares the names that two canonical texts stand for by UTF-16
// code units (upstream 0.1). That is the order of the bytes unless an escape or
// two characters beyond ASCII are involved: those are compared unit by unit.
func compareUTF16(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] && a[n] != '\\' {
		n++
	}
	if n == len(a) || n == len(b) {
		return cmp.Compare(len(a), len(b))
	}
	if a[n] != '\\' && b[n] != '\\' && (a[n] < utf8.RuneSelf || b[n] < utf8.RuneSelf) {
		return cmp.Compare(a[n], b[n])
	}
	for n > 0 && a[n] != '\\' && b[n] != '\\' && !(utf8.RuneStart(a[n]) && utf8.RuneStart(b[n])) {
		n-- // back to where the character began
	}
	return compareUnits(units{rest: a[n:]}, units{rest: b[n:]})
}

func compareUnits(a, b units) int {
	for {
		x, inA := a.next()
		y, inB := b.next()
		switch {
		case !inA && !inB:
			return 0
		case !inA:
			return -1
		case !inB:
			return +1
		case x != y:
			return cmp.Compare(x, y)
		}
	}
}

// units reads the UTF-16 code units that canonical string text stands for.
type units struct {
	rest []byte
	low  uint16 // the second half of a pair, still to be read
}

func (u *units) next() (uint16, bool) {
	if low := u.low; low != 0 {
		u.low = 0
		return low, true
	}
	if len(u.rest) == 0 {
		return 0, false
	}
	if u.rest[0] == '\\' {
		return u.escaped(), true
	}
	r, size := utf8.DecodeRune(u.rest)
	u.rest = u.rest[size:]
	if r >= 1<<16 {
		high, low := utf16.EncodeRune(r)
		u.low = uint16(low)
		return uint16(high), true
	}
	return uint16(r), true
}

func (u *units) escaped() uint16 {
	c := u.rest[1]
	if c == 'u' {
		unit, _ := hex4(u.rest[2:])
		u.rest = u.rest[6:]
		return unit
	}
	u.rest = u.rest[2:]
	if i := strings.IndexByte("bfnrt", c); i >= 0 {
		return uint16("\b\f\n\r\t"[i])
	}
	return uint16(c)
}
