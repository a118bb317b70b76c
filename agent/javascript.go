package agent

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode"
)

// Upstream runs on JavaScript, and its wire shows it: a channel given as 7 is
// "7", an id of 1e3 is 1000, `Unknown type: undefined`. These are the rules
// that a client can observe, over JSON text that is known to be valid.

// asText gives String(value). A nil value is undefined.
func asText(value json.RawMessage) string {
	if len(value) == 0 {
		return "undefined"
	}
	switch value[0] {
	case '"':
		return unquote(value)
	case '{':
		return "[object Object]"
	case '[':
		return listText(value)
	case 't', 'f', 'n':
		return string(value)
	default:
		return numberText(value)
	}
}

// listText joins the items of a list as JavaScript does: null becomes nothing.
func listText(value json.RawMessage) string {
	parts := items(value)
	texts := make([]string, len(parts))
	for i, item := range parts {
		if item[0] != 'n' {
			texts[i] = asText(item)
		}
	}
	return strings.Join(texts, ",")
}

// numberText gives the number as JavaScript prints it: shortest digits that
// keep the value, an exponent from 1e21 on and below 1e-6.
func numberText(value json.RawMessage) string {
	f, _ := strconv.ParseFloat(string(value), 64)
	switch size := math.Abs(f); {
	case math.IsInf(f, 1):
		return "Infinity"
	case math.IsInf(f, -1):
		return "-Infinity"
	case f == 0:
		return "0"
	case size >= 1e21 || size < 1e-6:
		digits, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
		return digits + "e" + exponent[:1] + strings.TrimLeft(exponent[1:], "0")
	default:
		return strconv.FormatFloat(f, 'f', -1, 64)
	}
}

// truthy tells whether JavaScript takes the value for true.
func truthy(value json.RawMessage) bool {
	switch {
	case len(value) == 0:
		return false
	case value[0] == 'n' || value[0] == 'f' || string(value) == `""`:
		return false
	case value[0] == '-' || value[0] >= '0' && value[0] <= '9':
		f, err := strconv.ParseFloat(string(value), 64)
		return f != 0 || err != nil
	default:
		return true
	}
}

// trim takes away what String.prototype.trim does.
func trim(s string) string { return strings.TrimFunc(s, blank) }

// blank is white space in JavaScript: as Go's, with the byte order mark and
// without NEL.
func blank(r rune) bool {
	return r == '\uFEFF' || r != '\u0085' && unicode.IsSpace(r)
}

// integerID gives the id that a reply echoes, or nil when the value is no
// integer. Number.isInteger decides, so 1.0 and 1e3 are integers and come back
// as 1 and 1000; an integer written in digits comes back digit by digit, also
// beyond 2^53, where JavaScript would alter it.
func integerID(value json.RawMessage) json.RawMessage {
	if len(value) == 0 || (value[0] != '-' && (value[0] < '0' || value[0] > '9')) {
		return nil
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f != math.Trunc(f) {
		return nil
	}
	if f == 0 || strings.ContainsAny(string(value), ".eE") {
		return json.RawMessage(numberText(value))
	}
	return value
}
