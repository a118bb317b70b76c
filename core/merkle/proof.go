package merkle

import (
	"encoding/binary"

	"intercom/core/fault"
)

// The bytes of a proof, which have one form only:
//
//	1                       version of this form
//	end                     0 the key's own leaf, 1 nothing, 2 another key's leaf
//	path ‖ value hash       of that other leaf, if the end is 2
//	u16be n                 steps from the root to the end, at most 256
//	⌈n/8⌉ bytes             a bit per step, first step first: the sibling is not empty
//	hash *                  those siblings
type proved struct {
	end         end
	path, value Hash   // of the other leaf
	siblings    []Hash // from the root on
}

type end byte

const (
	endKey end = iota
	endEmpty
	endOther
)

const proofVersion = 1

// MaxProof is the most bytes a proof has.
const MaxProof = 2 + 2*len(Hash{}) + 2 + depthLimit/8 + depthLimit*len(Hash{})

func (p *proved) encode() []byte {
	out := []byte{proofVersion, byte(p.end)}
	if p.end == endOther {
		out = append(append(out, p.path[:]...), p.value[:]...)
	}
	out = binary.BigEndian.AppendUint16(out, uint16(len(p.siblings)))
	bits := len(out)
	out = append(out, make([]byte, (len(p.siblings)+7)/8)...)
	for i, sibling := range p.siblings {
		if sibling != Empty {
			out[bits+i/8] |= 0x80 >> (i % 8)
			out = append(out, sibling[:]...)
		}
	}
	return out
}

func decodeProof(raw []byte) (*proved, bool) {
	if len(raw) < 4 || len(raw) > MaxProof || raw[0] != proofVersion || end(raw[1]) > endOther {
		return nil, false
	}
	p := &proved{end: end(raw[1])}
	raw = raw[2:]
	if p.end == endOther {
		if len(raw) < 2*len(Hash{})+2 {
			return nil, false
		}
		raw = raw[copy(p.path[:], raw):]
		raw = raw[copy(p.value[:], raw):]
	}
	steps := int(binary.BigEndian.Uint16(raw))
	raw = raw[2:]
	if steps > depthLimit || len(raw) < (steps+7)/8 {
		return nil, false
	}
	bits, raw := raw[:(steps+7)/8], raw[(steps+7)/8:]
	p.siblings = make([]Hash, steps)
	for i := range 8 * len(bits) {
		switch set := bits[i/8]&(0x80>>(i%8)) != 0; {
		case set && (i >= steps || len(raw) < len(Hash{}) || Hash(raw[:len(Hash{})]) == Empty):
			return nil, false
		case set:
			raw = raw[copy(p.siblings[i][:], raw):]
		case i < steps:
			p.siblings[i] = Empty
		}
	}
	return p, len(raw) == 0
}

// root is what the proof leads to when the end of the path has that hash.
func (p *proved) root(path, at Hash) Hash {
	for i := len(p.siblings) - 1; i >= 0; i-- {
		if path.bit(i) == 0 {
			at = innerHash(at, p.siblings[i])
		} else {
			at = innerHash(p.siblings[i], at)
		}
	}
	return at
}

// VerifyPresent tells whether the proof shows that the map with this root gives
// the key this value: nil, or a [fault.Invalid]. The bytes may come from anyone.
func VerifyPresent(root Hash, key, value, proof []byte) error {
	p, ok := decodeProof(proof)
	if !ok || p.end != endKey {
		return malformed(proof)
	}
	path := pathOf(key)
	if p.root(path, leafHash(path, valueHash(value))) != root {
		return mismatch(root)
	}
	return nil
}

// VerifyAbsent tells whether the proof shows that the map with this root does
// not have the key: nil, or a [fault.Invalid]. The bytes may come from anyone.
func VerifyAbsent(root Hash, key, proof []byte) error {
	p, ok := decodeProof(proof)
	if !ok || p.end == endKey {
		return malformed(proof)
	}
	path, at := pathOf(key), Empty
	if p.end == endOther {
		if p.path == path || !p.path.shares(path, len(p.siblings)) {
			return malformed(proof)
		}
		at = leafHash(p.path, p.value)
	}
	if p.root(path, at) != root {
		return mismatch(root)
	}
	return nil
}

// shares tells whether the two paths begin with the same bits.
func (h Hash) shares(other Hash, bits int) bool { return common(h, other) >= bits }

func malformed(proof []byte) error {
	return fault.New(fault.Invalid, "%d bytes are no proof of that", len(proof)).
		WithHint("whoever sent it is broken or hostile: ask another")
}

func mismatch(root Hash) error {
	return fault.New(fault.Invalid, "the proof does not lead to root %s", root).
		WithHint("it is of another version of the map, or whoever sent it lies")
}
