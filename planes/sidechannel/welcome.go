package sidechannel

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"intercom/core/identity"
)

// maxWelcomeText bounds what an owner says to newcomers, in bytes.
const maxWelcomeText = 4096

// Welcome is an owner's word that a channel is its own (upstream 6.4), and what
// it says to newcomers.
type Welcome struct {
	Channel  ChannelName
	Owner    identity.PublicKey
	Text     string
	IssuedAt int64 // ms since 1970
	Version  int64
	Sig      [64]byte

	// Ours. They are under the signature when they are set, so that upstream's
	// programs take such a welcome for a forged one: they are set on demand only.
	ExpireAt   int64 // ms since 1970; 0 = never
	OwnerWrite bool  // only the owner writes
}

// ParseWelcome reads a welcome in upstream's forms. Nothing is verified: see
// [Welcome.Verify].
func ParseWelcome(raw []byte) (*Welcome, error) {
	p, err := readPaper(raw)
	if err != nil {
		return nil, fmt.Errorf("the welcome cannot be read: %w", err)
	}
	w := &Welcome{
		Channel: p.channel(true), Owner: p.key("ownerPubKey"), Text: p.text("text", maxWelcomeText),
		IssuedAt: p.moment("issuedAt"), Version: p.integer("version", 1), Sig: [64]byte(p.sig),
		ExpireAt: p.integer("expiresAt", 0), OwnerWrite: string(p.fields["ownerWrite"]) == "true",
	}
	if p.bad != nil {
		return nil, fmt.Errorf("the welcome cannot be read: %w", p.bad)
	}
	return w, nil
}

// sign signs the welcome as its owner.
func (w Welcome) sign(signer Signer) *Welcome {
	w.Owner, w.Version = signer.PublicKey(), 1
	w.Sig = [64]byte(signer.Sign(w.base()))
	return &w
}

// Verify tells why a welcome is not the word of a channel's owner at a time, nil
// when it is.
func (w *Welcome) Verify(channel ChannelName, owner identity.PublicKey, now time.Time) error {
	switch {
	case owner.IsZero():
		return fmt.Errorf("no owner is known of channel %q", channel)
	case w.Channel != channel:
		return fmt.Errorf("the welcome is for channel %q, not %q", w.Channel, channel)
	case w.Owner != owner:
		return fmt.Errorf("the welcome is by %s, and the owner of channel %q is %s", w.Owner, channel, owner)
	case w.IssuedAt > now.Add(MaxAhead).UnixMilli():
		return fmt.Errorf("the welcome is dated ahead, at %s: a clock is wrong", time.UnixMilli(w.IssuedAt).UTC().Format(time.RFC3339))
	case w.expired(now):
		return fmt.Errorf("the welcome expired at %s", time.UnixMilli(w.ExpireAt).UTC().Format(time.RFC3339))
	case !identity.Verify(w.Owner, w.base(), w.Sig[:]):
		return errors.New("the welcome's signature is not its owner's")
	}
	return nil
}

func (w *Welcome) expired(now time.Time) bool { return w.ExpireAt > 0 && w.ExpireAt <= now.UnixMilli() }

// newer tells whether w takes the place of another: issued later, or at the same
// moment with the greater signature, so that all peers end with the same (W56).
func (w *Welcome) newer(than *Welcome) bool {
	if than == nil || w.IssuedAt != than.IssuedAt {
		return than == nil || w.IssuedAt > than.IssuedAt
	}
	return bytes.Compare(w.Sig[:], than.Sig[:]) > 0
}

// base is the text under the signature: the canonical form of the payload.
func (w *Welcome) base() []byte {
	b := append([]byte(`{"channel":`), w.Channel.quoted()...)
	if w.ExpireAt > 0 {
		b = strconv.AppendInt(append(b, `,"expiresAt":`...), w.ExpireAt, 10)
	}
	b = strconv.AppendInt(append(b, `,"issuedAt":`...), w.IssuedAt, 10)
	b = append(append(append(b, `,"ownerPubKey":"`...), w.Owner.String()...), '"')
	if w.OwnerWrite {
		b = append(b, `,"ownerWrite":true`...)
	}
	b = append(append(b, `,"text":`...), quoteText(w.Text)...)
	b = strconv.AppendInt(append(b, `,"version":`...), w.Version, 10)
	return append(b, '}')
}

// JSON writes the welcome as upstream does.
func (w *Welcome) JSON() json.RawMessage {
	b := append([]byte(`{"payload":{"channel":`), w.Channel.quoted()...)
	b = append(append(append(b, `,"ownerPubKey":"`...), w.Owner.String()...), `","text":`...)
	b = append(b, quoteText(w.Text)...)
	b = strconv.AppendInt(append(b, `,"issuedAt":`...), w.IssuedAt, 10)
	b = strconv.AppendInt(append(b, `,"version":`...), w.Version, 10)
	if w.ExpireAt > 0 {
		b = strconv.AppendInt(append(b, `,"expiresAt":`...), w.ExpireAt, 10)
	}
	if w.OwnerWrite {
		b = append(b, `,"ownerWrite":true`...)
	}
	b = append(append(b, `},"sig":"`...), hex.EncodeToString(w.Sig[:])...)
	return append(b, `"}`...)
}
