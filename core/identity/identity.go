// Package identity is who a peer is: one Ed25519 key, the words it comes from,
// its address, and the file that keeps it.
//
// The key is transport key, wallet, author of entries and writer key at once,
// as upstream's peers need it. What keeps the uses apart is what is signed: our
// own signatures are over canon.Preimage, whose tag names the purpose; the few
// texts of upstream that must interoperate (message, invite, welcome) name their
// kind in canonical JSON.
//
// Guaranteed here: words, derivation, address, signatures and wallet files are
// upstream's to the letter (upstream 1); verification is as strict as
// libsodium's; secrets redact themselves wherever they are printed, logged or
// marshalled; a file is written whole or not at all, readable by its owner
// alone, and never over another. Asking people for passphrases and showing them
// their words is left to the command line.
package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"

	"github.com/tyler-smith/go-bip39"
)

// entropySize gives 24 words (upstream 1.2).
const entropySize = 32

// An Identity holds a secret key and, if it came from words, the words. It
// prints, logs and marshals as its address. It never changes and may be used
// from anywhere at once.
//
// The secret is held by a function: no print by reflection looks into one, while
// some of fmt's verbs follow a pointer.
type Identity struct{ secret func() *secret }

type secret struct {
	public PublicKey
	seed   [ed25519.SeedSize]byte
	key    ed25519.PrivateKey
	words  Mnemonic // none if the identity was made from a bare key
	prefix string   // of the derivation from words
	path   string
}

// Generate makes an identity from 32 bytes of random, crypto/rand if nil, and
// returns its 24 words for the owner to write down.
func Generate(random io.Reader) (*Identity, Mnemonic, error) {
	if random == nil {
		random = rand.Reader
	}
	entropy := make([]byte, entropySize)
	if _, err := io.ReadFull(random, entropy); err != nil {
		return nil, Mnemonic{}, fmt.Errorf("read randomness: %w", err)
	}
	words, err := bip39.NewMnemonic(entropy)
	if err != nil {
		return nil, Mnemonic{}, fmt.Errorf("make words: %w", err)
	}
	id, err := FromMnemonic(words)
	if err != nil {
		return nil, Mnemonic{}, err
	}
	return id, id.Mnemonic(), nil
}

// FromMnemonic derives the main network's identity from 12 or 24 English words.
// The fault tells what is wrong with them, never the words.
func FromMnemonic(words string) (*Identity, error) {
	return FromMnemonicAt(words, Prefix, DefaultPath)
}

// FromMnemonicAt derives an identity for another address prefix or path, as of
// the test network ("testtrac", "m/919'/0'/0'/0'").
func FromMnemonicAt(words, prefix, path string) (*Identity, error) {
	mnemonic, err := ParseMnemonic(words)
	if err != nil {
		return nil, err
	}
	steps, err := parsePath(path)
	if err != nil {
		return nil, err
	}
	seed, err := derive(mnemonic, prefix, steps)
	if err != nil {
		return nil, err
	}
	return fromWords(seed, mnemonic, prefix, formatPath(steps)), nil
}

// FromSeed makes the identity of a 32-byte Ed25519 seed (RFC 8032). It has no
// words.
func FromSeed(seed [ed25519.SeedSize]byte) *Identity {
	return fromWords(seed, Mnemonic{}, "", "")
}

// fromWords is the identity of a seed that was derived from words as told.
func fromWords(seed [ed25519.SeedSize]byte, words Mnemonic, prefix, path string) *Identity {
	key := ed25519.NewKeyFromSeed(seed[:])
	s := &secret{PublicKey(key[ed25519.SeedSize:]), seed, key, words, prefix, path}
	return &Identity{func() *secret { return s }}
}

// PublicKey is the name under which every other peer knows this one.
func (id *Identity) PublicKey() PublicKey { return id.secret().public }

// Mnemonic returns the words, or none if the identity was made from a bare key.
func (id *Identity) Mnemonic() Mnemonic { return id.secret().words }

// PrivateKey returns a copy of the 64-byte key, for the transport only.
func (id *Identity) PrivateKey() ed25519.PrivateKey {
	return append(ed25519.PrivateKey(nil), id.secret().key...)
}

// Sign returns the 64-byte signature of msg; it is the same for the same bytes.
// Never pass bytes that another party chose: pass canon.Preimage, or one of
// upstream's texts that carry their kind.
func (id *Identity) Sign(msg []byte) []byte { return ed25519.Sign(id.secret().key, msg) }

// String is the address.
func (id *Identity) String() string { return id.PublicKey().Address() }

// Format prints the address for every verb.
func (id *Identity) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, id.String()) }

// LogValue logs the address.
func (id *Identity) LogValue() slog.Value { return slog.StringValue(id.String()) }

// MarshalText is the address.
func (id *Identity) MarshalText() ([]byte, error) { return []byte(id.String()), nil }
