package agent

import (
	"context"
	"encoding/json"

	"intercom/core/fault"
)

// The verbs that stand for operations of the sidechannel. Each puts the request
// into the operation's parameters and the result into upstream's reply.

var missingChannel = failure{
	Type: "error", Error: "Missing channel.", Kind: fault.Invalid, Hint: `name one: "channel":"trip"`,
}

const notReady = "Sidechannel not ready."

// channelParams are the parameters that the verbs pass on.
type channelParams struct {
	Channel string          `json:"channel"`
	Message json.RawMessage `json:"message,omitempty"`
	Via     string          `json:"via,omitempty"`
	Invite  json.RawMessage `json:"invite,omitempty"`
	Welcome json.RawMessage `json:"welcome,omitempty"`
}

// prepare reads what send, join and open have in common.
func (s *session) prepare(operation string, r request) (p channelParams, refused any) {
	if p.Channel = r.channel(); p.Channel == "" {
		return p, missingChannel
	}
	a, refused := s.admission(operation, r)
	p.Invite, p.Welcome = a.invite, a.welcome
	return p, refused
}

func (s *session) send(ctx context.Context, r request) any {
	p, refused := s.prepare("sc_send", r)
	if refused != nil {
		return refused
	}
	p.Message = r.get("message")
	if len(p.Message) == 0 || p.Message[0] == 'n' {
		return failure{
			Type: "error", Error: "Missing message.", Kind: fault.Invalid,
			Hint: `give any JSON value but null: "message":"hello"`,
		}
	}
	if _, f := s.call(ctx, "sc_send", encode(p)); f != nil {
		return s.denied("sc_send", "Send denied (invite required or invalid).", f)
	}
	s.interest.enter(p.Channel)
	return channelFrame{Type: "sent", Channel: p.Channel}
}

func (s *session) join(ctx context.Context, r request) any {
	p, refused := s.prepare("sc_join", r)
	if refused != nil {
		return refused
	}
	_, f := s.call(ctx, "sc_join", encode(p))
	switch {
	case f == nil:
		s.interest.enter(p.Channel)
		return channelFrame{Type: "joined", Channel: p.Channel}
	case f.Kind == fault.Denied || (p.Invite != nil && f.Kind == fault.Invalid):
		return s.denied("sc_join", "Join denied (invite required or invalid).", f)
	default:
		return s.denied("sc_join", "Join failed: "+f.Message, f)
	}
}

func (s *session) leave(ctx context.Context, r request) any {
	channel := r.channel()
	if channel == "" {
		return missingChannel
	}
	result, f := s.call(ctx, "sc_leave", encode(channelParams{Channel: channel}))
	if f != nil {
		return s.denied("sc_leave", "Leave failed: "+f.Message, f)
	}
	s.leaves(channel)
	return leftFrame{Type: "left", Channel: channel, OK: string(find(members(result), "ok")) == "true"}
}

// leaves makes the client deaf to a channel that others may keep. Nobody leaves
// the entry channel.
func (s *session) leaves(channel string) {
	if channel != s.bridge.entry {
		s.interest.leave(channel)
	}
}

func (s *session) open(ctx context.Context, r request) any {
	const text = "Open request denied (invalid input or missing invite/welcome)."
	p, refused := s.prepare("sc_open", r)
	if refused != nil {
		return refused
	}
	var via *string
	if value := r.get("via"); truthy(value) {
		p.Via = asText(value)
		via = &p.Via
	}
	switch _, f := s.call(ctx, "sc_open", encode(p)); {
	case f == nil:
		return openFrame{Type: "open_requested", Channel: p.Channel, Via: via}
	case f.Kind == fault.Unknown && !s.bridge.has("sc_open"):
		return under(text, fault.New(fault.Unavailable, "this peer has no operation sc_open"))
	default:
		return under(text, f)
	}
}

// denied is upstream's text for a failed operation; one that the peer does not
// have means that its sidechannel is not there.
func (s *session) denied(operation, text string, f *fault.Error) failure {
	if f.Kind == fault.Unknown && !s.bridge.has(operation) {
		return under(notReady, fault.New(fault.Unavailable, "%s", f.Message).WithHint("%s", f.Hint))
	}
	return under(text, f)
}
