package log

import (
	"encoding/binary"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// A roll is what is kept of the entries of one block, in their order:
//
//	uvarint block ‖ uvarint n ‖ n authors ‖ entry*
//	entry: id ‖ uvarint height ‖ uvarint seq ‖ uvarint place among the authors
//
// It may come from anyone; the hash of the order tells whether it is right.

// listed is one entry of a roll.
type listed struct {
	id feed.ID
	facts
}

func encodeRoll(block int64, entries []*item) []byte {
	places := make(map[identity.PublicKey]uint64)
	var authors []byte
	for _, it := range entries {
		if _, ok := places[it.Author]; !ok {
			places[it.Author] = uint64(len(places))
			authors = append(authors, it.Author[:]...)
		}
	}
	out := binary.AppendUvarint(nil, uint64(block))
	out = append(binary.AppendUvarint(out, uint64(len(places))), authors...)
	for _, it := range entries {
		out = append(out, it.at.ID[:]...)
		out = binary.AppendUvarint(out, it.Height)
		out = binary.AppendUvarint(out, it.Seq)
		out = binary.AppendUvarint(out, places[it.Author])
	}
	return out
}

// readRoll visits what a roll lists, until visit answers false.
func readRoll(raw []byte, visit func(e listed) (more bool)) error {
	r := reader{rest: raw}
	block, n := r.uvarint(), r.uvarint()
	if n > uint64(len(r.rest)/32) {
		r.bad = true
	}
	authors := r.bytes(int(n) * 32 * r.good())
	for len(r.rest) > 0 && !r.bad {
		e := listed{facts: facts{block: block}}
		copy(e.id[:], r.bytes(32))
		e.height, e.seq = r.uvarint(), r.uvarint()
		at := r.uvarint()
		if r.bad || at >= n {
			r.bad = true
			break
		}
		copy(e.author[:], authors[at*32:])
		if !visit(e) {
			return nil
		}
	}
	if r.bad {
		return fault.New(fault.Invalid, "a roll of %d bytes that is none", len(raw)).
			WithHint("whoever sent it is broken or hostile: ask another")
	}
	return nil
}

// reader takes bytes apart; after the first mistake it gives zeros.
type reader struct {
	rest []byte
	bad  bool
}

// good is 1 while there was no mistake, else 0.
func (r *reader) good() int {
	if r.bad {
		return 0
	}
	return 1
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	if r.bad || n <= 0 {
		r.bad = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) bytes(n int) []byte {
	if r.bad || n < 0 || n > len(r.rest) {
		r.bad = true
		return nil
	}
	part := r.rest[:n]
	r.rest = r.rest[n:]
	return part
}
