package sidechannel

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"intercom/core/canon"
	"intercom/core/identity"
)

// revocation takes the invites of a key back that were issued until a moment. It
// is signed by an inviter of the channel; the set of them only grows. Who was
// revoked may be invited again, by an invite that is issued later.
type revocation struct {
	Channel ChannelName
	Invitee identity.PublicKey
	At      int64 // ms since 1970
	By      identity.PublicKey
	Sig     [64]byte
}

// parseRevocation reads a revocation. Nothing is verified.
func parseRevocation(raw []byte) (*revocation, error) {
	p, err := readPaper(raw)
	if err != nil {
		return nil, fmt.Errorf("the revocation cannot be read: %w", err)
	}
	r := &revocation{Channel: p.channel(false), Invitee: p.key("invitee"), At: p.moment("at"), By: p.key("by"), Sig: [64]byte(p.sig)}
	return r, p.bad
}

func newRevocation(signer Signer, channel ChannelName, invitee identity.PublicKey, now time.Time) *revocation {
	r := &revocation{Channel: channel, Invitee: invitee, At: now.UnixMilli(), By: signer.PublicKey()}
	r.Sig = [64]byte(signer.Sign(r.base()))
	return r
}

// verify tells why a revocation does not count. One dated ahead does not: it
// would take back invites that nobody has issued yet.
func (r *revocation) verify(channel ChannelName, now time.Time) error {
	switch {
	case r.Channel != channel:
		return fmt.Errorf("the revocation is for channel %q, not %q", r.Channel, channel)
	case r.At > now.Add(MaxAhead).UnixMilli():
		return errors.New("the revocation is dated ahead")
	case !identity.Verify(r.By, r.base(), r.Sig[:]):
		return errors.New("the revocation's signature is not its inviter's")
	}
	return nil
}

func (r *revocation) base() []byte {
	return canon.Preimage("intercom/sc/revoke/v1", []byte(r.Channel), r.Invitee[:],
		binary.BigEndian.AppendUint64(nil, uint64(r.At)), r.By[:])
}

// JSON writes the revocation.
func (r *revocation) JSON() json.RawMessage {
	return json.RawMessage(`{"channel":` + r.Channel.quoted() + `,"invitee":"` + r.Invitee.String() + `","at":` +
		strconv.FormatInt(r.At, 10) + `,"by":"` + r.By.String() + `","sig":"` + hex.EncodeToString(r.Sig[:]) + `"}`)
}
