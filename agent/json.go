package agent

import (
	"bytes"
	"encoding/json"
	"iter"
	"slices"
	"strings"
)

// The functions below read JSON text that json.Valid has accepted. They give
// parts of the text itself, so that numbers keep their digits and members their
// order on the way to an operation.

// member is one name and value of an object.
type member struct {
	key   json.RawMessage // the name as it was written, with quotes
	name  string
	value json.RawMessage
}

// members gives the members of an object in order, repeated names included.
func members(object json.RawMessage) []member {
	return slices.Collect(each(object))
}

// each walks the members of an object, reading no further than it is asked.
func each(object json.RawMessage) iter.Seq[member] {
	return func(yield func(member) bool) {
		at := skipBlank(object, 1)
		for object[at] != '}' {
			end := valueEnd(object, at)
			key := object[at:end]
			at = skipBlank(object, skipBlank(object, end)+1) // behind the colon
			end = valueEnd(object, at)
			if !yield(member{key: key, name: unquote(key), value: object[at:end]}) {
				return
			}
			at = nextItem(object, end)
		}
	}
}

// first gives the value of the first member of a name, or nil.
func first(object json.RawMessage, name string) json.RawMessage {
	for m := range each(object) {
		if m.name == name {
			return m.value
		}
	}
	return nil
}

// items gives the items of a list.
func items(list json.RawMessage) []json.RawMessage {
	var parts []json.RawMessage
	at := skipBlank(list, 1)
	for list[at] != ']' {
		end := valueEnd(list, at)
		parts = append(parts, list[at:end])
		at = nextItem(list, end)
	}
	return parts
}

// nextItem goes from the end of a value to the next one, or to the bracket.
func nextItem(text []byte, at int) int {
	at = skipBlank(text, at)
	if text[at] == ',' {
		at = skipBlank(text, at+1)
	}
	return at
}

func skipBlank(text []byte, at int) int {
	for at < len(text) && (text[at] == ' ' || text[at] == '\t' || text[at] == '\n' || text[at] == '\r') {
		at++
	}
	return at
}

// valueEnd finds where the value that begins at a place ends.
func valueEnd(text []byte, at int) int {
	depth := 0
	for at < len(text) {
		switch text[at] {
		case '"':
			at = stringEnd(text, at)
			if depth == 0 {
				return at
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return at // a scalar ends where its container does
			}
			if depth--; depth == 0 {
				return at + 1
			}
		case ',', ' ', '\t', '\n', '\r':
			if depth == 0 {
				return at
			}
		}
		at++
	}
	return at
}

// stringEnd finds the place behind the closing quote.
func stringEnd(text []byte, at int) int {
	for at++; text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// unquote decodes a JSON string.
func unquote(quoted json.RawMessage) string {
	if inner := quoted[1 : len(quoted)-1]; bytes.IndexByte(inner, '\\') < 0 {
		return string(inner)
	}
	var s string
	if json.Unmarshal(quoted, &s) != nil {
		return ""
	}
	return s
}

// quote encodes a JSON string as JavaScript does, without escapes for HTML.
func quote(s string) json.RawMessage {
	return encode(s)
}

// encode writes a value as JSON without escapes for HTML. Its callers pass
// types that cannot fail.
func encode(v any) json.RawMessage {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}

// stringify gives a value as JSON.stringify does: no blanks, strings with the
// fewest escapes.
func stringify(value json.RawMessage) string {
	var out strings.Builder
	for at := 0; at < len(value); {
		switch value[at] {
		case '"':
			end := stringEnd(value, at)
			if bytes.IndexByte(value[at:end], '\\') < 0 {
				out.Write(value[at:end])
			} else {
				out.Write(quote(unquote(value[at:end])))
			}
			at = end
		case ' ', '\t', '\n', '\r':
			at++
		default:
			out.WriteByte(value[at])
			at++
		}
	}
	return out.String()
}
