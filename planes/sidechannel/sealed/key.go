package sealed

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/chacha20poly1305"

	"intercom/core/identity"
)

// Channel names a channel without telling its name: SHA-256 of it under a tag.
type Channel [32]byte

// ChannelOf is the hash of a channel's name.
func ChannelOf(name string) Channel {
	return sha256.Sum256([]byte("intercom/channel/v1\x00" + name))
}

// Door is where an inviter's invitees look for members while they have no key.
func Door(name string, inviter identity.PublicKey) [32]byte {
	return sha256.Sum256(append([]byte("intercom/sc/door/v1\x00"+name), inviter[:]...))
}

// Key is the secret of one epoch of a channel. It redacts itself wherever it is
// printed.
type Key [32]byte

// NewKey draws a key.
func NewKey() (k Key) {
	_, _ = rand.Read(k[:]) // never fails (crypto/rand)
	return k
}

const redacted = "sealed.Key(redacted)"

// String hides the key.
func (Key) String() string { return redacted }

// Format hides the key from every verb.
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue hides the key.
func (Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the key.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// KID names a key; it is derived from it and tells nothing about it.
type KID [16]byte

// String is the hexadecimal form.
func (k KID) String() string { return hex.EncodeToString(k[:]) }

// Derived is what a key is used as.
type Derived struct {
	KID        KID
	Topic      [32]byte // where the envelopes travel
	Rendezvous [32]byte // where members look for each other
	seal       cipher.AEAD
}

// Derive computes what the key means on a channel.
func (k Key) Derive(ch Channel) Derived {
	var d Derived
	copy(d.KID[:], k.expand(ch, "intercom/sc/v1/kid", len(d.KID)))
	copy(d.Topic[:], k.expand(ch, "intercom/sc/v1/topic", len(d.Topic)))
	copy(d.Rendezvous[:], k.expand(ch, "intercom/sc/v1/rdv", len(d.Rendezvous)))
	d.seal = newAEAD(k.expand(ch, "intercom/sc/v1/seal", chacha20poly1305.KeySize))
	return d
}

// expand is HKDF-SHA256 (RFC 5869), whose salt is the channel.
func (k Key) expand(ch Channel, info string, size int) []byte {
	out, err := hkdf.Key(sha256.New, k[:], ch[:], info, size)
	if err != nil { // only for sizes beyond 8160 bytes
		panic("sealed: " + err.Error())
	}
	return out
}

// newAEAD is XChaCha20-Poly1305 under a key of its size.
func newAEAD(key []byte) cipher.AEAD {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil { // only for another size
		panic("sealed: " + err.Error())
	}
	return aead
}
