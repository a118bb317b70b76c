package ledger

import (
	"encoding/hex"
	"slices"
	"strings"
)

// ownSource begins the import ids that name an entry of a ledger.
const ownSource = "intersplit:"

// SourceOf is the import id of an entry that was exported from a ledger, by its id
// there. In that very ledger the two are one: whoever imported an export without
// having the original does not count it twice when the original comes.
func SourceOf(id string) string { return ownSource + id }

// origin is the entry that an import id names, if it does.
func origin(source string) (id ID, ok bool) {
	text, own := strings.CutPrefix(source, ownSource)
	return id, own && id.UnmarshalText([]byte(text)) == nil && hex.EncodeToString(id[:]) == text
}

// sourced finds the subject of entries with e's import id. An entry without one has
// that of its export.
func (l *Ledger) sourced(e *Entry) *subject {
	source := e.Body.Source()
	if source == "" {
		if len(l.sources) == 0 || e.Body.Kind == KindRule {
			return nil
		}
		return l.sources[SourceOf(hex.EncodeToString(e.ID[:]))]
	}
	s := l.sources[source]
	if id, own := origin(source); s == nil && own {
		if x := l.byID[id]; x != nil && x.Body.Kind.Subject() && x.Body.Kind != KindRule && x.Body.Source() == "" {
			s = x.subject
		}
	}
	return s
}

// admit adds an entry to a subject: the one whose export the others are comes
// first, so that nobody puts an older entry in its place; then by (height, id).
func (s *subject) admit(e *Entry) {
	first := 0
	if len(s.members) > 0 && s.members[0].Body.Source() == "" {
		first = 1
	}
	at := 0
	if e.Body.Source() != "" {
		at, _ = slices.BinarySearchFunc(s.members[first:], e, Compare)
		at += first
	}
	s.members = slices.Insert(s.members, at, e)
}

// BySource finds the entry that stands for an import id, in effect or not.
func (l *Ledger) BySource(source string) (*Entry, bool) {
	s, known := l.sources[source]
	if source == "" || !known {
		return nil, false
	}
	l.refresh()
	return s.base, s.base != nil
}
