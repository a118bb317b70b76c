package ledger

import "slices"

// Known gives what whoever changes an entry now knows of it: its latest changes
// and, when it is cleared, the clear.
func (e *Entry) Known() []ID {
	s := e.subject
	if s == nil {
		return nil
	}
	var known []ID
	if e.veiled[veilClear] {
		if last := e.in.veils[veilClear].last(); last != nil {
			known = append(known, last.ID)
		}
	}
	for _, c := range newHistory(s.changes).latest(func(*Entry) bool { return true }) {
		if len(known) < MaxAfter {
			known = append(known, c.ID)
		}
	}
	return known
}

// Story is everything that was said about a listed entry, in order: its twins, its
// changes, and what undid and redid them.
func (l *Ledger) Story(e *Entry) []*Entry {
	l.refresh()
	var story []*Entry
	if e.subject == nil {
		story = append(story, e)
	} else {
		story = append(append(story, e.subject.members...), e.subject.changes...)
	}
	seen := map[*Entry]bool{}
	for i := 0; i < len(story); i++ {
		for _, undo := range l.undos[story[i].ID] {
			if !seen[undo] {
				seen[undo] = true
				story = append(story, undo)
			}
		}
	}
	slices.SortFunc(story, Compare)
	return story
}

// UndoneBy gives the undos of an entry that are in effect.
func (l *Ledger) UndoneBy(e *Entry) []*Entry {
	l.refresh()
	return slices.DeleteFunc(slices.Clone(l.undos[e.ID]), func(u *Entry) bool { return !u.valid || u.Height <= e.Height })
}

// LastOf is an author's last entry in effect that is no undo; nil when there is
// none.
func (l *Ledger) LastOf(author Author) *Entry {
	for _, e := range slices.Backward(l.Entries()) {
		if e.Author == author && e.Body.Kind.Undoable() && e.Body.Kind != KindUndo && e.Standing() == Counts {
			return e
		}
	}
	return nil
}
