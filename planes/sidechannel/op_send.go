package sidechannel

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"intercom/core/op"
)

type sendIn struct {
	Channel ChannelName     `json:"channel" jsonschema:"name of the channel; it is joined first if need be"`
	Message json.RawMessage `json:"message" jsonschema:"any JSON value but null; an object must not have a member called control"`
	Invite  paperText       `json:"invite,omitempty" jsonschema:"an invite for this peer, as for sc_join"`
	Welcome paperText       `json:"welcome,omitempty" jsonschema:"the owner's welcome, as for sc_join"`
	Wait    waitMS          `json:"wait_ms,omitempty" jsonschema:"wait up to that many ms, 0 to 60000, for members to confirm that they have the message"`
}

type sendOut struct {
	Channel   ChannelName `json:"channel" jsonschema:"name of the channel"`
	MessageID string      `json:"message_id" jsonschema:"id of the message, the same for every member"`
	Peers     int         `json:"peers" jsonschema:"connected members it was handed to; 0 means that nobody was there to hear it"`
	Receipts  []receipt   `json:"receipts,omitzero" jsonschema:"with wait_ms: the members that confirmed with their signature that they have it"`
	Joined    bool        `json:"joined,omitempty" jsonschema:"true when the channel had to be joined first"`
	Welcome   string      `json:"welcome,omitempty" jsonschema:"missing when this peer hears nothing on the channel for want of the owner's welcome"`
	Hint      string      `json:"hint,omitempty" jsonschema:"what to do about it"`
}

func (p *Plane) opSend() *op.Op {
	return op.New(op.Spec[sendIn, sendOut]{
		Name: "sc_send", Owner: owner, Summary: "Send a message to the connected members of a channel",
		Notes: "Nothing is kept for members who are away, and handed over is not yet read: peers is the number of connected members, and 0 is a success. " +
			"With wait_ms, receipts lists who has it by then: members that this peer is connected to, not those behind a relay. " +
			"Your own messages do not come back in sc_read or as events. The whole frame is at most 1000000 bytes.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Common: true,
		Synonyms: sendSynonyms,
		Args:     []string{"channel", "message"}, Example: `{"channel":"trip-nyc","message":"hello"}`,
		Run: p.sendWith, Text: sendText,
	})
}

func (p *Plane) sendWith(ctx context.Context, in sendIn) (sendOut, error) {
	law, err := p.law(in.Channel)
	if err != nil {
		return sendOut{}, err
	}
	note := ""
	if len(in.Invite)+len(in.Welcome) > 0 {
		if note, err = p.present(law, in.Invite, in.Welcome); err != nil {
			return sendOut{}, err
		}
		if ch := p.find(in.Channel); ch != nil {
			if err := p.settleAgain(ch); err != nil {
				return sendOut{}, err
			}
		}
	}
	s, err := p.send(ctx, in.Channel, in.Message)
	if err != nil {
		return sendOut{}, err
	}
	out := sendOut{Channel: in.Channel, MessageID: s.id, Peers: len(s.members), Joined: s.joined, Hint: note}
	if in.Wait > 0 {
		out.Receipts = p.collect(ctx, question(string(in.Channel), s.id), s.members, time.Duration(in.Wait)*time.Millisecond)
	}
	if p.keyless(law) {
		out.Hint = missingKey
	}
	if law.deaf(time.Now()) {
		out.Welcome, out.Hint = "missing", missingWelcome
	}
	return out, nil
}

func sendText(out sendOut) string {
	switch {
	case out.Peers == 0:
		return "Sent to 0 peers: nobody else is connected on this channel."
	case out.Receipts != nil:
		return fmt.Sprintf("Sent to %s, confirmed by %d.", plural(out.Peers, "peer"), len(out.Receipts))
	}
	return fmt.Sprintf("Sent to %s.", plural(out.Peers, "peer"))
}
