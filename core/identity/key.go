package identity

import (
	"crypto/ed25519"
	"encoding/hex"

	"intercom/core/fault"
)

// A PublicKey is a peer's Ed25519 public key. As text it is 64 hexadecimal
// digits, written in lower case and read in either.
type PublicKey [ed25519.PublicKeySize]byte

// ParsePublicKey reads the hexadecimal form. It checks the form only: whether
// the bytes are a usable key is for [Verify].
func ParsePublicKey(text string) (PublicKey, error) {
	var key PublicKey
	if len(text) != hex.EncodedLen(len(key)) {
		return PublicKey{}, fault.New(fault.Invalid, "public key %s has %d characters, not 64", quoteShort(text), len(text)).
			WithHint("pass the 64 hexadecimal digits that info shows as peerPubkey")
	}
	if _, err := hex.Decode(key[:], []byte(text)); err != nil {
		return PublicKey{}, fault.New(fault.Invalid, "public key %q is not hexadecimal", text).
			WithHint("pass the 64 hexadecimal digits that info shows as peerPubkey")
	}
	return key, nil
}

// String is the lower-case hexadecimal form.
func (k PublicKey) String() string { return hex.EncodeToString(k[:]) }

// Address is the main network's "trac1…" form: the key itself, not a hash.
func (k PublicKey) Address() string { return encodeAddress(Prefix, k) }

// IsZero tells whether the key was never set.
func (k PublicKey) IsZero() bool { return k == PublicKey{} }

// MarshalText is the hexadecimal form.
func (k PublicKey) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

// UnmarshalText reads the hexadecimal form.
func (k *PublicKey) UnmarshalText(text []byte) error {
	parsed, err := ParsePublicKey(string(text))
	if err != nil {
		return err
	}
	*k = parsed
	return nil
}
