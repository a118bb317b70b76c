package agent

import (
	"encoding/json"

	"intercom/core/fault"
)

// The frames that the bridge sends, keys in upstream's order.

type helloFrame struct {
	Type         string `json:"type"`
	Peer         string `json:"peer"`
	Address      string `json:"address"`
	EntryChannel string `json:"entryChannel"`
	Filter       string `json:"filter"`
	RequiresAuth bool   `json:"requiresAuth"`
}

// plain is a reply that has nothing to say but its type.
type plain struct {
	Type string `json:"type"`
}

type pongFrame struct {
	Type string `json:"type"`
	TS   int64  `json:"ts"`
}

type filterFrame struct {
	Type   string          `json:"type"`
	Filter json.RawMessage `json:"filter"`
}

type subscribedFrame struct {
	Type     string   `json:"type"`
	Channels []string `json:"channels"`
	Events   *bool    `json:"events,omitempty"` // only when the request named it
}

// channelFrame answers send and join.
type channelFrame struct {
	Type    string `json:"type"`
	Channel string `json:"channel"`
}

type leftFrame struct {
	Type    string `json:"type"`
	Channel string `json:"channel"`
	OK      bool   `json:"ok"`
}

type openFrame struct {
	Type    string  `json:"type"`
	Channel string  `json:"channel"`
	Via     *string `json:"via"`
}

type statsFrame struct {
	Type               string   `json:"type"`
	Channels           []string `json:"channels"`
	ConnectionCount    int      `json:"connectionCount"`
	SidechannelStarted bool     `json:"sidechannelStarted"`
}

type infoFrame struct {
	Type string          `json:"type"`
	Info json.RawMessage `json:"info"`
}

type cliFrame struct {
	Type    string          `json:"type"`
	Command string          `json:"command"`
	OK      bool            `json:"ok"`
	Output  []string        `json:"output"`
	Error   *string         `json:"error"`
	Result  json.RawMessage `json:"result,omitempty"`
	Kind    fault.Kind      `json:"kind,omitempty"`
	Hint    string          `json:"hint,omitempty"`
}

type resultFrame struct {
	Type   string          `json:"type"`
	Result json.RawMessage `json:"result"`
}

// refusal is an error of upstream that says all there is to say.
type refusal struct {
	Type  string `json:"type"`
	Error string `json:"error"`
}

func refuse(text string) refusal { return refusal{Type: "error", Error: text} }

// failure is an error that a client can act on.
type failure struct {
	Type  string     `json:"type"`
	Error string     `json:"error"`
	Kind  fault.Kind `json:"kind"`
	Hint  string     `json:"hint"`
}

// fail is the one place that turns a fault into a frame.
func fail(f *fault.Error) failure {
	return failure{Type: "error", Error: f.Message, Kind: f.Kind, Hint: f.Hint}
}

// under is a fault behind upstream's text: what upstream does not say moves
// into the hint.
func under(text string, f *fault.Error) failure {
	hint := f.Message
	if f.Hint != "" {
		hint += "; " + f.Hint
	}
	return failure{Type: "error", Error: text, Kind: f.Kind, Hint: hint}
}

// withID puts the id of the request before the other keys of a reply.
func withID(id json.RawMessage, frame any) []byte {
	body := encode(frame)
	if id == nil {
		return body
	}
	out := make([]byte, 0, len(body)+len(id)+len(`{"id":,`))
	out = append(out, `{"id":`...)
	out = append(out, id...)
	out = append(out, ',')
	return append(out, body[1:]...)
}
