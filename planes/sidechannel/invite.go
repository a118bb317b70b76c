package sidechannel

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"intercom/core/identity"
)

const (
	// DefaultInviteLife is how long an invite counts unless it is told otherwise.
	DefaultInviteLife = 7 * 24 * time.Hour
	// MaxInviteLife bounds the life of an invite, from its issue on. One that
	// outlives it counts nowhere, whoever signed it (W55).
	MaxInviteLife = 366 * 24 * time.Hour
)

// Invite lets one key into an invite-only channel (upstream 6.5).
type Invite struct {
	Channel            ChannelName
	Invitee, Inviter   identity.PublicKey
	Address            *string // of the inviter, as it says; nil when it does not
	IssuedAt, ExpireAt int64   // ms since 1970
	Nonce              string
	Version            int64
	Sig                [64]byte
	Welcome            *Welcome // rides along, outside the signature; nil when there is none
}

// ParseInvite reads an invite in upstream's forms. Nothing is verified: see
// [Invite.Verify].
func ParseInvite(raw []byte) (*Invite, error) {
	p, err := readPaper(raw)
	if err != nil {
		return nil, fmt.Errorf("the invite cannot be read: %w", err)
	}
	v := &Invite{
		Channel: p.channel(false), Invitee: p.key("inviteePubKey"), Inviter: p.key("inviterPubKey"),
		IssuedAt: p.moment("issuedAt"), ExpireAt: p.moment("expiresAt"),
		Nonce: p.text("nonce", 256), Version: p.integer("version", 1), Sig: [64]byte(p.sig),
	}
	if p.has("inviterAddress") {
		address := p.text("inviterAddress", 256)
		v.Address = &address
	}
	if p.bad != nil {
		return nil, fmt.Errorf("the invite cannot be read: %w", p.bad)
	}
	if inner := p.beside["welcome"]; len(inner) > 0 && inner[0] == '{' {
		v.Welcome, _ = ParseWelcome(inner) // a broken one does not spoil the invite
	}
	return v, nil
}

// newInvite makes an invite, signed by this peer.
func newInvite(signer Signer, channel ChannelName, invitee identity.PublicKey, now time.Time, life time.Duration) *Invite {
	self := signer.PublicKey()
	address := self.Address()
	v := &Invite{
		Channel: channel, Invitee: invitee, Inviter: self, Address: &address,
		IssuedAt: now.UnixMilli(), ExpireAt: now.Add(life).UnixMilli(), Nonce: string(appendRandom(nil)), Version: 1,
	}
	v.Sig = [64]byte(signer.Sign(v.base()))
	return v
}

// Verify tells why an invite does not let a key into a channel at a time, nil
// when it does. Whether its inviter may invite is asked elsewhere.
func (v *Invite) Verify(channel ChannelName, key identity.PublicKey, now time.Time) error {
	at := now.UnixMilli()
	switch {
	case v.Channel != channel:
		return fmt.Errorf("the invite is for channel %q, not %q", v.Channel, channel)
	case v.Invitee != key:
		return fmt.Errorf("the invite is for peer %s, not %s", v.Invitee, key)
	case v.ExpireAt <= at:
		return fmt.Errorf("the invite expired at %s", time.UnixMilli(v.ExpireAt).UTC().Format(time.RFC3339))
	case v.IssuedAt > at+MaxAhead.Milliseconds():
		return fmt.Errorf("the invite is dated ahead, at %s: a clock is wrong", time.UnixMilli(v.IssuedAt).UTC().Format(time.RFC3339))
	case v.ExpireAt-v.IssuedAt > MaxInviteLife.Milliseconds():
		return fmt.Errorf("the invite would live longer than %d days", int(MaxInviteLife/(24*time.Hour)))
	case !identity.Verify(v.Inviter, v.base(), v.Sig[:]):
		return errors.New("the invite's signature is not its inviter's")
	}
	return nil
}

// base is the text under the signature: the canonical form of the payload.
func (v *Invite) base() []byte {
	return []byte(`{"channel":` + v.Channel.quoted() + `,"expiresAt":` + strconv.FormatInt(v.ExpireAt, 10) +
		`,"inviteePubKey":"` + v.Invitee.String() + `","inviterAddress":` + v.address() +
		`,"inviterPubKey":"` + v.Inviter.String() + `","issuedAt":` + strconv.FormatInt(v.IssuedAt, 10) +
		`,"nonce":` + quoteText(v.Nonce) + `,"version":` + strconv.FormatInt(v.Version, 10) + `}`)
}

func (v *Invite) address() string {
	if v.Address == nil {
		return "null"
	}
	return quoteText(*v.Address)
}

// JSON writes the invite as upstream does, with its welcome.
func (v *Invite) JSON() json.RawMessage {
	var b strings.Builder
	b.Write(v.bare())
	if v.Welcome == nil {
		return json.RawMessage(b.String())
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "}") + `,"welcome":` + string(v.Welcome.JSON()) + `}`)
}

// bare is the invite without a welcome: all that a member must see of it.
func (v *Invite) bare() json.RawMessage {
	return json.RawMessage(`{"payload":{"channel":` + v.Channel.quoted() +
		`,"inviteePubKey":"` + v.Invitee.String() + `","inviterPubKey":"` + v.Inviter.String() +
		`","inviterAddress":` + v.address() + `,"issuedAt":` + strconv.FormatInt(v.IssuedAt, 10) +
		`,"expiresAt":` + strconv.FormatInt(v.ExpireAt, 10) + `,"nonce":` + quoteText(v.Nonce) +
		`,"version":` + strconv.FormatInt(v.Version, 10) + `},"sig":"` + hex.EncodeToString(v.Sig[:]) + `"}`)
}

// digest names the invite, signature included.
func (v *Invite) digest() [32]byte { return sha256.Sum256(v.bare()) }
