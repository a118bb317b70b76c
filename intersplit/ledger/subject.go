package ledger

import (
	"bytes"
	"slices"
)

// Standing is why an entry counts or does not.
type Standing int

// The standings of an entry.
const (
	Counts  Standing = iota + 1
	Deleted          // by a delete
	Undone           // by an undo
	Cleared          // by a clear
	Twin             // another entry has its import id and counts in its place
	Void             // unsupported
)

// Conflict is what two members said without knowing of each other, until somebody
// who knows both says it again. Field is one of the entry's, or "deleted" or
// "cleared" for a change that meets a delete or a clear, or "source" for two
// contents under one import id, or "name" for a member who was renamed or merged
// twice, or "shared" for two members who were renamed to one name and so are one.
type Conflict struct {
	Field  Field
	Counts ID   // the entry that counts
	Others []ID // and those that do not

	// Of [FieldName]: the member's name before, and what the entries make of it,
	// the one that counts first. Of [FieldShared]: the name of now, and the two
	// before.
	Member Name
	Names  []Name
}

// Fields of a conflict besides the entry's own.
const (
	FieldDeleted Field = "deleted"
	FieldCleared Field = "cleared"
	FieldSource  Field = "source"
	FieldName    Field = "name"
	FieldShared  Field = "shared"
)

// subject is an entry of the list and all that changes it. Entries with one
// import id are one subject.
type subject struct {
	members []*Entry // see admit
	changes []*Entry // edits, deletes, restores, by (height, id)
	queued  bool

	// What refresh works out of these:
	base      *Entry // the member that stands for it
	standing  Standing
	now       *Body
	conflicts []Conflict

	posted       *Body // in the books; nil when none is
	postedClosed bool
	clearedOnce  bool // counted among the cleared
}

// found adds an entry that is listed.
func (l *Ledger) found(e *Entry) {
	s := l.sourced(e)
	if s == nil {
		s = &subject{}
	}
	if source := e.Body.Source(); source != "" {
		l.sources[source] = s
	}
	s.admit(e)
	e.subject = s
	for _, r := range l.revising[e.ID] {
		if r.Height > e.Height {
			s.changes = insert(s.changes, r)
			r.subject = s
		}
	}
	delete(l.revising, e.ID)
	l.change(s)
}

// revise adds an edit, a delete or a restore. Its target may be missing: whoever
// makes an entry without being honest can name what is none of its ancestors.
func (l *Ledger) revise(e *Entry, target ID) {
	on, here := l.byID[target]
	switch {
	case !here:
		l.revising[target] = append(l.revising[target], e)
	case on.Body.Kind.Subject() && e.Height > on.Height: // as every honest one is
		e.subject = on.subject
		e.subject.changes = insert(e.subject.changes, e)
		l.change(e.subject)
	}
}

func insert(list []*Entry, e *Entry) []*Entry {
	at, _ := slices.BinarySearchFunc(list, e, Compare)
	return slices.Insert(list, at, e)
}

func (l *Ledger) change(s *subject) {
	if !s.queued {
		s.queued = true
		l.changed = append(l.changed, s)
	}
}

// settle works out a subject and puts it into the books.
func (l *Ledger) settle(s *subject) {
	s.queued = false
	s.work()
	var now *Body
	if s.standing == Counts {
		now = s.now
	}
	closed := s.base.veiled[veilClose]
	if now != s.posted || closed != s.postedClosed {
		if s.posted != nil {
			l.post(s.posted, -1, s.postedClosed)
		}
		if now != nil {
			l.post(now, +1, closed)
		}
		s.posted, s.postedClosed = now, closed
	}
	if cleared := s.standing == Cleared && s.base.Body.Kind != KindRule; cleared != s.clearedOnce {
		s.clearedOnce = cleared
		if cleared {
			l.cleared++
		} else {
			l.cleared--
		}
	}
}

