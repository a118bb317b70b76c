package canon

import (
	"math"
	"strconv"
)

// exactDigits is how many digits an integer may have to be surely its own
// shortest text: below 10^15 every integer is a double.
const exactDigits = 15

// number rewrites one number into the text that ECMAScript gives its double.
func (w *writer) number() error {
	start := w.pos
	negative := w.next('-')
	first := w.pos
	if !w.digits() {
		w.pos = start
		return w.wrong("not a JSON value")
	}
	length := w.pos - first
	if length > 1 && w.in[first] == '0' {
		w.pos = first + 1
		return w.wrong("digit after a leading zero")
	}
	integer := true
	if w.next('.') {
		integer = false
		if !w.digits() {
			return w.wrong("no digit after the point")
		}
	}
	if w.next('e') || w.next('E') {
		integer = false
		if !w.next('+') {
			w.next('-')
		}
		if !w.digits() {
			return w.wrong("no digit in the exponent")
		}
	}
	literal := w.in[start:w.pos]
	if integer && length <= exactDigits && !(negative && literal[1] == '0') {
		w.out = append(w.out, literal...)
		return nil
	}
	// The grammar is checked: what is left is overflow, and that is ±Inf.
	value, _ := strconv.ParseFloat(string(literal), 64)
	w.out = appendDouble(w.out, value)
	return nil
}

// digits reads a run of digits and reports whether there was one.
func (w *writer) digits() bool {
	start := w.pos
	for w.pos < len(w.in) && '0' <= w.in[w.pos] && w.in[w.pos] <= '9' {
		w.pos++
	}
	return w.pos > start
}

// appendDouble appends the text of ECMAScript's Number::toString: shortest
// digits that round-trip, an exponent from 1e21 and below 1e-6, no negative
// zero. What JSON cannot say is null, as in JSON.stringify.
func appendDouble(out []byte, v float64) []byte {
	size := math.Abs(v)
	switch {
	case math.IsInf(v, 0):
		return append(out, "null"...)
	case v == 0:
		return append(out, '0')
	case 1e-6 <= size && size < 1e21:
		return strconv.AppendFloat(out, v, 'f', -1, 64)
	}
	out = strconv.AppendFloat(out, v, 'e', -1, 64)
	// Go writes at least two digits of exponent, ECMAScript only what it needs.
	if n := len(out); out[n-2] == '0' && (out[n-3] == '+' || out[n-3] == '-') {
		out[n-2] = out[n-1]
		out = out[:n-1]
	}
	return out
}
