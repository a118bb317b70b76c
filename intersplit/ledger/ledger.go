// Package ledger is the state of one room: a pure function of a set of entries.
//
// It guarantees that peers who hold the same entries have the same state, in
// whatever order the entries came and however often; that the balances of each
// currency add up to zero; and that applying an entry costs what the entry says,
// not what the room holds. It does no I/O and knows no clock: signatures, storage
// and order of arrival are the feed's, which gives an entry only after its
// parents.
package ledger

import (
	"bytes"
	"cmp"
	"errors"
	"slices"

	"intercom/intersplit/money"
)

// ID names an entry: the feed's hash of it.
type ID [32]byte

// Author is the key that signed an entry.
type Author [32]byte

// Entry is a feed entry as the ledger needs it.
type Entry struct {
	ID      ID
	Author  Author
	Height  uint64
	TS      int64 // ms, by its author's clock
	Parents []ID
	Body    Body

	index   int32 // where it stands in the ledger
	covered bool  // by a clear
}

// Counts says whether the entry is in effect.
func (e *Entry) Counts() bool { return !e.covered && e.Body.Kind != KindUnsupported }

// ErrOrphan refuses an entry whose parents have not been applied.
var ErrOrphan = errors.New("the entry's parents are not in the ledger")

// Ledger is the state of one room. It is not safe for concurrent use; the zero
// value is not usable, see [New].
type Ledger struct {
	entries []*Entry // in order of arrival
	parents [][]int32
	byID    map[ID]*Entry
	keys    map[keyOf]*Entry
	books   map[money.Currency]*book

	listed []*Entry // by (height, id); holds the first len(listed) entries

	counting int    // expenses in effect
	cleared  int    // expenses covered by a clear
	last     *Entry // the clear with the greatest (height, id)
}

type keyOf struct {
	author Author
	key    string
}

// New is the state of a room without entries.
func New() *Ledger {
	return &Ledger{
		byID:  map[ID]*Entry{},
		keys:  map[keyOf]*Entry{},
		books: map[money.Currency]*book{},
	}
}

// Apply adds an entry. One that is known already changes nothing; one whose
// parents are not known is refused with [ErrOrphan].
func (l *Ledger) Apply(e Entry) error {
	if _, known := l.byID[e.ID]; known {
		return nil
	}
	parents := make([]int32, len(e.Parents))
	for i, id := range e.Parents {
		parent, known := l.byID[id]
		if !known {
			return ErrOrphan
		}
		parents[i] = parent.index
	}
	added := &e
	added.index = int32(len(l.entries))
	added.Parents = nil // kept as indices
	l.entries = append(l.entries, added)
	l.parents = append(l.parents, parents)
	l.byID[e.ID] = added
	l.remember(added)
	switch e.Body.Kind {
	case KindExpense:
		l.counting++
		l.book(e.Body.Expense.Currency).add(e.Body.Expense, +1)
	case KindClear:
		l.cover(added)
	}
	return nil
}

// cover takes the ancestors of a clear out of effect: what its author knew, and
// nothing that was added meanwhile. The ancestors of a covered entry are covered
// as well, so the walk stops there and all clears together walk each entry once.
func (l *Ledger) cover(clearing *Entry) {
	if l.last == nil || Compare(l.last, clearing) < 0 {
		l.last = clearing
	}
	open := slices.Clone(l.parents[clearing.index])
	for len(open) > 0 {
		e := l.entries[open[len(open)-1]]
		open = open[:len(open)-1]
		if e.covered {
			continue
		}
		e.covered = true
		open = append(open, l.parents[e.index]...)
		if e.Body.Kind == KindExpense {
			l.counting--
			l.cleared++
			l.book(e.Body.Expense.Currency).add(e.Body.Expense, -1)
		}
	}
}

// remember indexes the author's key. Entries of one author with one key are made
// only by a restored store; the first in order is the one that the key means.
func (l *Ledger) remember(e *Entry) {
	key := e.Body.IdempotencyKey()
	if key == "" {
		return
	}
	at := keyOf{e.Author, key}
	if before, known := l.keys[at]; !known || Compare(e, before) < 0 {
		l.keys[at] = e
	}
}

// Compare orders entries by (height, id), the order in which every peer lists
// them. Ancestors come first.
func Compare(a, b *Entry) int {
	return cmp.Or(cmp.Compare(a.Height, b.Height), bytes.Compare(a.ID[:], b.ID[:]))
}

// ByKey finds the entry that an author gave an idempotency key.
func (l *Ledger) ByKey(author Author, key string) (*Entry, bool) {
	e, known := l.keys[keyOf{author, key}]
	return e, known
}

// ByID finds an entry.
func (l *Ledger) ByID(id ID) (*Entry, bool) {
	e, known := l.byID[id]
	return e, known
}

// Len is how many entries there are, of every kind and in effect or not.
func (l *Ledger) Len() int { return len(l.entries) }

// Expenses is how many expenses are in effect.
func (l *Ledger) Expenses() int { return l.counting }

// Cleared is how many expenses the room's clears took out of effect, and the last
// of these clears in order; nil when the room was never cleared.
func (l *Ledger) Cleared() (expenses int, last *Entry) { return l.cleared, l.last }

// Entries gives every entry in order. The slice is the ledger's own: read it
// before the next [Ledger.Apply] and do not change it.
func (l *Ledger) Entries() []*Entry {
	if fresh := len(l.entries) - len(l.listed); fresh > 0 {
		l.listed = append(l.listed, l.entries[len(l.listed):]...)
		if from := len(l.listed) - fresh - 1; from < 0 || !slices.IsSortedFunc(l.listed[from:], Compare) {
			slices.SortFunc(l.listed, Compare)
		}
	}
	return l.listed
}
