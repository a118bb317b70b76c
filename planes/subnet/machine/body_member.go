package machine

import (
	"bytes"
	"encoding/binary"

	"intercom/core/canon"
	"intercom/core/identity"
)

// A Signer signs for a key; an identity is one.
type Signer interface {
	PublicKey() identity.PublicKey
	Sign(message []byte) []byte
}

type (
	// AddIndexer makes a key an indexer, and a writer if it is none, or gives an
	// indexer another validator key, as when it lost its store; the admin's. With an
	// absent one the subnet may stand still for good, so it consents
	// itself, and whoever writes this makes sure that it is there.
	AddIndexer struct{ Consent Consent }
	// A Consent is a future indexer's word, for one subnet and one validator key,
	// good for blocks up to a height; see [Consent.Sign].
	Consent struct {
		Indexer Indexer
		Until   uint64
		Sig     [64]byte
	}
	// RemoveIndexer takes an indexer's vote; it stays a writer. The admin's, and the
	// indexer's own.
	RemoveIndexer struct{ Author identity.PublicKey }
	// Join makes a key a writer because it asked for it, while the admin lets writers
	// admit others. Any writer may bring the request in.
	Join struct{ Request Request }
	// A Request is a key's wish to write in one subnet, good for blocks up to a
	// height; see [Request.Sign].
	Request struct {
		Key   identity.PublicKey
		Until uint64
		Sig   [64]byte
	}
)

func consentPreimage(subnet identity.PublicKey, s Consent) []byte {
	return canon.Preimage("intercom/subnet/indexer/v1", subnet[:], s.Indexer.Author[:], s.Indexer.Key[:],
		binary.BigEndian.AppendUint64(nil, s.Until))
}

// Sign consents, as the indexer's author, for that subnet and for no other.
func (s Consent) Sign(signer Signer, subnet identity.PublicKey) Consent {
	s.Indexer.Author = signer.PublicKey()
	copy(s.Sig[:], signer.Sign(consentPreimage(subnet, s)))
	return s
}

func (s Consent) holds(subnet identity.PublicKey) bool {
	return identity.Verify(s.Indexer.Author, consentPreimage(subnet, s), s.Sig[:])
}

func requestPreimage(subnet identity.PublicKey, r Request) []byte {
	return canon.Preimage("intercom/subnet/join/v1", subnet[:], r.Key[:], binary.BigEndian.AppendUint64(nil, r.Until))
}

// Sign asks, as the key, for that subnet and for no other.
func (r Request) Sign(signer Signer, subnet identity.PublicKey) Request {
	r.Key = signer.PublicKey()
	copy(r.Sig[:], signer.Sign(requestPreimage(subnet, r)))
	return r
}

func (r Request) holds(subnet identity.PublicKey) bool {
	return identity.Verify(r.Key, requestPreimage(subnet, r), r.Sig[:])
}

func (*AddIndexer) Kind() Kind    { return KindAddIndexer }
func (*RemoveIndexer) Kind() Kind { return KindRemoveIndexer }
func (*Join) Kind() Kind          { return KindJoin }

func (b *RemoveIndexer) code(c *coder) { c.key("author", &b.Author) }
func (b *AddIndexer) code(c *coder) {
	c.key("author", &b.Consent.Indexer.Author)
	c.key("validator key", &b.Consent.Indexer.Key)
	c.number("until", &b.Consent.Until)
	c.fixed("signature", b.Consent.Sig[:])
}

func (b *Join) code(c *coder) {
	c.key("key", &b.Request.Key)
	c.number("until", &b.Request.Until)
	c.fixed("signature", b.Request.Sig[:])
}

func less(a, b identity.PublicKey) bool { return bytes.Compare(a[:], b[:]) < 0 }
