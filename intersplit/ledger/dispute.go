package ledger

import (
	"maps"
	"slices"
)

// mostDisputes bounds the names that are told as disputed: whoever disputes
// thousands must not make every answer long.
const mostDisputes = 64

// disputed finds the names that entries in effect gave to different members
// without knowing of each other, by name. One that knows all that were made of a
// name, or whose author named them all and renamed or merged the member further,
// settles it. all is by (height, id).
func disputed(all []*Entry, namers map[ID][]*Entry) []Conflict {
	of := map[Name][]*Entry{}
	for _, e := range all {
		of[e.Body.Alias.From] = append(of[e.Body.Alias.From], e)
	}
	var found []Conflict
	for _, name := range slices.Sorted(maps.Keys(of)) {
		latest := newHistory(of[name]).latest(func(*Entry) bool { return true })
		latest = latest[:min(len(latest), MaxAfter)] // as many as one entry can name
		if c, ok := dispute(name, latest); ok && !settles(namers[c.Counts], latest) {
			found = append(found, c)
		}
	}
	return found
}

// namers finds who names an alias as known.
func namers(all []*Entry) map[ID][]*Entry {
	by := map[ID][]*Entry{}
	for _, e := range all {
		for _, id := range e.Body.Alias.After {
			by[id] = append(by[id], e)
		}
	}
	return by
}

// share notes that two members were given one name by renames: nobody who knew of
// the first would have made the second, since two who are one are merged.
func (a *aliases) share(first, second *Entry, namers map[ID][]*Entry) {
	if first == nil || slices.Contains(second.Body.Alias.After, first.ID) || settles(namers[second.ID], []*Entry{first, second}) {
		return
	}
	a.disputed = append(a.disputed, Conflict{
		Field: FieldShared, Member: second.Body.Alias.To, Counts: second.ID, Others: []ID{first.ID},
		Names: []Name{second.Body.Alias.From, first.Body.Alias.From},
	})
}

// dispute compares what the latest aliases of a name make of it; the greatest
// comes first and counts.
func dispute(name Name, latest []*Entry) (Conflict, bool) {
	c := Conflict{Field: FieldName, Member: name, Counts: latest[0].ID, Names: []Name{latest[0].Body.Alias.To}}
	for _, e := range latest[1:] {
		to := e.Body.Alias.To
		if to == c.Names[0] {
			continue
		}
		c.Others = append(c.Others, e.ID)
		if !slices.Contains(c.Names, to) {
			c.Names = append(c.Names, to)
		}
	}
	return c, len(c.Others) > 0
}

// settles says whether one of the later entries names all aliases as known.
func settles(by []*Entry, aliases []*Entry) bool {
	return slices.ContainsFunc(by, func(e *Entry) bool {
		return !slices.ContainsFunc(aliases, func(a *Entry) bool {
			return a.Height >= e.Height || !slices.Contains(e.Body.Alias.After, a.ID)
		})
	})
}

// Disputes gives the members whom entries renamed or merged differently without
// knowing of each other, by the name that they had, and then those who were given
// the name of another; at most 64. One who knows
// them and renames or merges the member again settles it, and so does an undo of
// all but one.
func (l *Ledger) Disputes() []Conflict {
	l.refresh()
	return l.names.disputed[:min(len(l.names.disputed), mostDisputes)]
}

// DisputesOf gives the disputes that renaming or merging a member settles: over
// the name that it had, or over what others called it.
func (l *Ledger) DisputesOf(member Name) []Conflict {
	l.refresh()
	var about []Conflict
	for _, c := range l.names.disputed {
		if c.Member == member || c.Field == FieldName && (l.names.nameOf(c.Member) == member || slices.Contains(c.Names, member)) {
			about = append(about, c)
		}
	}
	return about
}

// partIn finds the dispute that each alias is part of.
func partIn(disputes []Conflict) map[ID]Conflict {
	part := map[ID]Conflict{}
	for _, c := range disputes {
		part[c.Counts] = c
		for _, id := range c.Others {
			part[id] = c
		}
	}
	return part
}
