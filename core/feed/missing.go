package feed

import (
	"bytes"
	"slices"

	"intercom/core/identity"
)

// MaxWanted is how many entries one Missing names and one Fetch asks for.
const MaxWanted = 256

// Missing names entries of the feed that parked ones wait for and that are
// neither parked nor held themselves, at most MaxWanted of them. Whoever sent
// the parked ones must have them.
func (f *Feeds) Missing(feed FeedID) []ID {
	return f.missing(feed, func(*waiter) bool { return true })
}

// MissingFrom names only what entries sent by that neighbour wait for: what to
// ask it for.
func (f *Feeds) MissingFrom(feed FeedID, from identity.PublicKey) []ID {
	return f.missing(feed, func(w *waiter) bool { return w.places[from] != nil })
}

func (f *Feeds) missing(feed FeedID, counts func(*waiter) bool) []ID {
	ids := slices.DeleteFunc(f.parked.missing(feed, counts), func(id ID) bool { return f.held.has(feed, id) })
	slices.SortFunc(ids, func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
	return ids[:min(len(ids), MaxWanted)]
}

func (p *pool) missing(feed FeedID, counts func(*waiter) bool) []ID {
	p.mu.Lock()
	defer p.mu.Unlock()
	ids := []ID{}
	for at, waiters := range p.waiting {
		if _, parked := p.byID[at]; at.feed != feed || parked {
			continue
		}
		for w := range waiters {
			if counts(w) {
				ids = append(ids, at.id)
				break
			}
		}
	}
	return ids
}
