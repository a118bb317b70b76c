package sidechannel

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
)

const owner = "sidechannel"

// Other names that parameters go by, upstream's (5.3) among them.
var (
	channelSynonyms = map[string][]string{"channel": {"ch", "name"}}
	paperSynonyms   = map[string][]string{"channel": {"ch", "name"}, "invite": {"invite_b64"}, "welcome": {"welcome_b64"}}
	sendSynonyms    = map[string][]string{"channel": {"ch", "name"}, "message": {"msg"}, "invite": {"invite_b64"}, "welcome": {"welcome_b64"}}
	openSynonyms    = map[string][]string{"channel": {"ch", "name"}, "via": {"channel_via"}, "invite": {"invite_b64"}, "welcome": {"welcome_b64"}}
	inviteSynonyms  = map[string][]string{"channel": {"ch", "name"}, "pubkey": {"invitee", "peer", "key"}, "ttl": {"ttl_sec", "ttl_s"}, "welcome": {"welcome_b64"}}
	revokeSynonyms  = map[string][]string{"channel": {"ch", "name"}, "pubkey": {"invitee", "peer", "key"}}
	welcomeSynonyms = map[string][]string{"channel": {"ch", "name"}, "text": {"message", "msg"}, "ttl": {"ttl_sec", "ttl_s"}}
)

// Ops lists the plane's operations.
func (p *Plane) Ops() []*op.Op {
	return []*op.Op{
		p.opJoin(), p.opLeave(), p.opSend(), p.opRead(), p.opStats(),
		p.opWelcome(), p.opInvite(), p.opRevoke(), p.opRekey(), p.opOpen(), p.opRequests(),
	}
}

// paperText is an invite or a welcome as a parameter: the object itself, its
// JSON as text, or base64 of that, with or without "b64:" before it.
type paperText []byte

// Schema is the rule of a paper.
func (paperText) Schema() op.Schema {
	return op.Schema{"type": []string{"object", "string"}, "maxLength": 2 * maxPaper}
}

// UnmarshalJSON takes any of the forms and gives JSON.
func (t *paperText) UnmarshalJSON(raw []byte) (err error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '{' {
		*t = bytes.Clone(raw)
		return nil
	}
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return err
	}
	*t, err = unwrapPaper(text)
	return err
}

// MarshalJSON writes the paper as the object it is.
func (t paperText) MarshalJSON() ([]byte, error) {
	if len(t) == 0 {
		return []byte("null"), nil
	}
	return t, nil
}

func (t paperText) invite() (*Invite, error) {
	v, err := ParseInvite(t)
	if err != nil {
		return nil, fault.New(fault.Invalid, "Invalid invite (expected JSON or base64).").
			WithHint("%v; pass what sc_invite gave: the object, its JSON as text, or base64 of it", err)
	}
	return v, nil
}

func (t paperText) welcome() (*Welcome, error) {
	w, err := ParseWelcome(t)
	if err != nil {
		return nil, fault.New(fault.Invalid, "Invalid welcome (expected JSON or base64).").
			WithHint("%v; pass what sc_welcome gave: the object, its JSON as text, or base64 of it", err)
	}
	return w, nil
}

// peerKey is another peer's key as a parameter: 64 hex digits or its address.
type peerKey identity.PublicKey

// Schema is the rule of a peer's key.
func (peerKey) Schema() op.Schema {
	return op.Schema{"type": "string", "pattern": `^\s*([0-9a-fA-F]{64}|trac1[0-9a-z]+)\s*$`}
}

// UnmarshalText reads a key or an address.
func (k *peerKey) UnmarshalText(text []byte) error {
	word := strings.ToLower(strings.TrimSpace(string(text)))
	key, err := identity.ParsePublicKey(word)
	if strings.HasPrefix(word, "trac1") {
		key, err = identity.ParseAddress(word)
	}
	*k = peerKey(key)
	return err
}

// MarshalText writes the key in hex.
func (k peerKey) MarshalText() ([]byte, error) { return []byte(identity.PublicKey(k).String()), nil }

type leaveIn struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel, 1 to 256 bytes, case-sensitive"`
}

type leaveOut struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel"`
	OK      bool        `json:"ok" jsonschema:"false when the channel was not joined, and for the entry channel"`
	Left    bool        `json:"left" jsonschema:"this peer is out of the channel; false while another client holds it"`
	Hint    string      `json:"hint,omitempty" jsonschema:"why the peer is still in the channel, or was not"`
}

func (p *Plane) opLeave() *op.Op {
	return op.New(op.Spec[leaveIn, leaveOut]{
		Name: "sc_leave", Owner: owner, Summary: "Leave a channel",
		Notes: "The peer stays in the channel while another client holds it. The entry channel " + string(Entry) + " is never left. " +
			"What is known of the channel (owner, welcome, invites) is kept for the next time.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, Destructive: true, OpenWorld: true},
		Synonyms: channelSynonyms, Args: []string{"channel"}, Example: `{"channel":"trip-nyc"}`,
		Run: func(ctx context.Context, in leaveIn) (leaveOut, error) {
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

// inBase64 is a paper as upstream prints it.
func inBase64(raw json.RawMessage) string { return base64.StdEncoding.EncodeToString(raw) }
