package sidechannel

import (
	"context"
	"encoding/json"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
)

// lifeSeconds is how long an invite or a welcome counts, in seconds.
type lifeSeconds int64

// Schema is the rule of a life.
func (lifeSeconds) Schema() op.Schema {
	return op.Schema{"type": "integer", "minimum": 1, "maximum": int64(MaxInviteLife / time.Second)}
}

func (s lifeSeconds) duration() time.Duration { return time.Duration(s) * time.Second }

type inviteIn struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel, which need not be joined"`
	Pubkey  peerKey     `json:"pubkey" jsonschema:"key of the peer to invite: 64 hex digits, or its address; info shows a peer its own"`
	TTL     lifeSeconds `json:"ttl,omitempty" jsonschema:"seconds that the invite counts, 1 to 31622400; left out: 604800, a week"`
	Welcome paperText   `json:"welcome,omitempty" jsonschema:"a welcome to send along; left out: the one that is stored"`
}

type inviteOut struct {
	Channel   ChannelName     `json:"channel" jsonschema:"name of the channel"`
	Invite    json.RawMessage `json:"invite" jsonschema:"the invite; give it to the peer it names, for sc_join"`
	InviteB64 string          `json:"invite_b64" jsonschema:"the same in base64"`
	Hint      string          `json:"hint,omitempty" jsonschema:"what to know or do next"`
}

func (p *Plane) opInvite() *op.Op {
	return op.New(op.Spec[inviteIn, inviteOut]{
		Name: "sc_invite", Owner: owner, Summary: "Invite a peer to an invite-only channel",
		Notes: "An invite names one key and is useless to any other. Inviting makes a channel invite-only for this peer, with this peer as its inviter: " +
			"on an open channel that others are in, it is refused. Hand the invite over yourself; nothing is sent.",
		Access: op.Write, Effects: op.Effects{}, Synonyms: inviteSynonyms, Args: []string{"channel", "pubkey"},
		Example: `{"channel":"crew","pubkey":"17cea8fa0c8d6993e05bd5f4ad8cff9f413b40d8685bc5e633cbba6f78f5dfc5"}`,
		Run:     p.invite,
		Text:    func(out inviteOut) string { return string(out.Invite) + "\ninvite_b64: " + out.InviteB64 },
	})
}

func (p *Plane) invite(_ context.Context, in inviteIn) (inviteOut, error) {
	law, err := p.law(in.Channel)
	if err != nil {
		return inviteOut{}, err
	}
	invitee, now, life := identity.PublicKey(in.Pubkey), time.Now(), p.policy.inviteLife()
	if in.TTL > 0 {
		life = in.TTL.duration()
	}
	w, _ := law.welcomed(now)
	if len(in.Welcome) > 0 {
		if w, err = in.Welcome.welcome(); err != nil {
			return inviteOut{}, err
		}
		if err := w.Verify(in.Channel, w.Owner, now); err != nil {
			return inviteOut{}, fault.New(fault.Invalid, "%v", err).WithHint("pass the owner's welcome, or leave it out")
		}
	}
	if invitee == p.signer.PublicKey() {
		return inviteOut{}, fault.New(fault.Invalid, "%s is this peer itself", invitee).WithHint("name another peer's key; its info shows it")
	}
	hint, err := p.closeFor(law)
	if err != nil {
		return inviteOut{}, err
	}
	v := newInvite(p.signer, in.Channel, invitee, now, life)
	v.Welcome = w
	raw := v.JSON()
	return inviteOut{Channel: in.Channel, Invite: raw, InviteB64: inBase64(raw), Hint: hint}, nil
}

// closeFor makes sure that this peer may invite to a channel: an open one
// becomes invite-only, unless others would lose this peer by that.
func (p *Plane) closeFor(law *charter) (hint string, err error) {
	if law.open() {
		ch := p.find(law.name)
		if ch != nil && law.ownerIs() != p.signer.PublicKey() && len(p.members(ch)) > 0 {
			return "", fault.New(fault.Conflict, "channel %q is open, and other peers are in it", law.name).
				WithHint("whoever knows its name is in already; for an invite-only channel take another name")
		}
		if _, err := law.close(); err != nil {
			return "", err
		}
		hint = "the channel is invite-only for this peer from now on"
		if ch != nil {
			if err := p.settleAgain(ch); err != nil {
				return "", err
			}
		}
	}
	if !law.Inviter(p.signer.PublicKey()) {
		return "", fault.New(fault.Denied, "this peer is no inviter of channel %q", law.name).
			WithHint("ask one of its inviters; who they are says --sidechannel-inviter-keys, or the invite that let this peer in")
	}
	return hint, nil
}

type revokeIn struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel"`
	Pubkey  peerKey     `json:"pubkey" jsonschema:"key of the peer whose invites are taken back: 64 hex digits, or its address"`
}

type revokeOut struct {
	Channel    ChannelName     `json:"channel" jsonschema:"name of the channel"`
	Pubkey     string          `json:"pubkey" jsonschema:"key of the peer whose invites count no more, hex"`
	At         int64           `json:"at" jsonschema:"invites issued until then are void, ms since 1970"`
	Revocation json.RawMessage `json:"revocation" jsonschema:"the signed revocation"`
	Peers      int             `json:"peers" jsonschema:"connected members that are told; they tell others when they meet"`
}

