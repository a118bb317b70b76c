package sidechannel

import (
	"bytes"
	"encoding/json"
	"errors"
)

// The controls, a closed list. The first three go from neighbour to neighbour,
// who say them again in their own name; an open_channel is passed on.
const (
	controlAuth    = "auth"         // here is my invite
	controlWelcome = "welcome"      // here is the owner's welcome
	controlRevoke  = "revoke"       // here are revocations; ours
	controlOpen    = "open_channel" // come to another channel
)

// control is what one peer's plane says to another's (upstream 6.6).
type control struct {
	kind        string
	channel     ChannelName // of open_channel
	invite      []byte      // of auth, and perhaps open_channel: JSON, not verified
	welcome     *Welcome    // of welcome, and perhaps open_channel: not verified
	revocations [][]byte    // of revoke: JSON, not verified
}

// maxCarriedRevocations bounds the revocations in one control.
const maxCarriedRevocations = 256

var errControl = errors.New("no control")

// readControl reads the message of a control. Any member that does not belong
// there makes it none (W47).
func readControl(message []byte) (*control, error) {
	var in struct {
		Control     string            `json:"control"`
		Channel     *ChannelName      `json:"channel"`
		Invite      json.RawMessage   `json:"invite"`
		Welcome     json.RawMessage   `json:"welcome"`
		Revocations []json.RawMessage `json:"revocations"`
	}
	dec := json.NewDecoder(bytes.NewReader(message))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return nil, errControl
	}
	c := &control{kind: in.Control, invite: in.Invite}
	if in.Welcome != nil {
		var err error
		if c.welcome, err = ParseWelcome(in.Welcome); err != nil {
			return nil, errControl
		}
	}
	if in.Channel != nil {
		c.channel = *in.Channel
	}
	for _, raw := range in.Revocations {
		c.revocations = append(c.revocations, raw)
	}
	has := [4]bool{in.Channel != nil, in.Invite != nil, in.Welcome != nil, in.Revocations != nil}
	var fits bool
	switch c.kind {
	case controlAuth:
		fits = has == [4]bool{false, true, false, false}
	case controlWelcome:
		fits = has == [4]bool{false, false, true, false}
	case controlRevoke:
		fits = has == [4]bool{false, false, false, true} && len(c.revocations) <= maxCarriedRevocations
	case controlOpen:
		fits = has[0] && !has[3]
	}
	if !fits || len(c.invite) > maxPaper {
		return nil, errControl
	}
	return c, nil
}

// encode writes a control as a message. What upstream would write as undefined
// is left out, so that one text is proven, signed and read (W12).
func (c *control) encode() []byte {
	b := append([]byte(`{"control":"`), c.kind...)
	b = append(b, '"')
	if c.channel != "" {
		b = append(append(b, `,"channel":`...), c.channel.quoted()...)
	}
	if c.invite != nil {
		b = append(append(b, `,"invite":`...), c.invite...)
	}
	if c.welcome != nil {
		b = append(append(b, `,"welcome":`...), c.welcome.JSON()...)
	}
	if c.revocations != nil {
		b = append(b, `,"revocations":[`...)
		b = append(append(b, bytes.Join(c.revocations, []byte(","))...), ']')
	}
	return append(b, '}')
}

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
