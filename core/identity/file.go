package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"intercom/core/canon"
	"intercom/core/fault"
)

const (
	fileFormat  = "intercom-identity"
	fileVersion = 1
	checkTag    = "intercom/identity/check/v1"
)

// A file is identity.json, version 1. Exactly one of Secret and Sealed is there:
// without a passphrase the secret stands in the clear, kept by the file's mode
// alone; with one it is sealed by a key derived as Sealing says.
type file struct {
	Format    string    `json:"format"`
	Version   int       `json:"version"`
	PublicKey PublicKey `json:"publicKey"`
	Address   string    `json:"address"` // for people; publicKey rules
	Secret    *content  `json:"secret,omitempty"`
	Sealing   *sealing  `json:"sealing,omitempty"`
	Sealed    hexText   `json:"sealed,omitempty"`
}

// content is the secret part: the Ed25519 seed and, if there are any, the words
// that it was derived from and how.
type content struct {
	Seed     hexText `json:"seed"`
	Mnemonic string  `json:"mnemonic,omitempty"`
	Prefix   string  `json:"addressPrefix,omitempty"`
	Path     string  `json:"derivationPath,omitempty"`
	Check    hexText `json:"check"` // SHA-256 over the members above: a damaged file must not pass
}

func (c content) sum() []byte {
	sum := sha256.Sum256(canon.Preimage(checkTag, c.Seed, []byte(c.Mnemonic), []byte(c.Prefix), []byte(c.Path)))
	return sum[:]
}

// encodeFile writes an identity as a file, sealed if there is a passphrase.
func encodeFile(id *Identity, passphrase []byte, cost cost) ([]byte, error) {
	s := id.secret()
	c := content{Seed: s.seed[:], Mnemonic: s.words.Reveal(), Prefix: s.prefix, Path: s.path}
	c.Check = c.sum()
	f := file{Format: fileFormat, Version: fileVersion, PublicKey: s.public, Address: s.public.Address()}
	if len(passphrase) == 0 {
		f.Secret = &c
	} else if err := f.seal(c, passphrase, cost); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(data, '\n'), nil
}

// decodeFile reads and checks all that can be checked without a passphrase.
func decodeFile(path string, data []byte) (*file, error) {
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil || head.Format != fileFormat {
		return nil, damaged(path, "it is not an identity file")
	}
	if head.Version != fileVersion {
		return nil, fault.New(fault.Invalid, "identity %q has version %d, this program knows version %d", path, head.Version, fileVersion).
			WithHint("open it with the version of intercom that wrote it, or a newer one")
	}
	var f file
	if err := decodeStrict(data, &f); err != nil {
		return nil, damaged(path, "its members are not those of an identity file")
	}
	inClear := f.Secret != nil && f.Sealing == nil && f.Sealed == nil
	sealed := f.Secret == nil && f.Sealing != nil && f.Sealed != nil
	if !inClear && !sealed {
		return nil, damaged(path, "it holds no secret, or two")
	}
	if sealed {
		if err := f.Sealing.check(); err != nil {
			return nil, damaged(path, err.Error())
		}
	}
	return &f, nil
}

// open gets the identity out, with the passphrase if it is sealed.
func (f *file) open(path string, passphrase []byte) (*Identity, error) {
	switch {
	case f.Sealing == nil && len(passphrase) > 0:
		return nil, fault.New(fault.Invalid, "a passphrase is given, but identity %q is not protected by one", path).
			WithHint("leave --passphrase-file out")
	case f.Sealing == nil:
		return f.identity(path, *f.Secret)
	case len(passphrase) == 0:
		return nil, fault.New(fault.Denied, "identity %q is protected by a passphrase", path).
			WithHint("name the file that holds it with --passphrase-file")
	}
	c, err := f.unseal(passphrase)
	if err != nil {
		return nil, fault.New(fault.Denied, "the passphrase does not open identity %q", path).
			WithHint("check the passphrase; if it is right the file was damaged: restore the identity from its words in another store")
	}
	return f.identity(path, c)
}

// identity builds the identity and checks that all parts belong together.
func (f *file) identity(path string, c content) (*Identity, error) {
	if !bytes.Equal(c.Check, c.sum()) || len(c.Seed) != 32 {
		return nil, damaged(path, "its checksum is wrong")
	}
	id := FromSeed([32]byte(c.Seed))
	if id.PublicKey() != f.PublicKey {
		return nil, damaged(path, "its public key is not the one of its secret key")
	}
	if c.Mnemonic == "" {
		return id, nil
	}
	words, err := ParseMnemonic(c.Mnemonic)
	if err != nil {
		return nil, damaged(path, "its words are wrong")
	}
	return fromWords([32]byte(c.Seed), words, c.Prefix, c.Path), nil
}

func damaged(path, what string) error {
	return fault.New(fault.Invalid, "identity %q is damaged: %s", path, what).
		WithHint("put a backup of the file back, or restore the identity from its words in another store")
}

// decodeStrict decodes exactly one JSON value without members unknown to v.
func decodeStrict(data []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("more text after the value")
	}
	return nil
}

// hexText is bytes that are lower-case hexadecimal in JSON.
type hexText []byte

func (h hexText) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h), nil }

func (h *hexText) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}