func (p *Plane) opRevoke() *op.Op {
	return op.New(op.Spec[revokeIn, revokeOut]{
		Name: "sc_revoke", Owner: owner, Summary: "Take back the invites of a peer",
		Notes: "It voids every invite of that key to the channel issued until now, by any inviter, and spreads from member to member. " +
			"What the peer has read it keeps. A new sc_invite lets it in again.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, Destructive: true, OpenWorld: true},
		Synonyms: revokeSynonyms, Args: []string{"channel", "pubkey"},
		Example: `{"channel":"crew","pubkey":"17cea8fa0c8d6993e05bd5f4ad8cff9f413b40d8685bc5e633cbba6f78f5dfc5"}`,
		Run:     p.revoke,
		Text: func(out revokeOut) string {
			return "Revoked " + out.Pubkey + " on sidechannel: " + string(out.Channel)
		},
	})
}

func (p *Plane) revoke(ctx context.Context, in revokeIn) (revokeOut, error) {
	law, err := p.law(in.Channel)
	if err != nil {
		return revokeOut{}, err
	}
	key := identity.PublicKey(in.Pubkey)
	switch {
	case law.open():
		return revokeOut{}, fault.New(fault.Conflict, "channel %q is open: there are no invites to take back", in.Channel).
			WithHint("sc_invite makes a channel invite-only")
	case !law.Inviter(p.signer.PublicKey()):
		return revokeOut{}, fault.New(fault.Denied, "this peer is no inviter of channel %q", in.Channel).WithHint("ask one of its inviters")
	case law.Inviter(key):
		return revokeOut{}, fault.New(fault.Denied, "%s is an inviter of channel %q itself", key, in.Channel).
			WithHint("take it out of --sidechannel-inviter-keys, on every member")
	}
	r := newRevocation(p.signer, in.Channel, key, time.Now())
	out := revokeOut{Channel: in.Channel, Pubkey: key.String(), At: r.At, Revocation: r.JSON()}
	ch := p.find(in.Channel)
	if ch != nil { // before the key changes, so that the revoked one hears it too
		out.Peers = len(p.members(ch))
		said := &control{kind: controlRevoke, revocations: [][]byte{r.JSON()}}
		if err := p.control(ctx, ch, said.encode()); err != nil {
			p.log.Log(ctx, p.detail, "a revocation was not sent; members learn it when they meet", "channel", in.Channel, "err", err)
		}
	}
	if _, err := law.revoke(r); err != nil {
		return revokeOut{}, err
	}
	if ch != nil {
		p.say(ch)
	}
	return out, nil
}

type welcomeIn struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel, which need not be joined"`
	Text    string      `json:"text" jsonschema:"what the owner says to newcomers, at most 4096 bytes"`
	TTL     lifeSeconds `json:"ttl,omitempty" jsonschema:"seconds that the welcome counts; left out: for ever. Upstream's peers cannot verify one that expires"`
}

type welcomeOut struct {
	Channel    ChannelName     `json:"channel" jsonschema:"name of the channel"`
	Welcome    json.RawMessage `json:"welcome" jsonschema:"the signed welcome; give it to newcomers, for sc_join"`
	WelcomeB64 string          `json:"welcome_b64" jsonschema:"the same in base64"`
}

func (p *Plane) opWelcome() *op.Op {
	return op.New(op.Spec[welcomeIn, welcomeOut]{
		Name: "sc_welcome", Owner: owner, Summary: "Sign a welcome as the owner of a channel",
		Notes: "It makes this peer the owner when none is known. The newest welcome counts; it is stored, handed to whoever comes, and embedded in invites. " +
			"Peers that know the owner hear nothing on the channel until they have it.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Synonyms: welcomeSynonyms, Args: []string{"channel", "text"},
		Example: `{"channel":"crew","text":"Be kind."}`,
		Run:     p.welcome,
		Text:    func(out welcomeOut) string { return string(out.Welcome) + "\nwelcome_b64: " + out.WelcomeB64 },
	})
}

func (p *Plane) welcome(_ context.Context, in welcomeIn) (welcomeOut, error) {
	if len(in.Text) > maxWelcomeText {
		return welcomeOut{}, fault.New(fault.Limited, "the text has %d bytes, more than %d", len(in.Text), maxWelcomeText).WithHint("say it shorter")
	}
	law, err := p.law(in.Channel)
	if err != nil {
		return welcomeOut{}, err
	}
	now := time.Now()
	w := Welcome{Text: in.Text}
	if old, _ := law.welcomed(now); old != nil {
		w.OwnerWrite = old.OwnerWrite
	}
	if in.TTL > 0 {
		w.ExpireAt = now.Add(in.TTL.duration()).UnixMilli()
	}
	signed, err := law.own(p.signer, w, now)
	if err != nil {
		return welcomeOut{}, err
	}
	if ch := p.find(in.Channel); ch != nil {
		p.say(ch)
	}
	raw := signed.JSON()
	return welcomeOut{Channel: in.Channel, Welcome: raw, WelcomeB64: inBase64(raw)}, nil
}
