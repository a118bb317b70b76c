package log

import (
	"crypto/sha256"
	"encoding/binary"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// head is where the confirmed order ends. All but the height and the root is a
// leaf of the state, so every block with entries changes the root, also when
// all of them fail.
type head struct {
	height  int64    // of the newest block
	count   uint64   // entries confirmed, with the first
	blocks  uint64   // blocks that changed something
	order   bft.Hash // hash chain over ids and facts in confirmed order
	root    bft.Hash // of the state
	version uint64   // of the map: one more with each block
	base    uint64   // the version that a snapshot left; those below are parts of it
}

// leafKey is where the state tells the order.
var leafKey = []byte("lorder")

func (h head) leaf() []byte {
	out := binary.BigEndian.AppendUint64(nil, h.count)
	out = binary.BigEndian.AppendUint64(out, h.blocks)
	return append(out, h.order[:]...)
}

const leafSize = 8 + 8 + 32

// append adds an entry to the order. The facts are hashed with the id: a newcomer
// takes them from a snapshot, and checks new entries against them.
func (h *head) append(id feed.ID, f facts) {
	h.count++
	h.order = sha256.Sum256(append(append(h.order[:], id[:]...), f.encode()...))
}

// decodeLeaf reads what the state says of the order.
func decodeLeaf(raw []byte) (h head, err error) {
	if len(raw) != leafSize {
		return head{}, damaged("order")
	}
	return head{
		count: binary.BigEndian.Uint64(raw), blocks: binary.BigEndian.Uint64(raw[8:]), order: bft.Hash(raw[16:]),
	}, nil
}

const headSize = 8 + leafSize + 32 + 8 + 8

func (h head) encode() []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(h.height))
	out = append(append(out, h.leaf()...), h.root[:]...)
	out = binary.BigEndian.AppendUint64(out, h.version)
	return binary.BigEndian.AppendUint64(out, h.base)
}

func decodeHead(raw []byte) (h head, err error) {
	if len(raw) != headSize {
		return head{}, damaged("head")
	}
	h.height = int64(binary.BigEndian.Uint64(raw))
	h.count, h.blocks = binary.BigEndian.Uint64(raw[8:]), binary.BigEndian.Uint64(raw[16:])
	h.order, h.root = bft.Hash(raw[24:56]), bft.Hash(raw[56:88])
	h.version, h.base = binary.BigEndian.Uint64(raw[88:]), binary.BigEndian.Uint64(raw[96:])
	return h, nil
}

// facts is what is kept of a confirmed entry: what its children are checked
// against, and the block that it stands in.
type facts struct {
	block, height, seq uint64
	author             identity.PublicKey
}

const factsSize = 3*8 + 32

func (f facts) encode() []byte {
	out := binary.BigEndian.AppendUint64(nil, f.block)
	out = binary.BigEndian.AppendUint64(out, f.height)
	out = binary.BigEndian.AppendUint64(out, f.seq)
	return append(out, f.author[:]...)
}

func decodeFacts(raw []byte) (facts, error) {
	if len(raw) != factsSize {
		return facts{}, damaged("index")
	}
	number := func(at int) uint64 { return binary.BigEndian.Uint64(raw[at:]) }
	return facts{number(0), number(8), number(16), identity.PublicKey(raw[24:])}, nil
}

// The keys of a place; numbers are 8 bytes big endian.
//
//	h            the head
//	c id         facts of a confirmed entry
//	o number     roll of the entries that a block confirmed, by the first one's number
//	p height id  nothing: an entry that is not confirmed
//	n            how many entries of the feed are confirmed or in p
const (
	keyHead      = 'h'
	keyConfirmed = 'c'
	keyOrder     = 'o'
	keyPending   = 'p'
	keySeen      = 'n'
)

func confirmedKey(id feed.ID) []byte { return append([]byte{keyConfirmed}, id[:]...) }

func orderKey(number uint64) []byte {
	return binary.BigEndian.AppendUint64([]byte{keyOrder}, number)
}

func pendingKey(at feed.Position) []byte {
	return append(binary.BigEndian.AppendUint64([]byte{keyPending}, at.Height), at.ID[:]...)
}

func pendingPosition(key []byte) feed.Position {
	return feed.Position{Height: binary.BigEndian.Uint64(key[1:]), ID: feed.ID(key[9:])}
}

func damaged(what string) error {
	return fault.New(fault.Unavailable, "the log's %s is damaged", what).
		WithHint("restore the store from a copy, or start with an empty one")
}
