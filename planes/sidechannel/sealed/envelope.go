package sealed

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/chacha20poly1305"

	"intercom/core/canon"
	"intercom/core/identity"
)

const (
	envelopeTag     = "intercom/sc/envelope/v1"
	envelopeVersion = 0x01

	headSize  = 1 + 16 + chacha20poly1305.NonceSizeX // version, kid, nonce
	sigSize   = 64
	frontSize = sigSize + 4 // before the frame: esig and its length
	step      = 256         // the plaintext's length is a multiple of it

	// Overhead is how many bytes an envelope adds at most.
	Overhead = headSize + chacha20poly1305.Overhead + frontSize + step - 1
)

// Seal puts a frame into an envelope, signed by its author. The envelope travels
// on the key's topic.
func (d *Derived) Seal(author Signer, frame []byte) []byte {
	var nonce [chacha20poly1305.NonceSizeX]byte
	_, _ = rand.Read(nonce[:]) // never fails (crypto/rand)
	return d.sealWith(nonce[:], author, frame)
}

func (d *Derived) sealWith(nonce []byte, author Signer, frame []byte) []byte {
	plain := (frontSize + len(frame) + step - 1) / step * step
	out := make([]byte, headSize+plain, headSize+plain+chacha20poly1305.Overhead)
	out[0] = envelopeVersion
	copy(out[1:], d.KID[:])
	copy(out[1+len(d.KID):], nonce)
	body := out[headSize:]
	copy(body, author.Sign(d.signed(nonce, frame)))
	binary.BigEndian.PutUint32(body[sigSize:], uint32(len(frame)))
	copy(body[frontSize:], frame)
	return d.seal.Seal(out[:headSize], nonce, body, d.associated())
}

// signed is what an author's envelope signature is over.
func (d *Derived) signed(nonce, frame []byte) []byte {
	hash := sha256.Sum256(frame)
	return canon.Preimage(envelopeTag, d.Topic[:], d.KID[:], nonce, hash[:])
}

func (d *Derived) associated() []byte {
	aad := make([]byte, 0, 1+len(d.KID)+len(d.Topic))
	aad = append(aad, envelopeVersion)
	aad = append(aad, d.KID[:]...)
	return append(aad, d.Topic[:]...)
}

// Opened is a frame out of an envelope, whose author is still to be proven.
type Opened struct {
	Frame []byte
	KID   KID
	base  []byte // what esig is over
	esig  []byte
}

// By tells whether that author put the frame into this envelope.
func (o *Opened) By(author identity.PublicKey) bool { return identity.Verify(author, o.base, o.esig) }

// errSealed tells nothing: whoever lacks the key gets the same.
var errSealed = errors.New("not an envelope of a key at hand")

// KIDOf reads which key an envelope is under.
func KIDOf(envelope []byte) (kid KID, ok bool) {
	if len(envelope) < headSize || envelope[0] != envelopeVersion {
		return KID{}, false
	}
	copy(kid[:], envelope[1:])
	return kid, true
}

// Open takes the frame out of an envelope. It accepts the one form that Seal
// writes.
func (d *Derived) Open(envelope []byte) (*Opened, error) {
	kid, ok := KIDOf(envelope)
	body := len(envelope) - headSize - chacha20poly1305.Overhead
	if !ok || kid != d.KID || body < step || body%step != 0 {
		return nil, errSealed
	}
	nonce := envelope[1+len(d.KID) : headSize]
	plain, err := d.seal.Open(nil, nonce, envelope[headSize:], d.associated())
	if err != nil {
		return nil, errSealed
	}
	length := int(binary.BigEndian.Uint32(plain[sigSize:]))
	if length > len(plain)-frontSize || len(plain)-frontSize-length >= step || !zero(plain[frontSize+length:]) {
		return nil, errSealed
	}
	frame := plain[frontSize : frontSize+length : frontSize+length]
	return &Opened{Frame: frame, KID: kid, base: d.signed(nonce, frame), esig: plain[:sigSize]}, nil
}

func zero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}
