package feed

import "intercom/core/identity"

// Elder is what is known of an entry that is not stored.
type Elder struct {
	Author      identity.PublicKey
	Seq, Height uint64
}

// Elders has fn asked about entries that are not stored, and whose children may
// be all the same: the owner of a feed vouches for them from somewhere else,
// such as a verified snapshot. When a neighbour sends one it is [Known] and not
// stored. fn is quick and calls nothing of the feeds; there is one.
func (f *Feeds) Elders(fn func(feed FeedID, id ID) (e Elder, ok bool, err error)) {
	f.elders.Store(&fn)
}

// kin gives what an entry's children must know of it, stored or not.
func (f *Feeds) kin(feed FeedID, id ID) (facts, bool, error) {
	known, ok, err := f.facts(feed, id)
	elders := f.elders.Load()
	if ok || err != nil || elders == nil {
		return known, ok, err
	}
	e, ok, err := (*elders)(feed, id)
	return facts{e.Height, e.Seq, e.Author}, ok, err
}
