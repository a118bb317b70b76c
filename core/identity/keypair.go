package identity

import (
	"encoding/json"
	"runtime/debug"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/nacl/secretbox"

	"intercom/core/fault"
)

// Upstream's key derivation is libsodium's crypto_pwhash with Argon2i v1.3 at
// fixed costs (upstream 1.5): 256 MiB and about a second. Nothing in a file can
// change them.
const (
	keypairPasses    = 3
	keypairMemoryKiB = 256 << 10
	keypairLanes     = 1
	keypairSalt      = 16
	keypairNonce     = 24
)

// keypairBox is the outer form of keypair.json.
type keypairBox struct {
	Nonce      hexText `json:"nonce"`
	Salt       hexText `json:"salt"`
	Ciphertext hexText `json:"ciphertext"`
}

// DecodeKeypair reads upstream's keypair.json as wallets 1.0.x and 2.x write it.
// Unlike 1.0.x it refuses a file whose parts do not belong together. It takes
// 256 MiB for about a second. Faults: denied for a wrong password or a changed
// file, invalid otherwise.
func DecodeKeypair(data, password []byte) (*Identity, error) {
	box, err := parseKeypairBox(data)
	if err != nil {
		return nil, err
	}
	plain, ok := secretbox.Open(nil, box.Ciphertext, (*[keypairNonce]byte)(box.Nonce), box.key(password))
	if !ok {
		return nil, fault.New(fault.Denied, "Failed to decrypt data. Invalid key or corrupted data.").
			WithHint("check the password; intercom's own wallets have none")
	}
	return parseKeypair(plain)
}

func parseKeypairBox(data []byte) (*keypairBox, error) {
	var box keypairBox
	if len(data) > maxFile || json.Unmarshal(data, &box) != nil ||
		len(box.Nonce) != keypairNonce || len(box.Salt) != keypairSalt || len(box.Ciphertext) < secretbox.Overhead {
		return nil, notKeypair()
	}
	return &box, nil
}

func notKeypair() error {
	return fault.New(fault.Invalid, "Could not decrypt keyfile. Data is invalid or corrupted").
		WithHint("give an upstream keypair.json: an object with nonce, salt and ciphertext")
}

func (b *keypairBox) key(password []byte) *[32]byte {
	defer debug.FreeOSMemory() // see sealing.key
	return (*[32]byte)(argon2.Key(password, b.Salt, keypairPasses, keypairMemoryKiB, keypairLanes, 32))
}

// KeypairForm is which of upstream's wallets an export is written for. Either
// reads both; the second form tells the address prefix too.
type KeypairForm int

const (
	Wallet1 KeypairForm = iota // wallet 1.0.x, which upstream's intercom uses
	Wallet2                    // wallet 2.x
)

// EncodeKeypair writes the identity as upstream's keypair.json. It takes 256 MiB
// for about a second.
func EncodeKeypair(id *Identity, password []byte, form KeypairForm) ([]byte, error) {
	plain, err := formatKeypair(id, form)
	if err != nil {
		return nil, err
	}
	box := keypairBox{Nonce: random(keypairNonce), Salt: random(keypairSalt)}
	box.Ciphertext = secretbox.Seal(nil, plain, (*[keypairNonce]byte)(box.Nonce), box.key(password))
	return json.Marshal(box)
}
