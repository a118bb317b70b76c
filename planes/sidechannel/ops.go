package sidechannel

import (
	"context"
	"encoding/json"
	"fmt"

	"intercom/core/identity"
	"intercom/core/op"
)

const owner = "sidechannel"

var channelSynonyms = map[string][]string{"channel": {"ch", "name"}}

// Ops lists the plane's operations.
func (p *Plane) Ops() []*op.Op {
	return []*op.Op{p.opJoin(), p.opLeave(), p.opSend(), p.opRead(), p.opStats()}
}

type joinIn struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel, 1 to 256 bytes, case-sensitive"`
}

type joinOut struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel, trimmed"`
	Joined  bool        `json:"joined" jsonschema:"this peer is in the channel"`
	Open    bool        `json:"open" jsonschema:"whoever knows the name may read and write"`
	Welcome string      `json:"welcome" jsonschema:"verified, missing or none: whether the owner's welcome is known; none means that the channel has no owner"`
	Hint    string      `json:"hint,omitempty" jsonschema:"what to know or do next"`
}

func (p *Plane) opJoin() *op.Op {
	return op.New(op.Spec[joinIn, joinOut]{
		Name: "sc_join", Owner: owner, Summary: "Join a channel",
		Notes: "There is no history: what was sent before you joined never arrives. Channels are open: whoever knows the name reads and writes. " +
			"The channel stays joined over restarts until sc_leave.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, OpenWorld: true}, Common: true,
		Synonyms: channelSynonyms, Args: []string{"channel"}, Example: `{"channel":"trip-nyc"}`,
		Run: func(ctx context.Context, in joinIn) (joinOut, error) {
			_, err := p.Join(ctx, in.Channel)
			return joinOut{
				Channel: in.Channel, Joined: true, Open: true, Welcome: "none",
				Hint: "this channel is open: whoever knows its name can read and write here, so send no secrets",
			}, err
		},
		Text: func(out joinOut) string { return "Joined sidechannel: " + string(out.Channel) },
	})
}

type leaveOut struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel"`
	OK      bool        `json:"ok" jsonschema:"false when the channel was not joined, and for the entry channel"`
	Left    bool        `json:"left" jsonschema:"this peer is out of the channel; false while another client holds it"`
	Hint    string      `json:"hint,omitempty" jsonschema:"why the peer is still in the channel, or was not"`
}

func (p *Plane) opLeave() *op.Op {
	return op.New(op.Spec[joinIn, leaveOut]{
		Name: "sc_leave", Owner: owner, Summary: "Leave a channel",
		Notes:  "The peer stays in the channel while another client holds it. The entry channel " + string(Entry) + " is never left.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, Destructive: true, OpenWorld: true},
		Synonyms: channelSynonyms, Args: []string{"channel"}, Example: `{"channel":"trip-nyc"}`,
		Run: func(ctx context.Context, in joinIn) (leaveOut, error) {
			ok, left, err := p.Leave(ctx, in.Channel)
			return leaveOut{Channel: in.Channel, OK: ok, Left: left, Hint: leaveHint(in.Channel, ok, left)}, err
		},
		Text: func(out leaveOut) string {
			if out.Left {
				return "Left sidechannel: " + string(out.Channel)
			}
			return "Not left: " + out.Hint
		},
	})
}

func leaveHint(name ChannelName, ok, left bool) string {
	switch {
	case left:
		return ""
	case name == Entry:
		return "the entry channel is never left"
	case ok:
		return "other clients of this peer still hold the channel"
	}
	return "the channel was not joined"
}

type sendIn struct {
	Channel ChannelName     `json:"channel" jsonschema:"name of the channel; it is joined first if need be"`
	Message json.RawMessage `json:"message" jsonschema:"any JSON value but null; an object must not have a member called control"`
}

type sendOut struct {
	Channel   ChannelName `json:"channel" jsonschema:"name of the channel"`
	MessageID string      `json:"message_id" jsonschema:"id of the message, the same for every member"`
	Peers     int         `json:"peers" jsonschema:"connected members it was handed to; 0 means that nobody was there to hear it"`
	Joined    bool        `json:"joined,omitempty" jsonschema:"true when the channel had to be joined first"`
}

func (p *Plane) opSend() *op.Op {
	return op.New(op.Spec[sendIn, sendOut]{
		Name: "sc_send", Owner: owner, Summary: "Send a message to the connected members of a channel",
		Notes: "Nothing is kept for members who are away, and handed over is not yet read: peers is the number of connected members, and 0 is a success. " +
			"Your own messages do not come back in sc_read or as events. The whole frame is at most 1000000 bytes.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Common: true,
		Synonyms: map[string][]string{"channel": {"ch", "name"}, "message": {"msg"}},
		Args:     []string{"channel", "message"}, Example: `{"channel":"trip-nyc","message":"hello"}`,
		Run: func(ctx context.Context, in sendIn) (sendOut, error) {
			s, err := p.send(ctx, in.Channel, in.Message)
			return sendOut{Channel: in.Channel, MessageID: s.id, Peers: s.peers, Joined: s.joined}, err
		},
		Text: func(out sendOut) string {
			if out.Peers == 0 {
				return "Sent to 0 peers: nobody else is connected on this channel."
			}
			return fmt.Sprintf("Sent to %s.", plural(out.Peers, "peer"))
		},
	})
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// keyOf is a key for an output that leaves the zero key out.
func keyOf(key identity.PublicKey) string {
	if key.IsZero() {
		return ""
	}
	return key.String()
}
