package ledger

import "slices"

// history is the changes of one subject and who of their authors knew what. It is
// read from what the changes say, not from the feed: the walk stays within the
// subject, however large the room.
type history struct {
	changes []*Entry // by (height, id)
	known   [][]int  // what each names as known, by place; always smaller places
}

func newHistory(changes []*Entry) *history {
	places := make(map[ID]int, len(changes))
	h := &history{changes: changes, known: make([][]int, len(changes))}
	for i, e := range changes {
		for _, id := range e.Body.after() {
			if at, here := places[id]; here && changes[at].Height < e.Height {
				h.known[i] = append(h.known[i], at)
			}
		}
		places[e.ID] = i
	}
	return h
}

// below marks what the author of a change knew, further than what is marked.
func (h *history) below(at int, marked []bool) {
	open := []int{at}
	for len(open) > 0 {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, k := range h.known[at] {
			if !marked[k] {
				marked[k] = true
				open = append(open, k)
			}
		}
	}
}

// above marks the changes whose authors knew of one.
func (h *history) above(at int) []bool {
	marked := make([]bool, len(h.changes))
	for i := at + 1; i < len(h.changes); i++ {
		marked[i] = slices.ContainsFunc(h.known[i], func(k int) bool { return k == at || marked[k] })
	}
	return marked
}

// latestAt gives the places of the changes of some sort that no other of the sort
// knew of, the greatest by (height, id) first.
func (h *history) latestAt(sort func(at int) bool) []int {
	var latest []int
	marked := make([]bool, len(h.changes))
	for at := len(h.changes) - 1; at >= 0; at-- {
		if sort(at) && !marked[at] {
			latest = append(latest, at)
			h.below(at, marked)
		}
	}
	return latest
}

// latest is [history.latestAt] with the changes themselves.
func (h *history) latest(sort func(e *Entry) bool) []*Entry {
	var latest []*Entry
	for _, at := range h.latestAt(func(at int) bool { return sort(h.changes[at]) }) {
		latest = append(latest, h.changes[at])
	}
	return latest
}

// mostDeletes bounds the deletes without knowledge of each other that are looked
// at: of more, the greatest.
const mostDeletes = 8

// deleted says whether a delete stands: nobody who knew of it restored the
// subject, and nobody edited the subject without knowing of it. A delete that an
// edit beats is marked, until somebody who knows of it edits again.
func (s *subject) deleted(h *history) bool {
	restored := make([]bool, len(h.changes))
	for at, e := range h.changes {
		if e.valid && e.Body.Kind == KindUndelete {
			h.below(at, restored)
		}
	}
	deletes := h.latestAt(func(at int) bool {
		return h.changes[at].valid && h.changes[at].Body.Kind == KindDelete && !restored[at]
	})
	var beaten []Conflict
	for _, at := range deletes[:min(len(deletes), mostDeletes)] {
		edit, settled := h.beats(at)
		if edit == nil {
			return true
		}
		if !settled {
			beaten = append(beaten, Conflict{Field: FieldDeleted, Counts: edit.ID, Others: []ID{h.changes[at].ID}})
		}
	}
	s.conflicts = append(s.conflicts, beaten...)
	return false
}

// beats finds the greatest edit that was made without knowing of a delete, nor
// the delete of it; settled tells that a later edit knew of the delete.
func (h *history) beats(at int) (edit *Entry, settled bool) {
	below, above := make([]bool, len(h.changes)), h.above(at)
	h.below(at, below)
	for i, e := range h.changes {
		switch {
		case !e.valid || e.Body.Kind != KindEdit:
		case above[i]:
			settled = true
		case !below[i]:
			edit = e
		}
	}
	return edit, settled
}

// knewClear says whether the author of a change names a clear as known.
func (h *history) knewClear(e *Entry) bool {
	return slices.ContainsFunc(e.Body.after(), func(id ID) bool {
		known, here := e.in.byID[id]
		return here && known.Body.Kind == KindClear && known.Height < e.Height
	})
}
