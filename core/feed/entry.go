package feed

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/identity"
)

// The bounds of one entry.
const (
	MaxParents = 16
	MaxBody    = 16 << 10
	MaxEntry   = fixedSize + MaxParents*sha256.Size + MaxBody // bytes of its encoding
)

const (
	tag          = "intercom/feed/entry/v1"
	sigSize      = 64
	fixedSize    = 2 + len(tag) + 7*4 + 32 + 32 + 8 + 8 + 8 + sigSize
	numbersBelow = 1 << 53 // seq, height and ts are exact in JSON
)

// ID names an entry by its content.
type ID [32]byte

// FeedID names a feed.
type FeedID [32]byte

// String is the id in lower-case hex.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// String is the feed's id in lower-case hex.
func (id FeedID) String() string { return hex.EncodeToString(id[:]) }

// ParseID reads what [ID.String] wrote.
func ParseID(text string) (ID, error) {
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != len(ID{}) {
		return ID{}, fault.New(fault.Invalid, "%q is no entry id", text).
			WithHint("an id is 64 hex digits")
	}
	return ID(raw), nil
}

// Entry is one signed statement of an author in a feed. It is not changed once
// it is signed.
type Entry struct {
	Feed    FeedID
	Author  identity.PublicKey
	Seq     uint64 // 0 for the author's first, then one more each time
	Height  uint64 // 1 without parents, else one more than the greatest parent's
	Parents []ID   // at most MaxParents; the author's previous entry first
	TS      int64  // the author's clock, ms since 1970
	Body    []byte // at most MaxBody
	Sig     [64]byte
}

// Position is an entry's place in the order of its feed. The zero Position
// stands before everything.
type Position struct {
	Height uint64
	ID     ID
}

// end stands behind every entry.
var end = Position{Height: math.MaxUint64}

// Compare tells which position comes first: -1, 0 or 1.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Height, q.Height), bytes.Compare(p.ID[:], q.ID[:]))
}

// ID is the SHA-256 of the entry's preimage.
func (e *Entry) ID() ID { return hash(e.Preimage()) }

func hash(preimage []byte) ID { return sha256.Sum256(preimage) }

// Position is the entry's place in the order of its feed.
func (e *Entry) Position() Position { return Position{e.Height, e.ID()} }

// Preimage is what is hashed and signed: the encoding without the signature.
func (e *Entry) Preimage() []byte {
	number := func(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
	parents := make([]byte, 0, len(e.Parents)*len(ID{}))
	for _, parent := range e.Parents {
		parents = append(parents, parent[:]...)
	}
	return canon.Preimage(tag, e.Feed[:], e.Author[:], number(e.Seq), number(e.Height), parents, number(uint64(e.TS)), e.Body)
}

// Encode gives the one form in which an entry is stored and sent.
func (e *Entry) Encode() []byte { return append(e.Preimage(), e.Sig[:]...) }

// check tells whether the entry keeps the rules that can be read from it
// alone, but for its signature.
func (e *Entry) check() error {
	switch {
	case len(e.Body) > MaxBody:
		return invalid("a body of %d bytes", len(e.Body))
	case len(e.Parents) > MaxParents:
		return invalid("%d parents", len(e.Parents))
	case e.Seq >= numbersBelow || e.Height >= numbersBelow || e.TS < 0 || e.TS >= numbersBelow:
		return invalid("seq %d, height %d, ts %d", e.Seq, e.Height, e.TS)
	case len(e.Parents) == 0 && (e.Seq != 0 || e.Height != 1):
		return invalid("no parents, but seq %d and height %d", e.Seq, e.Height)
	case len(e.Parents) > 0 && e.Height < 2:
		return invalid("parents, but height %d", e.Height)
	}
	for i, parent := range e.Parents {
		for _, other := range e.Parents[:i] {
			if parent == other {
				return invalid("parent %s twice", parent)
			}
		}
	}
	return nil
}

// verify checks the signature over the preimage.
func (e *Entry) verify(preimage []byte) error {
	if !identity.Verify(e.Author, preimage, e.Sig[:]) {
		return invalid("a signature that is not %s's", e.Author)
	}
	return nil
}

// invalid is the fault of an entry that breaks a rule.
func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, "an entry with "+format, args...).
		WithHint("whoever sent it is broken or hostile: drop it")
}
