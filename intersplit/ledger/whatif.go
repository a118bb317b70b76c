package ledger

// Before is the state that an entry's author knew when it was made: its ancestors
// and nothing else. It takes as long as applying them.
func (l *Ledger) Before(id ID) *Ledger {
	before := New()
	e, known := l.byID[id]
	if !known {
		return before
	}
	ancestors := map[int32]bool{}
	l.walk(e.index, func(a *Entry) bool {
		first := !ancestors[a.index]
		ancestors[a.index] = true
		return first
	})
	for _, a := range l.entries {
		if ancestors[a.index] {
			again := Entry{ID: a.ID, Author: a.Author, Height: a.Height, TS: a.TS, Body: a.Body}
			for _, p := range l.parents[a.index] {
				again.Parents = append(again.Parents, l.entries[p].ID)
			}
			before.mustApply(again)
		}
	}
	return before
}

// With is the room as it would be after one more entry, whose id is zero, and that
// entry. It takes as long as building the room.
func (l *Ledger) With(author Author, ts int64, body Body) (*Ledger, *Entry) {
	next := New()
	added := Entry{Author: author, TS: ts, Body: body}
	child := make([]bool, len(l.entries))
	for _, e := range l.entries {
		again := Entry{ID: e.ID, Author: e.Author, Height: e.Height, TS: e.TS, Body: e.Body}
		for _, p := range l.parents[e.index] {
			child[p] = true
			again.Parents = append(again.Parents, l.entries[p].ID)
		}
		next.mustApply(again)
	}
	for i, e := range l.entries {
		if !child[i] {
			added.Parents = append(added.Parents, e.ID)
			added.Height = max(added.Height, e.Height+1)
		}
	}
	next.mustApply(added)
	e, _ := next.ByID(ID{})
	return next, e
}

// mustApply adds an entry whose parents are here.
func (l *Ledger) mustApply(e Entry) {
	if err := l.Apply(e); err != nil {
		panic("ledger: an entry stands before its parents: " + err.Error())
	}
}

// Preview is an entry as the room would show it, without adding it.
func (l *Ledger) Preview(author Author, ts int64, body Body) *Entry {
	l.refresh()
	return &Entry{Author: author, TS: ts, Body: body, in: l, valid: true}
}
