package log

import (
	"crypto/sha256"
	"slices"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
)

// The bounds of the tail. Too low, and who writes offline is stopped early; too
// high, and one author makes every local view slow.
const (
	// MaxUnconfirmed is how many entries of one author may wait.
	MaxUnconfirmed = 1024

	maxTail      = 64 << 10
	maxTailBytes = 64 << 20
)

// item is an entry on its way into a block.
type item struct {
	*feed.Entry
	at    feed.Position
	raw   []byte    // its encoding
	since time.Time // when it came here
}

// newItem makes an item of an entry and its one encoding, whose end is the
// signature; what is before that is the preimage.
func newItem(e *feed.Entry, raw []byte, now time.Time) *item {
	id := feed.ID(sha256.Sum256(raw[:len(raw)-len(e.Sig)]))
	return &item{Entry: e, at: feed.Position{Height: e.Height, ID: id}, raw: raw, since: now}
}

func (it *item) preimage() []byte { return it.raw[:len(it.raw)-len(it.Sig)] }

// tail is the entries that are stored and not confirmed, in order. It belongs to
// the log's lock. The list is replaced, never changed, so that a reader keeps
// what it was given.
type tail struct {
	list    []*item
	byID    map[feed.ID]*item
	authors map[identity.PublicKey]int
	bytes   int
}

func newTail() tail {
	return tail{byID: make(map[feed.ID]*item), authors: make(map[identity.PublicKey]int)}
}

func (t *tail) add(it *item) {
	if t.byID[it.at.ID] != nil {
		return
	}
	t.byID[it.at.ID] = it
	t.authors[it.Author]++
	t.bytes += len(it.raw)
	if n := len(t.list); n == 0 || t.list[n-1].at.Compare(it.at) < 0 {
		t.list = append(t.list, it) // readers look no further than what they were given
		return
	}
	at, _ := slices.BinarySearchFunc(t.list, it.at, func(it *item, p feed.Position) int { return it.at.Compare(p) })
	list := make([]*item, 0, len(t.list)+1)
	t.list = append(append(append(list, t.list[:at]...), it), t.list[at:]...)
}

// remove takes out those that are in the set.
func (t *tail) remove(gone map[feed.ID]facts) {
	left := make([]*item, 0, max(len(t.list)-len(gone), 0))
	for _, it := range t.list {
		if _, ok := gone[it.at.ID]; !ok {
			left = append(left, it)
			continue
		}
		delete(t.byID, it.at.ID)
		t.bytes -= len(it.raw)
		if t.authors[it.Author]--; t.authors[it.Author] == 0 {
			delete(t.authors, it.Author)
		}
	}
	t.list = left
}

// full tells whether there is no room for one more entry of the author.
func (t *tail) full(author identity.PublicKey) bool {
	return len(t.list) >= maxTail || t.bytes >= maxTailBytes || t.authors[author] >= MaxUnconfirmed
}
