package feed

import (
	"encoding/binary"

	"intercom/core/identity"
)

// Get reads one stored entry; ok tells whether it is there.
func (f *Feeds) Get(feed FeedID, id ID) (e *Entry, ok bool, err error) {
	known, ok, err := f.facts(feed, id)
	if err != nil || !ok {
		return nil, false, err
	}
	raw, ok, err := f.space.Get(place(keyEntry, feed, Position{known.height, id}))
	if err != nil {
		return nil, false, err
	}
	if ok {
		e, err = Decode(raw)
	}
	if !ok || err != nil {
		return nil, false, damaged("entry", feed)
	}
	return e, true, nil
}

// Has tells whether the entry is stored.
func (f *Feeds) Has(feed FeedID, id ID) (bool, error) {
	_, ok, err := f.space.Get(key(keyID, feed, id[:]))
	return ok, err
}

// Scan visits the feed's entries behind a position in order of (height, id),
// so parents before children, until visit answers false. It sees the feed as it
// was when Scan began. The zero position is the beginning; the position of the
// last entry seen resumes.
func (f *Feeds) Scan(feed FeedID, behind Position, visit func(e *Entry) (more bool)) error {
	var failed error
	err := f.scanRaw(feed, span{behind.next(), end}, func(_ Position, raw []byte) bool {
		e, err := Decode(raw)
		if err != nil {
			failed = damaged("entry", feed)
			return false
		}
		return visit(e)
	})
	if err != nil {
		return err
	}
	return failed
}

// ScanEncoded is Scan without decoding: raw is valid only during the visit.
func (f *Feeds) ScanEncoded(feed FeedID, behind Position, visit func(at Position, raw []byte) (more bool)) error {
	return f.scanRaw(feed, span{behind.next(), end}, visit)
}

// scanRaw visits the encodings of a span in order. They are valid only during
// the visit.
func (f *Feeds) scanRaw(feed FeedID, s span, visit func(at Position, raw []byte) (more bool)) error {
	return f.space.Scan(place(keyEntry, feed, s.lo), place(keyEntry, feed, s.hi), func(k, v []byte) bool {
		return visit(placed(k), v)
	})
}

// Latest names an author's newest entry; ok tells whether there is one.
func (f *Feeds) Latest(feed FeedID, author identity.PublicKey) (id ID, ok bool, err error) {
	last, ok, err := f.newest(feed, author)
	return last.at.ID, ok, err
}

// Heads gives the entries that no other entry has as a parent, the greatest
// position first. Two peers with the same heads have the same entries.
func (f *Feeds) Heads(feed FeedID) ([]ID, error) {
	n, err := f.counts(feed)
	if err != nil {
		return nil, err
	}
	heads, err := f.heads(feed, n.heads)
	ids := make([]ID, len(heads))
	for i, head := range heads {
		ids[i] = head.ID
	}
	return ids, err
}

// heads gives up to limit heads, the greatest position first. It stops at the
// limit: what follows the last head in the store is mostly deleted ones, which
// take time to skip.
func (f *Feeds) heads(feed FeedID, limit uint64) ([]Position, error) {
	if limit == 0 {
		return nil, nil
	}
	var heads []Position
	prefix := key(keyHead, feed)
	err := f.space.Scan(prefix, after(prefix), func(k, _ []byte) bool {
		heads = append(heads, headPosition(k))
		return uint64(len(heads)) < limit
	})
	return heads, err
}

// Count tells how many entries the feed has.
func (f *Feeds) Count(feed FeedID) (uint64, error) {
	n, err := f.counts(feed)
	return n.entries, err
}

// Bytes tells how many bytes the encodings of the feed's entries have. What
// they take on disk is of that size, plus about 500 bytes each for indexes.
func (f *Feeds) Bytes(feed FeedID) (uint64, error) {
	n, err := f.counts(feed)
	return n.bytes, err
}

// Fork is several entries of one author with one seq: a store restored from a
// copy makes them honestly.
type Fork struct {
	Author  identity.PublicKey
	Seq     uint64
	Entries []ID // two or more, in order of their ids
}

// ForksShown is how many forks, and how many entries of one, Forks gives.
const ForksShown = 256

// Forks gives the feed's forks in order of author and seq, at most ForksShown
// of them, and how many entries in all repeat a seq.
func (f *Feeds) Forks(feed FeedID) (forks []Fork, repeats uint64, err error) {
	prefix := key(keyFork, feed)
	err = f.space.Scan(prefix, after(prefix), func(k, _ []byte) bool {
		forks = append(forks, Fork{
			Author: identity.PublicKey(k[33:65]),
			Seq:    binary.BigEndian.Uint64(k[65:]),
		})
		return len(forks) < ForksShown
	})
	if err != nil {
		return nil, 0, err
	}
	for i := range forks {
		fork := &forks[i]
		prefix := key(keyAuthor, feed, fork.Author[:], number(fork.Seq))
		err := f.space.Scan(prefix, after(prefix), func(k, _ []byte) bool {
			fork.Entries = append(fork.Entries, ID(k[73:]))
			return len(fork.Entries) < ForksShown
		})
		if err != nil {
			return nil, 0, err
		}
	}
	n, err := f.counts(feed)
	return forks, n.forks, err
}

func (f *Feeds) facts(feed FeedID, id ID) (facts, bool, error) {
	return read(f, "id", feed, key(keyID, feed, id[:]), decodeFacts)
}

func (f *Feeds) newest(feed FeedID, author identity.PublicKey) (newest, bool, error) {
	return read(f, "author", feed, key(keyNewest, feed, author[:]), decodeNewest)
}

func (f *Feeds) counts(feed FeedID) (counts, error) {
	n, _, err := read(f, "counts", feed, key(keyCounts, feed), decodeCounts)
	return n, err
}

// read gets one record.
func read[T any](f *Feeds, what string, feed FeedID, k []byte, decode func([]byte) (T, bool)) (record T, ok bool, err error) {
	raw, ok, err := f.space.Get(k)
	if err != nil || !ok {
		return record, false, err
	}
	if record, ok = decode(raw); !ok {
		return record, false, damaged(what, feed)
	}
	return record, true, nil
}
