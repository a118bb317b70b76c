package bus

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"

	"intercom/core/canon"
	"intercom/core/identity"
)

// Limits of a transaction.
const (
	// MaxTx is the most bytes a transaction has.
	MaxTx = 1024
	// MaxNetwork is the most characters the name of a network has.
	MaxNetwork = 50
	// MaxLife is how many heights a transaction may be valid for. What was not
	// taken until then never will be, so a lost one is not feared for ever.
	MaxLife = 10_000
)

// tagTx opens what is signed; see [Tx.Preimage].
const tagTx = "intercom/msb/tx/v1"

// An ID names a transaction: SHA-256 of what its requester signed. Two signatures
// of one transaction are one transaction.
type ID [sha256.Size]byte

// String is the lower-case hexadecimal form.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// A Nonce makes equal transactions different; it is random.
type Nonce [16]byte

// NewNonce makes a nonce.
func NewNonce() (n Nonce) {
	_, _ = rand.Read(n[:]) // it does not fail
	return n
}

// A Tx is what a requester wants, bound to the network, to itself and to a time.
type Tx struct {
	Network   string             // at most MaxNetwork characters, and not empty
	Requester identity.PublicKey // [Tx.Sign] sets it
	Nonce     Nonce              // not zero
	Expiry    uint64             // the last height whose block may hold it
	Body      Body
}

// Preimage is what the requester signs, and what stands on the wire before the
// 64 bytes of the signature:
//
//	canon.Preimage("intercom/msb/tx/v1", network, kind (1 byte), requester,
//		nonce, expiry (u64be), fields of the body…)
func (tx *Tx) Preimage() []byte {
	fields := [][]byte{
		[]byte(tx.Network), {byte(tx.Body.kind())}, tx.Requester[:], tx.Nonce[:],
		binary.BigEndian.AppendUint64(nil, tx.Expiry),
	}
	return canon.Preimage(tagTx, append(fields, tx.Body.fields()...)...)
}

// A Signer signs for a key; an identity is one.
type Signer interface {
	PublicKey() identity.PublicKey
	Sign(message []byte) []byte
}

// Sign makes the transaction the signer's own and signs it.
func (tx Tx) Sign(signer Signer) *Signed {
	tx.Requester = signer.PublicKey()
	preimage := tx.Preimage()
	s := &Signed{Tx: tx, ID: ID(sha256.Sum256(preimage)), preimage: preimage}
	copy(s.Signature[:], signer.Sign(preimage))
	return s
}

// Signed is a transaction with its signature. It does not change.
type Signed struct {
	Tx
	ID        ID
	Signature [64]byte

	preimage []byte
}

// Encode gives the bytes on the wire.
func (s *Signed) Encode() []byte {
	out := make([]byte, 0, len(s.preimage)+len(s.Signature))
	return append(append(out, s.preimage...), s.Signature[:]...)
}

// verify checks every signature in the transaction: its requester's, and that of
// the key it claims control of.
func (s *Signed) verify() Result {
	if !identity.Verify(s.Requester, s.preimage, s.Signature[:]) {
		return refuse(TxSignatureInvalid, "Invalid signature in payload.")
	}
	claim, ok := s.Body.(claimant)
	if !ok {
		return Result{}
	}
	if key, preimage, proof := claim.claim(s.Network, s.Requester); !identity.Verify(key, preimage, proof[:]) {
		return refuse(ControlProofInvalid, "The proof of control of key %s does not hold.", key)
	}
	return Result{}
}
