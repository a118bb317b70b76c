package feed

import (
	"slices"

	"intercom/core/identity"
	"intercom/core/store"
)

// state is what a writer must know of a feed. Each lane keeps that of the feed
// it wrote last, so that writing one feed many times reads the store once. It
// is read and changed under the lane's lock only, and never ahead of the store.
type state struct {
	feed   FeedID
	counts counts
	heads  []Position // the greatest first; all of them, unless there are more than headsKept
	newest map[identity.PublicKey]newest
}

const (
	headsKept   = 64
	authorsKept = 256
)

// state gives the state of the feed; the lane is held.
func (f *Feeds) state(l *lane, feed FeedID) (*state, error) {
	if s := l.last; s != nil && s.feed == feed && (s.few() || s.counts.heads > headsKept) {
		return s, nil
	}
	n, err := f.counts(feed)
	if err != nil {
		return nil, err
	}
	s := &state{feed: feed, counts: n, newest: make(map[identity.PublicKey]newest)}
	if n.heads <= headsKept {
		if s.heads, err = f.heads(feed, n.heads); err != nil {
			return nil, err
		}
	}
	l.last = s
	return s, nil
}

// few tells whether heads is all heads.
func (s *state) few() bool { return s.counts.heads == uint64(len(s.heads)) }

// topHeads gives the greatest heads.
func (f *Feeds) topHeads(s *state) ([]Position, error) {
	if s.few() {
		return s.heads[:min(len(s.heads), MaxParents)], nil
	}
	return f.heads(s.feed, min(s.counts.heads, MaxParents))
}

// latest gives an author's newest entry.
func (f *Feeds) latest(s *state, author identity.PublicKey) (newest, bool, error) {
	if last, ok := s.newest[author]; ok {
		return last, true, nil
	}
	last, found, err := f.newest(s.feed, author)
	if err == nil && found {
		s.remember(author, last)
	}
	return last, found, err
}

func (s *state) remember(author identity.PublicKey, last newest) {
	if len(s.newest) >= authorsKept {
		clear(s.newest)
	}
	s.newest[author] = last
}

// cover names those of the entry's parents that are heads, and takes them from
// the store's heads.
func (f *Feeds) cover(s *state, b *store.Batch, c *checked) (covered []Position, err error) {
	for _, parent := range c.Parents {
		at, ok, err := f.headOf(s, parent)
		if err != nil {
			return nil, err
		}
		if ok {
			b.Delete(headKey(c.Feed, at))
			covered = append(covered, at)
		}
	}
	return covered, nil
}

// headOf tells whether a stored entry is a head, and where.
func (f *Feeds) headOf(s *state, id ID) (Position, bool, error) {
	if s.few() {
		i := slices.IndexFunc(s.heads, func(p Position) bool { return p.ID == id })
		if i < 0 {
			return Position{}, false, nil
		}
		return s.heads[i], true, nil
	}
	known, ok, err := f.facts(s.feed, id)
	if err != nil || !ok {
		return Position{}, false, err
	}
	at := Position{known.height, id}
	_, ok, err = f.space.Get(headKey(s.feed, at))
	return at, ok, err
}

// wrote brings the state up to an entry that was written.
func (s *state) wrote(at Position, covered []Position, now counts) {
	if s.few() {
		s.heads = slices.DeleteFunc(s.heads, func(p Position) bool { return slices.Contains(covered, p) })
		i, _ := slices.BinarySearchFunc(s.heads, at, func(p, q Position) int { return q.Compare(p) })
		s.heads = slices.Insert(s.heads, i, at)
	}
	s.counts = now
	if len(s.heads) > headsKept {
		s.heads = nil
	}
}
