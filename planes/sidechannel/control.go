package sidechannel

import (
	"bytes"
	"encoding/json"
)

// isControl tells whether a message speaks to the plane: an object with a member
// "control" (upstream 6.6), whatever its value. The text must be canonical, so
// that the member's name has one spelling.
func isControl(canonical []byte) bool {
	if !bytes.Contains(canonical, []byte(`"control":`)) {
		return false
	}
	_, found := member(canonical, "control")
	return found
}

// appOf is the member "app" of a message that is an object and has one that is a
// text: it tells which application the message is for.
func appOf(compact []byte) (app string, ok bool) {
	if !bytes.Contains(compact, []byte(`"app":`)) {
		return "", false
	}
	value, found := member(compact, "app")
	if !found || json.Unmarshal(value, &app) != nil || value[0] != '"' {
		return "", false
	}
	return app, true
}

// member finds a member of an object that is compact JSON. The name must be one
// that JSON writes without escapes.
func member(object []byte, name string) (value []byte, ok bool) {
	if len(object) == 0 || object[0] != '{' {
		return nil, false
	}
	c := cursor{rest: object[1:]}
	for len(c.rest) > 1 {
		key := c.take(stringEnd(c.rest))
		c.literal(":")
		value := c.value()
		if c.bad {
			return nil, false
		}
		if len(key) == len(name)+2 && string(key[1:len(key)-1]) == name {
			return value, true
		}
		c.take(1) // the comma or the closing brace
	}
	return nil, false
}
