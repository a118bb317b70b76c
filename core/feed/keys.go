package feed

import (
	"encoding/binary"
	"slices"

	"intercom/core/identity"
)

// The keys of the store. Every one of an entry is written in one batch with
// the entry, so they never disagree. Numbers are 8 bytes big endian; the keys
// of heads hold complements, so that the greatest comes first.
//
//	e feed height id         the entry's encoding: the order, with content
//	o feed height id         nothing: the order, for fingerprints
//	i feed id                height seq author: what children need to know
//	h feed ^height ^id       nothing: an entry that no other has as its parent
//	a feed author seq id     nothing: an author's entries
//	l feed author            seq height id: the author's newest
//	f feed author seq        nothing: two entries or more have this seq
//	m feed                   entries bytes forks heads: the counts
//	d ts id                  neighbour encoding: held until due
const (
	keyEntry  = 'e'
	keyOrder  = 'o'
	keyID     = 'i'
	keyHead   = 'h'
	keyAuthor = 'a'
	keyNewest = 'l'
	keyFork   = 'f'
	keyCounts = 'm'
	keyHeld   = 'd'
)

func number(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

// key joins the parts of a key of one feed.
func key(kind byte, feed FeedID, parts ...[]byte) []byte {
	k := make([]byte, 0, 1+32+8+32+32)
	k = append(append(k, kind), feed[:]...)
	for _, part := range parts {
		k = append(k, part...)
	}
	return k
}

// place is a key of the order: kind e or o.
func place(kind byte, feed FeedID, p Position) []byte {
	return key(kind, feed, number(p.Height), p.ID[:])
}

// placed reads the position at the end of a key of the order.
func placed(k []byte) Position {
	tail := k[len(k)-40:]
	return Position{binary.BigEndian.Uint64(tail), ID(tail[8:])}
}

func headKey(feed FeedID, p Position) []byte {
	k := place(keyHead, feed, p)
	flip(k[33:])
	return k
}

func headPosition(k []byte) Position {
	tail := slices.Clone(k[33:])
	flip(tail)
	return placed(tail)
}

func flip(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

// after is the first key behind all that begin with k, whose last byte is
// never 0xff here: it ends the scan of a prefix.
func after(k []byte) []byte {
	next := slices.Clone(k)
	for i := len(next) - 1; i >= 0; i-- {
		if next[i]++; next[i] != 0 {
			return next[:i+1]
		}
	}
	return nil // all 0xff: to the end of the space
}

// facts is what an entry's children must know of it.
type facts struct {
	height, seq uint64
	author      identity.PublicKey
}

func (f facts) encode() []byte {
	return slices.Concat(number(f.height), number(f.seq), f.author[:])
}

func decodeFacts(v []byte) (facts, bool) {
	if len(v) != 48 {
		return facts{}, false
	}
	return facts{binary.BigEndian.Uint64(v), binary.BigEndian.Uint64(v[8:]), identity.PublicKey(v[16:])}, true
}

// newest is an author's latest entry: by seq, then by position.
type newest struct {
	seq uint64
	at  Position
}

func (n newest) encode() []byte {
	return slices.Concat(number(n.seq), number(n.at.Height), n.at.ID[:])
}

func decodeNewest(v []byte) (newest, bool) {
	if len(v) != 48 {
		return newest{}, false
	}
	return newest{binary.BigEndian.Uint64(v), placed(v)}, true
}

// counts is what a feed holds.
type counts struct{ entries, bytes, forks, heads uint64 }

func (c counts) encode() []byte {
	return slices.Concat(number(c.entries), number(c.bytes), number(c.forks), number(c.heads))
}

func decodeCounts(v []byte) (counts, bool) {
	if len(v) != 32 {
		return counts{}, false
	}
	n := binary.BigEndian.Uint64
	return counts{n(v), n(v[8:]), n(v[16:]), n(v[24:])}, true
}
