package sealed

import (
	"bytes"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"intercom/core/canon"
	"intercom/core/identity"
)

// MaxProof is the greatest invite that a greeting carries, in bytes.
const MaxProof = 8 << 10

// Standing is what one end of a handover has: how far its keys are, and which
// revocations it knows.
type Standing struct {
	Epoch       uint64 // 0: it has no key
	KID         KID
	Revocations [32]byte
}

// behind tells whether the other end has a newer key.
func (s Standing) behind(other Standing) bool {
	mine, theirs := Record{Epoch: s.Epoch, KID: s.KID}, Record{Epoch: other.Epoch, KID: other.KID}
	return mine.Compare(&theirs) < 0
}

// greeting is the first message of each end.
type greeting struct {
	Standing
	proof []byte // the sender's invite; none for an inviter
}

// A greeting on the wire is tag ‖ nonce ‖ box. The tag tells who knows the
// channel which one is meant. The box is as long as greetStep says whatever is
// inside.
const (
	findSize    = 16
	greetStep   = 1024
	greetFixed  = 8 + 16 + 32 + 2
	greetHead   = findSize + chacha20poly1305.NonceSizeX
	maxGreeting = greetHead + (greetFixed+MaxProof+greetStep-1)/greetStep*greetStep + chacha20poly1305.Overhead
)

// route is who greets whom: a greeting that is sent on to somebody else does not
// open there.
type route struct {
	from, to identity.PublicKey
	answers  []byte // nonce of the greeting that this one answers
}

// findTag marks a greeting for a channel without naming it.
func findTag(ch Channel, nonce []byte) []byte {
	sum := sha256.Sum256(canon.Preimage("intercom/sc/find/v1", ch[:], nonce))
	return sum[:findSize]
}

// greetKey is the key of greetings on a channel: whoever knows its name has it.
func greetKey(ch Channel) []byte {
	key, err := hkdf.Key(sha256.New, ch[:], nil, "intercom/sc/greet/v1", chacha20poly1305.KeySize)
	if err != nil { // only for sizes beyond 8160 bytes
		panic("sealed: " + err.Error())
	}
	return key
}

func (r route) associated() []byte {
	return canon.Preimage("intercom/sc/greet/v1", r.from[:], r.to[:], r.answers)
}

// encode writes a greeting for a channel, and gives its nonce.
func (g greeting) encode(ch Channel, r route) (wire, nonce []byte) {
	nonce = make([]byte, chacha20poly1305.NonceSizeX)
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	plain := slices.Concat(u64(g.Epoch), g.KID[:], g.Revocations[:], binary.BigEndian.AppendUint16(nil, uint16(len(g.proof))), g.proof)
	padded := make([]byte, (len(plain)+greetStep-1)/greetStep*greetStep)
	copy(padded, plain)
	head := slices.Concat(findTag(ch, nonce), nonce)
	return newAEAD(greetKey(ch)).Seal(head, nonce, padded, r.associated()), nonce
}

var errGreeting = errors.New("not a greeting")

// splitGreeting takes the parts apart that need no key.
func splitGreeting(wire []byte) (tag, nonce []byte, err error) {
	if len(wire) < greetHead+greetStep+chacha20poly1305.Overhead || len(wire) > maxGreeting {
		return nil, nil, errGreeting
	}
	return wire[:findSize], wire[findSize:greetHead], nil
}

// meant tells whether a greeting is for a channel.
func meant(tag, nonce []byte, ch Channel) bool { return bytes.Equal(tag, findTag(ch, nonce)) }

// decodeGreeting opens a greeting for a channel, and accepts the one form that
// encode writes.
func decodeGreeting(wire []byte, ch Channel, r route) (greeting, error) {
	tag, nonce, err := splitGreeting(wire)
	if err != nil || !meant(tag, nonce, ch) {
		return greeting{}, errGreeting
	}
	plain, err := newAEAD(greetKey(ch)).Open(nil, nonce, wire[greetHead:], r.associated())
	if err != nil || len(plain) < greetFixed || len(plain)%greetStep != 0 {
		return greeting{}, errGreeting
	}
	var g greeting
	g.Epoch = binary.BigEndian.Uint64(plain)
	copy(g.KID[:], plain[8:])
	copy(g.Revocations[:], plain[24:])
	size := int(binary.BigEndian.Uint16(plain[56:]))
	rest := plain[greetFixed:]
	if size > len(rest) || size > MaxProof || len(rest)-size >= greetStep || !zero(rest[size:]) || g.Epoch > maxEpoch || (g.Epoch == 0 && g.KID != KID{}) {
		return greeting{}, errGreeting
	}
	g.proof = rest[:size:size]
	return g, nil
}
