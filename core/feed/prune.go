package feed

import "intercom/core/store"

// Prune removes entries from the feed and tells how many went. Heads and the
// newest entry of each author stay, because own entries are built on them. Whoever
// prunes must vouch for what goes by [Feeds.Elders] from before on, or its
// children are not stored any more. The next entry makes it durable.
func (f *Feeds) Prune(feed FeedID, ids []ID) (removed int, err error) {
	l := f.lane(feed)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = nil // what is there must be read again
	n, err := f.counts(feed)
	if err != nil {
		return 0, err
	}
	b := f.space.Batch()
	var heights []uint64
	for _, id := range ids {
		known, ok, err := f.facts(feed, id)
		if err != nil {
			return 0, err
		}
		if !ok {
			continue
		}
		size, gone, err := f.cut(b, feed, id, known)
		if err != nil {
			return 0, err
		}
		if !gone {
			continue
		}
		n.entries--
		n.bytes -= size
		heights = append(heights, known.height)
	}
	b.Set(key(keyCounts, feed), n.encode())
	if err := b.Apply(); err != nil {
		return 0, err
	}
	for _, height := range heights {
		f.sums.touch(feed, height)
	}
	return len(heights), nil
}

// cut deletes the records of one entry that may go, and tells the size of its
// encoding.
func (f *Feeds) cut(b *store.Batch, feed FeedID, id ID, known facts) (size uint64, gone bool, err error) {
	at := Position{known.height, id}
	_, head, err := f.space.Get(headKey(feed, at))
	if err != nil || head {
		return 0, false, err
	}
	last, _, err := f.newest(feed, known.author)
	if err != nil || last.at.ID == id {
		return 0, false, err
	}
	raw, _, err := f.space.Get(place(keyEntry, feed, at))
	b.Delete(place(keyEntry, feed, at))
	b.Delete(place(keyOrder, feed, at))
	b.Delete(key(keyID, feed, id[:]))
	b.Delete(key(keyAuthor, feed, known.author[:], number(known.seq), id[:]))
	return uint64(len(raw)), true, err
}
