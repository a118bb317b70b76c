package identity

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"intercom/core/canon"
)

const (
	sealKDF    = "argon2id"
	sealCipher = "xchacha20-poly1305"
	sealTag    = "intercom/identity/seal/v1"
	sealSalt   = 16

	// What a file may ask for. The bounds keep a damaged or hostile file from
	// taking the machine; they leave room to raise the cost for years.
	maxPasses    = 64
	maxMemoryKiB = 1 << 20
	maxLanes     = 16
)

// sealing says how the secret of a file is sealed, so that files written with
// other costs open too.
type sealing struct {
	KDF string `json:"kdf"`
	cost
	Salt   hexText `json:"salt"`
	Cipher string  `json:"cipher"`
	Nonce  hexText `json:"nonce"`
}

// cost is what one guess at the passphrase costs (RFC 9106).
type cost struct {
	Passes    uint32 `json:"passes"`
	MemoryKiB uint32 `json:"memoryKiB"`
	Lanes     uint8  `json:"lanes"`
}

// defaultCost is the second recommendation of RFC 9106: 64 MiB, about 0.2 s.
var defaultCost = cost{Passes: 3, MemoryKiB: 64 << 10, Lanes: 4}

func (s *sealing) check() error {
	switch {
	case s.KDF != sealKDF || s.Cipher != sealCipher:
		return fmt.Errorf("%.32q with %.32q is not a known sealing", s.KDF, s.Cipher)
	case len(s.Salt) != sealSalt || len(s.Nonce) != chacha20poly1305.NonceSizeX:
		return fmt.Errorf("salt or nonce have a wrong length")
	case s.Passes < 1 || s.Passes > maxPasses, s.Lanes < 1 || s.Lanes > maxLanes,
		s.MemoryKiB < 8*uint32(s.Lanes) || s.MemoryKiB > maxMemoryKiB:
		return fmt.Errorf("its key derivation costs are out of bounds")
	}
	return nil
}

// seal puts the secret into the file under a key derived from the passphrase.
func (f *file) seal(c content, passphrase []byte, cost cost) error {
	f.Sealing = &sealing{KDF: sealKDF, cost: cost, Salt: random(sealSalt), Cipher: sealCipher, Nonce: random(chacha20poly1305.NonceSizeX)}
	plain, err := json.Marshal(c)
	if err != nil {
		return err
	}
	aead, err := chacha20poly1305.NewX(f.Sealing.key(passphrase))
	if err != nil {
		return err
	}
	f.Sealed = aead.Seal(nil, f.Sealing.Nonce, plain, f.bound())
	return nil
}

// unseal is the reverse; the file's sealing is checked already.
func (f *file) unseal(passphrase []byte) (c content, err error) {
	aead, err := chacha20poly1305.NewX(f.Sealing.key(passphrase))
	if err != nil {
		return c, err
	}
	plain, err := aead.Open(nil, f.Sealing.Nonce, f.Sealed, f.bound())
	if err != nil {
		return c, err
	}
	return c, decodeStrict(plain, &c)
}

// bound is what the seal covers besides the secret: nothing beside it can be
// changed without the passphrase.
func (f *file) bound() []byte {
	s := f.Sealing
	costs := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, s.Passes), s.MemoryKiB)
	return canon.Preimage(sealTag, f.PublicKey[:], []byte(f.Address), []byte(s.KDF), append(costs, s.Lanes), s.Salt, []byte(s.Cipher))
}

func (s *sealing) key(passphrase []byte) []byte {
	defer debug.FreeOSMemory() // a peer runs for months; it should not keep what one derivation took
	return argon2.IDKey(passphrase, s.Salt, s.Passes, s.MemoryKiB, s.Lanes, chacha20poly1305.KeySize)
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return b
}
