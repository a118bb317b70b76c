package canon

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// A member is where an object's member stands in the output, and where it began
// when it was read: `"name":value` is out[start:end], its quoted name ends at
// nameEnd.
type member struct{ start, nameEnd, end int }

// An arrangement puts the members of the object whose text begins at start into
// order, and drops all but the last of each name.
type arrangement func(w *writer, members []member, start int)

// name is the canonical text of a member's name, without its quotes. Canonical
// text is one to one, so equal texts are equal names.
func (w *writer) name(m member) []byte { return w.out[m.start+1 : m.nameEnd-1] }

// byName orders members by name and those of one name as they were read.
func (w *writer) byName(a, b member) int {
	return cmp.Or(compareUTF16(w.name(a), w.name(b)), cmp.Compare(a.start, b.start))
}

// sorted is the order of canonical text.
func sorted(w *writer, members []member, start int) {
	rising := func(i int) bool { return compareUTF16(w.name(members[i-1]), w.name(members[i])) < 0 }
	i := 1
	for i < len(members) && rising(i) {
		i++
	}
	if i == len(members) {
		return
	}
	slices.SortFunc(members, w.byName)
	kept := members[:0]
	for i, m := range members {
		if i+1 == len(members) || !bytes.Equal(w.name(m), w.name(members[i+1])) {
			kept = append(kept, m)
		}
	}
	w.reorder(kept, start)
}

// inserted is the order in which JavaScript keeps members.
func inserted(w *writer, members []member, start int) {
	if w.settled(members) {
		return
	}
	slices.SortFunc(members, w.byName)
	type placed struct {
		member
		index uint64 // of an array index; the same for every other name
		first int    // where the name was first read
	}
	var kept []placed
	first := -1
	for i, m := range members {
		if first < 0 {
			first = m.start
		}
		if i+1 < len(members) && bytes.Equal(w.name(m), w.name(members[i+1])) {
			continue
		}
		kept = append(kept, placed{m, arrayIndex(w.name(m)), first})
		first = -1
	}
	slices.SortFunc(kept, func(a, b placed) int {
		return cmp.Or(cmp.Compare(a.index, b.index), cmp.Compare(a.first, b.first))
	})
	members = members[:0]
	for _, p := range kept {
		members = append(members, p.member)
	}
	w.reorder(members, start)
}

// settled reports that a small object surely is in JavaScript's order already.
func (w *writer) settled(members []member) bool {
	if len(members) > 12 {
		return false
	}
	for i, m := range members {
		if arrayIndex(w.name(m)) != noIndex {
			return false
		}
		for _, earlier := range members[:i] {
			if bytes.Equal(w.name(m), w.name(earlier)) {
				return false
			}
		}
	}
	return true
}

// reorder rewrites the text from start on as the given members.
func (w *writer) reorder(members []member, start int) {
	w.spare = w.spare[:0]
	for i, m := range members {
		if i > 0 {
			w.spare = append(w.spare, ',')
		}
		w.spare = append(w.spare, w.out[m.start:m.end]...)
	}
	w.out = append(w.out[:start], w.spare...)
}

const noIndex = 1<<32 - 1

// arrayIndex is the number that an ECMAScript array index says, 0 to 2^32-2 in
// its shortest form, or noIndex.
func arrayIndex(name []byte) uint64 {
	if len(name) == 0 || len(name) > 10 || name[0] < '0' || name[0] > '9' || (name[0] == '0' && len(name) > 1) {
		return noIndex
	}
	v, err := strconv.ParseUint(string(name), 10, 64)
	if err != nil {
		return noIndex
	}
	return min(v, noIndex)
}
