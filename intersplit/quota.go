package intersplit

import (
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// What a room holds at most.
const (
	// maxSeq is how many entries one author has in a room, everywhere and for ever:
	// no peer stores more.
	maxSeq = 200_000
	// defaultRoomBytes is what one room takes on this peer's disk. Whoever makes new
	// keys can fill an open room; an invite-only one is the answer to that.
	defaultRoomBytes = 1 << 30
	indexBytes       = 500 // beside an entry's own bytes: see [feed.Feeds.Bytes]
)

// quota is the bound of the rooms on this peer.
type quota struct{ bytes uint64 }

// guard keeps a room within its bounds: see [feed.Feeds.Guard].
func (r *Rooms) guard(e *feed.Entry, size feed.Size) error {
	rm := r.known(e.Feed)
	if rm == nil {
		return nil // another owner's feed
	}
	if e.Seq >= maxSeq {
		return r.spent(e.Author)
	}
	if r.quota.over(size) {
		if rm.full.CompareAndSwap(false, true) {
			r.log.Error("a room is full: entries of others are missing from now on", "channel", rm.channel, "entries", size.Entries, "bytes", size.Bytes)
		}
		return r.quota.full(rm, size)
	}
	return nil
}

// full refuses an entry for which the room has no room.
func (q quota) full(rm *room, size feed.Size) error {
	return fault.New(fault.Limited, "the room of channel %q is full on this peer: %d entries take all of the %d MiB that a room may have",
		rm.channel, size.Entries, q.bytes>>20).
		WithHint("export it and go on in a new channel; an invite-only one keeps strangers from filling it")
}

// spent refuses an entry beyond its author's quota: to its author it is a limit,
// to everyone else a broken rule.
func (r *Rooms) spent(author identity.PublicKey) error {
	kind := fault.Invalid
	if author == r.signer.PublicKey() {
		kind = fault.Limited
	}
	return fault.New(kind, "%s has made %d entries in this room, the most that count", author.Address(), maxSeq).
		WithHint("go on in a new channel, or with another identity")
}

// over says whether a room of that size has no room for one more entry, however
// great: so it is full for all entries alike.
func (q quota) over(size feed.Size) bool {
	return size.Bytes+indexBytes*size.Entries+uint64(feed.MaxEntry) > q.bytes
}

// incomplete tells whether others have entries that this peer had no room for.
func (rm *room) incomplete() bool { return rm.full.Load() }

// measure finds a room full that was so before the start.
func (q quota) measure(rm *room) error {
	size, err := rm.size()
	if err == nil && q.over(size) {
		rm.full.Store(true)
	}
	return err
}

func (rm *room) size() (size feed.Size, err error) {
	if size.Entries, err = rm.feeds.Count(rm.id); err == nil {
		size.Bytes, err = rm.feeds.Bytes(rm.id)
	}
	return size, err
}
