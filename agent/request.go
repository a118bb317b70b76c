package agent

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// request is one frame of a client that is an object or a list.
type request struct {
	id      json.RawMessage // what the reply echoes; nil when there is no integer id
	members []member        // none for a list, as for JavaScript
	size    int64           // bytes of the frame
}

// The answers to frames that are no requests. They never carry an id.
const (
	notJSON   = "Invalid JSON."
	notObject = "Invalid message."
)

// parse reads a frame. A refusal is upstream's text for frames that are no
// requests.
func parse(frame []byte) (r request, refusal string) {
	frame = bytes.TrimRight(frame, " \t\r\n")
	if !utf8.Valid(frame) || !json.Valid(frame) {
		return request{}, notJSON
	}
	r.size = int64(len(frame))
	body := frame[skipBlank(frame, 0):]
	switch body[0] {
	case '{':
		r.members = members(body)
	case '[':
	default:
		return request{}, notObject
	}
	r.id = integerID(r.get("id"))
	return r, ""
}

// get gives the value of a member, or nil. The last of several counts, as it
// does in JavaScript.
func (r request) get(name string) json.RawMessage {
	return find(r.members, name)
}

func find(list []member, name string) json.RawMessage {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].name == name {
			return list[i].value
		}
	}
	return nil
}

// verb is the type when it is text.
func (r request) verb() (name string, ok bool) {
	value := r.get("type")
	if len(value) == 0 || value[0] != '"' {
		return "", false
	}
	return unquote(value), true
}

// channel is the channel as upstream reads it: any value made text, trimmed.
func (r request) channel() string {
	value := r.get("channel")
	if !truthy(value) {
		return ""
	}
	return trim(asText(value))
}

// channels lists what subscribe and unsubscribe name, in `channels` or
// `channel`, items made text.
func (r request) channels() []string {
	if value := r.get("channels"); len(value) > 0 && value[0] == '[' {
		names := []string{}
		for _, item := range items(value) {
			names = append(names, asText(item))
		}
		return names
	}
	if value := r.get("channel"); truthy(value) {
		return []string{asText(value)}
	}
	return nil
}

// params gives the parameters of an operation: the object under "params", or
// the members beside "type". Having both is a mistake.
func (r request) params() (params json.RawMessage, both bool) {
	inside := r.get("params")
	var beside bytes.Buffer
	beside.WriteByte('{')
	for _, m := range r.members {
		switch m.name {
		case "id", "type", "params":
			continue
		}
		if beside.Len() > 1 {
			beside.WriteByte(',')
		}
		beside.Write(m.key)
		beside.WriteByte(':')
		beside.Write(m.value)
	}
	if inside != nil {
		return inside, beside.Len() > 1
	}
	beside.WriteByte('}')
	return beside.Bytes(), false
}

// waits tells whether the request asks to wait for something.
func (r request) waits() bool {
	list := r.members
	if inside := r.get("params"); len(inside) > 0 && inside[0] == '{' {
		list = members(inside)
	}
	return truthy(find(list, "wait_ms")) || truthy(find(list, "timeout_ms"))
}
