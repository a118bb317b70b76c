package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/sourcegraph/jsonrpc2"
)

// batchLimit bounds how many requests a batch may hold, since each of them may
// cost an answer.
const batchLimit = 1000

// request is one request object, valid in form.
type request struct {
	id     json.RawMessage // as it was written; nil for a notification
	method string
	params json.RawMessage // nil when absent

	ticket uint64 // what Conn knows it by
	batch  *batch // nil when it came alone
	place  int    // in the batch
	then   func() // to be done once it is answered
}

// key tells ids apart: strings by their value, numbers as they are written.
func (r *request) key() string {
	var text string
	if json.Unmarshal(r.id, &text) == nil && r.id[0] == '"' {
		return `"` + text
	}
	return string(r.id)
}

// member is one element of a message: a request, or why it is none.
type member struct {
	request *request
	id      json.RawMessage // for the refusal; null when it cannot be told
	refusal *jsonrpc2.Error
}

// parse reads a message: one request, or a batch of them. The refusal is the
// one answer to a message as a whole.
func parse(message []byte) (members []member, isBatch bool, refusal *jsonrpc2.Error) {
	message = bytes.TrimSpace(message)
	if !utf8.Valid(message) {
		return nil, false, parseError("the message is not UTF-8", "send JSON in UTF-8")
	}
	if !json.Valid(message) {
		return nil, false, parseError("the message is not JSON", "send one JSON object, or an array of them, as one message")
	}
	if message[0] != '[' {
		return []member{parseMember(message)}, false, nil
	}
	dec := json.NewDecoder(bytes.NewReader(message))
	skipToken(dec)
	for dec.More() {
		var element json.RawMessage
		if err := dec.Decode(&element); err != nil {
			return nil, false, parseError(err.Error(), "send JSON")
		}
		if members = append(members, parseMember(element)); len(members) > batchLimit {
			return nil, false, invalidRequest(fmt.Sprintf("the batch holds more than %d requests", batchLimit), "send less in one batch")
		}
	}
	if len(members) == 0 {
		return nil, false, invalidRequest("the batch is empty", "send at least one request in a batch")
	}
	return members, true, nil
}

var null = json.RawMessage("null")

// parseMember reads one request object. Member names count as they are
// written, none of the four may come twice, and others are ignored, as the
// specification leaves them open.
func parseMember(raw json.RawMessage) member {
	fields, refusal := membersOf(raw)
	if refusal != nil {
		return member{id: null, refusal: refusal}
	}
	id, refusal := parseID(fields["id"])
	if refusal != nil {
		return member{id: null, refusal: refusal}
	}
	echo := id
	if echo == nil {
		echo = null
	}
	if version, ok := text(fields["jsonrpc"]); !ok || version != "2.0" {
		return member{id: echo, refusal: invalidRequest(`jsonrpc is not "2.0"`, `send "jsonrpc":"2.0" in every request`)}
	}
	method, ok := text(fields["method"])
	if !ok {
		return member{id: echo, refusal: invalidRequest("method is not a text", "name an operation; rpc.discover lists them")}
	}
	params := fields["params"]
	if len(params) > 0 && params[0] != '{' && params[0] != '[' && params[0] != 'n' {
		return member{id: echo, refusal: invalidRequest("params is neither an object nor an array", "send parameters by name in an object")}
	}
	return member{id: echo, request: &request{id: id, method: method, params: params}}
}

// membersOf reads the members that count of one object.
func membersOf(raw json.RawMessage) (map[string]json.RawMessage, *jsonrpc2.Error) {
	if raw[0] != '{' {
		return nil, invalidRequest("a request is an object", `send {"jsonrpc":"2.0","id":1,"method":"ping"}`)
	}
	fields := make(map[string]json.RawMessage, 4)
	dec := json.NewDecoder(bytes.NewReader(raw))
	skipToken(dec)
	for dec.More() {
		name, _ := dec.Token()
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return nil, parseError(err.Error(), "send JSON")
		}
		switch name {
		case "jsonrpc", "id", "method", "params":
			if _, twice := fields[name.(string)]; twice {
				return nil, invalidRequest(fmt.Sprintf("%s comes twice", name), "give each member once")
			}
			fields[name.(string)] = value
		}
	}
	return fields, nil
}

// skipToken passes the opening bracket of JSON that is known to be valid.
func skipToken(dec *json.Decoder) {
	dec.Token() //nolint:errcheck // the text is valid
}

// parseID checks that an id is a text, a number or null. Absent stays nil.
func parseID(raw json.RawMessage) (json.RawMessage, *jsonrpc2.Error) {
	if len(raw) == 0 {
		return nil, nil
	}
	switch raw[0] {
	case '{', '[', 't', 'f':
		return nil, invalidRequest("id is neither a text, a number nor null", "send a text or a number as id")
	}
	return raw, nil
}

// text reads a JSON string; anything else is not ok.
func text(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil
}

// closed decodes parameters of the methods that are this package's own: an
// object with no members but those of into.
func closed(params json.RawMessage, into any) error {
	if len(params) == 0 {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(params))
	dec.DisallowUnknownFields()
	if params[0] != '{' {
		return io.ErrUnexpectedEOF
	}
	return dec.Decode(into)
}