// work finds the member that stands for the subject, what it comes to, and why.
func (s *subject) work() {
	s.conflicts = nil
	s.base, s.standing = s.stand()
	s.now = &s.base.Body
	if len(s.members) > 1 {
		s.compareTwins()
	}
	if len(s.changes) == 0 {
		return
	}
	h := newHistory(s.changes)
	s.now = s.merge(h)
	if s.standing == Cleared && s.revived(h) {
		s.standing = Counts
	}
	if s.standing == Counts && s.deleted(h) {
		s.standing = Deleted
	}
}

// stand picks the first member that counts; where none does, the first that would
// but for a clear.
func (s *subject) stand() (*Entry, Standing) {
	var cleared *Entry
	for _, m := range s.members {
		switch {
		case m.valid && !m.veiled[veilClear]:
			return m, Counts
		case m.valid && cleared == nil:
			cleared = m
		}
	}
	if cleared != nil {
		return cleared, Cleared
	}
	return s.members[0], Undone
}

// mostCompared bounds how many others a conflict is looked for in: whoever writes
// thousands that differ must not cost every reader thousands of comparisons.
const mostCompared = 64

// compareTwins marks a subject whose import id came with two contents.
func (s *subject) compareTwins() {
	text := content(&s.base.Body)
	conflict := Conflict{Field: FieldSource, Counts: s.base.ID}
	for _, m := range s.members[:min(len(s.members), mostCompared)] {
		if m != s.base && m.valid && !bytes.Equal(content(&m.Body), text) {
			conflict.Others = append(conflict.Others, m.ID)
		}
	}
	if len(conflict.Others) > 0 {
		s.conflicts = append(s.conflicts, conflict)
	}
}

// content is what a body says, without its author's key and its import id.
func content(b *Body) []byte {
	plain := *b
	switch {
	case b.Expense != nil:
		x := *b.Expense
		x.Key, x.Source = "", ""
		plain.Expense = &x
	case b.Payment != nil:
		p := *b.Payment
		p.Key, p.Source = "", ""
		plain.Payment = &p
	case b.Settlement != nil:
		t := *b.Settlement
		t.Source = ""
		plain.Settlement = &t
	}
	raw, err := plain.Encode()
	if err != nil {
		panic("ledger: a body that was checked cannot be written: " + err.Error())
	}
	return raw
}

// merge gives the body with every field as the latest edits have it.
func (s *subject) merge(h *history) *Body {
	now := &s.base.Body
	for _, field := range fields {
		latest := h.latest(func(e *Entry) bool {
			return e.valid && e.Body.Edit != nil && e.Body.Edit.sets(field, s.base.Body.Kind)
		})
		if len(latest) == 0 {
			continue
		}
		now = now.edited(latest[0].Body.Edit, field)
		s.dispute(field, latest)
	}
	return now
}

// dispute marks a field that several edits set to different values. The greatest
// comes first and counts.
func (s *subject) dispute(field Field, latest []*Entry) {
	conflict := Conflict{Field: field, Counts: latest[0].ID}
	value := content(s.base.Body.edited(latest[0].Body.Edit, field))
	for _, e := range latest[1:min(len(latest), mostCompared)] {
		if !bytes.Equal(value, content(s.base.Body.edited(e.Body.Edit, field))) {
			conflict.Others = append(conflict.Others, e.ID)
		}
	}
	if len(conflict.Others) > 0 {
		s.conflicts = append(s.conflicts, conflict)
	}
}

// revived says whether a cleared subject was changed or restored by somebody who
// did not know of the clear, or restored it knowingly.
func (s *subject) revived(h *history) bool {
	conflict := Conflict{Field: FieldCleared}
	settled := false
	for _, e := range slices.Backward(s.changes) {
		if !e.valid || e.veiled[veilClear] || e.Body.Kind == KindDelete {
			continue
		}
		if conflict.Counts == (ID{}) {
			conflict.Counts = e.ID
		}
		settled = settled || h.knewClear(e)
	}
	if conflict.Counts == (ID{}) {
		return false
	}
	if !settled {
		s.conflicts = append(s.conflicts, conflict)
	}
	return true
}
