package merkle

import (
	"encoding/binary"
	"slices"
)

// The tree is stored in pages of four levels: a page has sixteen places, each
// with nothing, a leaf or a further page. A page that is reached has at least
// two leaves in or below it. Pages and leaves get ascending numbers and never
// change, so that a reader of an older version is not disturbed by a writer,
// and a cached page is never wrong.

type kind byte

const (
	none kind = iota
	leaf
	inner
)

// A ref is a place of the tree and what is there.
type ref struct {
	kind kind
	hash Hash
	id   uint64 // 0: made in an update and not written yet

	page  *page  // of an inner place that is not written
	entry *entry // of a leaf that is not written
}

type page [16]ref

// An entry is a key with its value.
type entry struct {
	path       Hash
	key, value []byte
}

// node is the root of the part of a page from place lo up to hi, by the rule of
// the tree.
func (p *page) node(lo, hi int) (kind, Hash) {
	if hi-lo == 1 {
		return p[lo].kind, p[lo].sum()
	}
	mid := (lo + hi) / 2
	leftKind, left := p.node(lo, mid)
	rightKind, right := p.node(mid, hi)
	switch {
	case rightKind == none && leftKind != inner:
		return leftKind, left
	case leftKind == none && rightKind != inner:
		return rightKind, right
	default:
		return inner, innerHash(left, right)
	}
}

func (r *ref) sum() Hash {
	if r.kind == none {
		return Empty
	}
	return r.hash
}

// sealed is the place that the page takes above: itself, or its only leaf, or
// nothing.
func (p *page) sealed() ref {
	kind, hash := p.node(0, len(p))
	switch kind {
	case inner:
		return ref{kind: inner, hash: hash, page: p}
	case leaf:
		return p[slices.IndexFunc(p[:], func(r ref) bool { return r.kind == leaf })]
	default:
		return ref{}
	}
}

// A page on disk: the places in use, those of them that are leaves, and for each
// place in use hash and number.

func (p *page) encode() []byte {
	var used, leaves uint16
	out := make([]byte, 4, 4+len(p)*(len(Hash{})+8))
	for i := range p {
		r := &p[i]
		if r.kind == none {
			continue
		}
		used |= 1 << i
		if r.kind == leaf {
			leaves |= 1 << i
		}
		out = append(out, r.hash[:]...)
		out = binary.BigEndian.AppendUint64(out, r.id)
	}
	binary.BigEndian.PutUint16(out, used)
	binary.BigEndian.PutUint16(out[2:], leaves)
	return out
}

func decodePage(raw []byte) (*page, bool) {
	if len(raw) < 4 {
		return nil, false
	}
	used, leaves := binary.BigEndian.Uint16(raw), binary.BigEndian.Uint16(raw[2:])
	raw = raw[4:]
	p := new(page)
	for i := range p {
		if used&(1<<i) == 0 {
			continue
		}
		if len(raw) < len(Hash{})+8 {
			return nil, false
		}
		r := &p[i]
		r.kind = inner
		if leaves&(1<<i) != 0 {
			r.kind = leaf
		}
		raw = raw[copy(r.hash[:], raw):]
		r.id = binary.BigEndian.Uint64(raw)
		raw = raw[8:]
	}
	return p, len(raw) == 0
}

// A leaf on disk: the length of the key, the key, the value.

func (e *entry) encode() []byte {
	out := make([]byte, 0, binary.MaxVarintLen64+len(e.key)+len(e.value))
	out = binary.AppendUvarint(out, uint64(len(e.key)))
	return append(append(out, e.key...), e.value...)
}

func decodeEntry(raw []byte) (*entry, bool) {
	size, n := binary.Uvarint(raw)
	if n <= 0 || size > uint64(len(raw)-n) {
		return nil, false
	}
	key, value := raw[n:n+int(size)], raw[n+int(size):]
	return &entry{path: pathOf(key), key: key, value: value}, true
}
