package canon

import (
	"encoding/binary"
	"unicode/utf16"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// text rewrites one string. Unescaped runs, which are nearly all there is, are
// copied whole; the input is known to be valid UTF-8.
func (w *writer) text() error {
	w.pos++
	w.out = append(w.out, '"')
	for {
		run := plain(w.in[w.pos:])
		w.out = append(w.out, w.in[w.pos:w.pos+run]...)
		w.pos += run
		switch {
		case w.next('"'):
			w.out = append(w.out, '"')
			return nil
		case w.next('\\'):
			if err := w.escape(); err != nil {
				return err
			}
		default:
			return w.wrong("control character in a string")
		}
	}
}

// plain counts the leading bytes that stand for themselves in a string: all but
// the quote, the backslash and control characters. Eight bytes are looked at in
// one step: the sum below has a top bit set if any of the eight is one of them.
func plain(b []byte) int {
	const ones, tops = 0x0101010101010101, 0x8080808080808080
	n := 0
	for ; len(b)-n >= 8; n += 8 {
		v := binary.LittleEndian.Uint64(b[n:])
		quote, slash := v^(ones*'"'), v^(ones*'\\')
		if ((v-ones*' ')&^v|(quote-ones)&^quote|(slash-ones)&^slash)&tops != 0 {
			break
		}
	}
	for n < len(b) && b[n] >= ' ' && b[n] != '"' && b[n] != '\\' {
		n++
	}
	return n
}

// escape reads what follows a backslash and writes the character it stands for.
func (w *writer) escape() error {
	if w.pos >= len(w.in) {
		return w.wrong("")
	}
	c := w.in[w.pos]
	switch c {
	case '"', '\\', 'b', 'f', 'n', 'r', 't':
		w.out = append(w.out, '\\', c)
	case '/':
		w.out = append(w.out, '/')
	case 'u':
		unit, ok := hex4(w.in[w.pos+1:])
		if !ok {
			return w.wrong("no four hexadecimal digits")
		}
		w.pos += 5
		w.unit(rune(unit))
		return nil
	default:
		return w.wrong("unknown escape")
	}
	w.pos++
	return nil
}

// unit writes the character of one escaped UTF-16 code unit, reading its other
// half if it is the first of a pair. A half without its other stays an escape:
// it has no UTF-8.
func (w *writer) unit(r rune) {
	if utf16.IsSurrogate(r) {
		if rest := w.in[w.pos:]; len(rest) >= 2 && rest[0] == '\\' && rest[1] == 'u' {
			low, ok := hex4(rest[2:])
			if pair := utf16.DecodeRune(r, rune(low)); ok && pair != utf8.RuneError {
				w.pos += 6
				w.out = utf8.AppendRune(w.out, pair)
				return
			}
		}
	}
	switch {
	case r == '"' || r == '\\':
		w.out = append(w.out, '\\', byte(r))
	case r < ' ':
		w.control(byte(r))
	case utf16.IsSurrogate(r):
		w.out = append(w.out, '\\', 'u', hexDigits[r>>12], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
	default:
		w.out = utf8.AppendRune(w.out, r)
	}
}

func (w *writer) control(c byte) {
	switch c {
	case '\b':
		w.out = append(w.out, `\b`...)
	case '\f':
		w.out = append(w.out, `\f`...)
	case '\n':
		w.out = append(w.out, `\n`...)
	case '\r':
		w.out = append(w.out, `\r`...)
	case '\t':
		w.out = append(w.out, `\t`...)
	default:
		w.out = append(w.out, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
}

// hex4 reads the four hexadecimal digits that b starts with.
func hex4(b []byte) (uint16, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var v uint16
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		v = v<<4 | uint16(c)
	}
	return v, true
}
