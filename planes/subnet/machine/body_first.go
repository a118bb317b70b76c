package machine

import (
	"crypto/sha256"

	"intercom/core/canon"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// Limits of a first entry and of membership.
const (
	// MaxIndexers is how many indexers a subnet has at most.
	MaxIndexers = 64
	// MaxInline is the size of a document that fits into the first entry.
	MaxInline = 4 << 10
	// MaxDocument is the size of one that comes in chunks.
	MaxDocument = 1 << 20
	// ChunkSize is the size of every chunk but the last.
	ChunkSize = 15 << 10

	maxFirstIndexers = 16
	maxFirstWriters  = 32
)

type (
	// An Indexer is a writer whose validator key confirms entries.
	Indexer struct {
		Author identity.PublicKey
		Key    identity.PublicKey // of the engine, not the author's
	}
	// A Document is bytes that the first entry names: inside it, or, when Inline is
	// empty, in the chunks that follow it.
	Document struct {
		Hash   [sha256.Size]byte
		Size   uint64
		Inline []byte
	}
	// Settlement is the network that a subnet's transactions are paid on.
	Settlement struct {
		Network string   // its name, as its transactions carry it
		Genesis Document // for those who follow it
		Trust   Document // whom the genesis makes one believe, for the port
	}
	// First is the first entry: all that a subnet begins with, and, through the
	// bootstrap key that signs it, all that a newcomer has to believe.
	First struct {
		Contract   contract.Version
		Chain      Document // the genesis of the subnet's own chain
		Settlement *Settlement
		Indexers   []Indexer            // ascending by author, the validators of Chain
		Writers    []identity.PublicKey // beside the author and the indexers; ascending
	}
	// Chunk is a part of a document of the first entry; the bootstrap author's.
	Chunk struct {
		Document [sha256.Size]byte
		Index    uint64
		Data     []byte
	}
)

// DocumentOf names bytes; those that are not too many stand in the document.
func DocumentOf(raw []byte) Document {
	d := Document{Hash: sha256.Sum256(raw), Size: uint64(len(raw))}
	if len(raw) <= MaxInline {
		d.Inline = raw
	}
	return d
}

// Chunks gives the entries' bodies that bring bytes which do not fit into the first.
func Chunks(raw []byte) []*Chunk {
	hash := sha256.Sum256(raw)
	var chunks []*Chunk
	for i := uint64(0); len(raw) > 0; i++ {
		n := min(len(raw), ChunkSize)
		chunks = append(chunks, &Chunk{hash, i, raw[:n]})
		raw = raw[n:]
	}
	return chunks
}

// FeedOf is the feed of the subnet with that bootstrap key.
func FeedOf(bootstrap identity.PublicKey) feed.FeedID {
	return sha256.Sum256(canon.Preimage("intercom/subnet/feed/v1", bootstrap[:]))
}

func (*First) Kind() Kind { return KindFirst }
func (*Chunk) Kind() Kind { return KindChunk }

func (b *First) code(c *coder) {
	c.fixed("contract", b.Contract[:])
	b.Chain.code(c)
	settles := b.Settlement != nil
	c.flag("settlement", &settles)
	if settles && c.err == nil {
		if c.reading {
			b.Settlement = new(Settlement)
		}
		c.text("network", &b.Settlement.Network, 1, 50)
		b.Settlement.Genesis.code(c)
		b.Settlement.Trust.code(c)
	}
	b.members(c)
}

func (b *First) members(c *coder) {
	c.count("indexers", len(b.Indexers), maxFirstIndexers, func(n int) { b.Indexers = make([]Indexer, n) })
	if c.err == nil && len(b.Indexers) == 0 {
		c.wrong("a subnet has at least one indexer")
	}
	keys := map[identity.PublicKey]bool{}
	for i := range b.Indexers {
		c.key("author", &b.Indexers[i].Author)
		c.key("validator key", &b.Indexers[i].Key)
		if i > 0 && !less(b.Indexers[i-1].Author, b.Indexers[i].Author) || keys[b.Indexers[i].Key] {
			c.wrong("the indexers are not in order, or one is there twice")
		}
		if c.err != nil {
			return
		}
		keys[b.Indexers[i].Key] = true
	}
	c.count("writers", len(b.Writers), maxFirstWriters, func(n int) { b.Writers = make([]identity.PublicKey, n) })
	for i := range b.Writers {
		c.key("writer", &b.Writers[i])
		if i > 0 && !less(b.Writers[i-1], b.Writers[i]) {
			c.wrong("the writers are not in order, or one is there twice")
		}
		if c.err != nil {
			return
		}
	}
}

func (d *Document) code(c *coder) {
	c.fixed("hash", d.Hash[:])
	c.number("size", &d.Size)
	c.bytes("document", &d.Inline, 0, MaxInline)
	switch {
	case c.err != nil:
	case d.Size == 0 || d.Size > MaxDocument:
		c.wrong("a document has 1 to %d bytes, not %d", MaxDocument, d.Size)
	case (len(d.Inline) == 0) != (d.Size > MaxInline):
		c.wrong("a document of %d bytes is inside up to %d, else in chunks", d.Size, MaxInline)
	case len(d.Inline) > 0 && (sha256.Sum256(d.Inline) != d.Hash || uint64(len(d.Inline)) != d.Size):
		c.wrong("a document does not have its hash")
	}
}

func (b *Chunk) code(c *coder) {
	c.fixed("document", b.Document[:])
	c.number("index", &b.Index)
	c.bytes("data", &b.Data, 1, ChunkSize)
}
