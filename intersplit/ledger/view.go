package ledger

// Shown says whether the entry belongs in a list: it counts, or this version does
// not support it and no clear has covered it.
func (e *Entry) Shown() bool {
	switch standing := e.Standing(); {
	case e.Body.Kind.Subject():
		return standing == Counts
	default:
		return standing == Void && !e.veiled[veilClear]
	}
}

// Standing says whether the entry is in effect, and why not. The ledger must have
// been asked for something since the last [Ledger.Apply].
func (e *Entry) Standing() Standing {
	s := e.subject
	switch {
	case e.Body.Kind == KindUnsupported:
		return Void
	case e.Body.Kind.Subject() && s != nil && e == s.base:
		return s.standing
	case !e.valid:
		return Undone
	case e.veiled[veilClear] && e.Body.Kind != KindUndo:
		return Cleared
	case e.Body.Kind.Subject() && s != nil && s.standing == Deleted:
		return Deleted
	case e.Body.Kind.Subject() && s != nil: // a preview stands nowhere yet
		return Twin
	}
	return Counts
}

// Closed says whether a close has taken the entry out of totals and lists.
func (e *Entry) Closed() bool { return e.veiled[veilClose] }

// Conflicts is what members said of the entry, or of the member whom it renames
// or merges, without knowing of each other.
func (e *Entry) Conflicts() []Conflict {
	if e.Body.Alias != nil && e.in != nil && e.in.names != nil {
		if c, part := e.in.names.partIn[e.ID]; part {
			return []Conflict{c}
		}
	}
	if e.subject == nil || e != e.subject.base {
		return nil
	}
	return e.subject.conflicts
}

// Current is what the entry says now: with the edits in effect, and members under
// the names that they have now.
func (e *Entry) Current() Body {
	if e.in == nil {
		return e.Body
	}
	if e.subject != nil && e == e.subject.base {
		return e.in.named(e.subject.now)
	}
	return e.in.named(&e.Body)
}

// Merged is what the entry says now under the names that its author used: what an
// edit starts from.
func (e *Entry) Merged() Body {
	if e.subject != nil && e == e.subject.base {
		return *e.subject.now
	}
	return e.Body
}

// Unedited is what the entry itself says, with members under the names that they
// have now.
func (e *Entry) Unedited() Body {
	if e.in == nil {
		return e.Body
	}
	return e.in.named(&e.Body)
}

// Listed is the entry that stands in the list for this one: the one that an edit
// or a delete changes, or the first with the same import id; nil for an entry
// that is about no other.
func (e *Entry) Listed() *Entry {
	if e.subject == nil {
		return nil
	}
	return e.subject.base
}
