// Package ledger is the state of one room: a pure function of a set of entries.
//
// It guarantees that peers who hold the same entries have the same state, in
// whatever order the entries came and however often; that the balances of each
// currency add up to zero; and that an entry costs what it changes, not what the
// room holds. It does no I/O and knows no clock: signatures, storage and order of
// arrival are the feed's, which gives an entry only after its parents.
//
// What makes the order of arrival not matter: an entry is in effect unless an
// effective undo names it; a clear covers its ancestors; and an expense with all
// that edits, deletes and restores it is one [subject], worked out anew from the
// set of those entries whenever one of them changes. Apply only notes what has
// changed. It is worked out when somebody looks.
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

	in      *Ledger
	subject *subject // that it makes or changes
	index   int32    // where it stands in the ledger
	valid   bool     // not undone
	veiled  [2]bool  // by a clear, by a close
}

// ErrOrphan refuses an entry whose parents have not been applied.
var ErrOrphan = errors.New("the entry's parents are not in the ledger")

// Ledger is the state of one room. It is not safe for concurrent use, not even
// for reading; the zero value is not usable, see [New].
type Ledger struct {
	entries []*Entry // in order of arrival
	parents [][]int32
	byID    map[ID]*Entry
	keys    map[keyOf]*Entry
	books   map[money.Currency]*book
	listed  []*Entry // by (height, id); holds the first len(listed) entries

	undos    map[ID][]*Entry // by the entry that they name
	revising map[ID][]*Entry // edits, deletes and restores of entries that are not here
	sources  map[string]*subject
	acts     map[Kind][]*Entry // renames, merges, leaves, units, by (height, id)
	veils    [2]veil
	names    *aliases // nil when it has to be worked out

	doubtful waiting    // whose validity may have changed
	changed  []*subject // to be worked out

	counting int // subjects in effect and not closed
	cleared  int // expenses and payments that are covered by a clear
}

type keyOf struct {
	author Author
	key    string
}

// New is the state of a room without entries.
func New() *Ledger {
	l := &Ledger{
		byID: map[ID]*Entry{}, keys: map[keyOf]*Entry{}, books: map[money.Currency]*book{},
		undos: map[ID][]*Entry{}, revising: map[ID][]*Entry{}, sources: map[string]*subject{}, acts: map[Kind][]*Entry{},
	}
	l.veils = [2]veil{veilClear: {kind: KindClear}, veilClose: {kind: KindClose}}
	return l
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
	added.in, added.index = l, int32(len(l.entries))
	added.Parents = nil // kept as indices
	l.entries = append(l.entries, added)
	l.parents = append(l.parents, parents)
	l.byID[e.ID] = added
	l.remember(added)
	l.place(added)
	l.doubt(added)
	return nil
}

// place puts an entry beside those that it belongs to.
func (l *Ledger) place(e *Entry) {
	kind := e.Body.Kind
	target, _ := e.Body.Target()
	switch {
	case kind.Subject():
		l.found(e)
	case kind.Revises():
		l.revise(e, target)
	case kind == KindUndo:
		l.undos[target] = append(l.undos[target], e)
	case kind == KindClear:
		l.veils[veilClear].all = append(l.veils[veilClear].all, e)
	case kind == KindClose:
		l.veils[veilClose].all = append(l.veils[veilClose].all, e)
	case kind == KindRename, kind == KindMerge:
		l.act(KindRename, e)
	case kind == KindLeave, kind == KindUnit:
		l.act(kind, e)
	}
}

func (l *Ledger) act(kind Kind, e *Entry) {
	at, _ := slices.BinarySearchFunc(l.acts[kind], e, Compare)
	l.acts[kind] = slices.Insert(l.acts[kind], at, e)
	l.names = nil
}

// acting gives the entries of a kind that are in effect, in order.
func (l *Ledger) acting(kind Kind) []*Entry {
	var acting []*Entry
	for _, e := range l.acts[kind] {
		if e.valid && !e.veiled[veilClear] {
			acting = append(acting, e)
		}
	}
	return acting
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
	l.refresh()
	e, known := l.byID[id]
	return e, known
}

// Len is how many entries there are, of every kind and in effect or not.
func (l *Ledger) Len() int { return len(l.entries) }

// Entries gives every entry in order. The slice is the ledger's own: read it
// before the next [Ledger.Apply] and do not change it.
func (l *Ledger) Entries() []*Entry {
	l.refresh()
	if fresh := len(l.entries) - len(l.listed); fresh > 0 {
		l.listed = append(l.listed, l.entries[len(l.listed):]...)
		if from := len(l.listed) - fresh - 1; from < 0 || !slices.IsSortedFunc(l.listed[from:], Compare) {
			slices.SortFunc(l.listed, Compare)
		}
	}
	return l.listed
}

// walk visits an entry's ancestors, and their ancestors where visit says so.
func (l *Ledger) walk(from int32, visit func(a *Entry) (further bool)) {
	open := []int32{from}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, p := range l.parents[at] {
			if visit(l.entries[p]) {
				open = append(open, p)
			}
		}
	}
}
