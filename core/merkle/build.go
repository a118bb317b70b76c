package merkle

import (
	"bytes"
	"slices"
)

// built is a tree made of an older one and changes. It shares what did not
// change.
type built struct {
	nodes    *nodes
	root     ref
	replaced []uint64 // numbers that the older tree has and this one has not
}

// apply gives what a place becomes by changes, which are sorted by path and all
// lie below it. What does not change stays the same ref.
func (b *built) apply(at ref, level int, changes []change) (ref, error) {
	switch {
	case len(changes) == 0:
		return at, nil
	case at.kind == inner:
		return b.applyPage(at, level, changes)
	case at.kind == leaf:
		merged, err := b.withLeaf(at, changes)
		if err != nil {
			return ref{}, err
		}
		changes = merged
	}
	live := slices.DeleteFunc(slices.Clone(changes), func(c change) bool { return c.remove })
	return grow(live, level), nil
}

func (b *built) applyPage(at ref, level int, changes []change) (ref, error) {
	old, err := b.nodes.page(&at)
	if err != nil {
		return ref{}, err
	}
	fresh, changed := *old, false
	for place, group := range groups(changes, level) {
		child, err := b.apply(old[place], level+1, group)
		if err != nil {
			return ref{}, err
		}
		if child.kind != old[place].kind || child.hash != old[place].hash {
			fresh[place], changed = child, true
		}
	}
	if !changed {
		return at, nil
	}
	b.replace(at)
	return fresh.sealed(), nil
}

// withLeaf puts the leaf that is at the place among the changes, unless one of
// them is about it.
func (b *built) withLeaf(at ref, changes []change) ([]change, error) {
	e, err := b.nodes.entry(&at)
	if err != nil {
		return nil, err
	}
	stays := change{entry: *e, stays: &at}
	i, found := find(changes, e.path)
	if !found {
		return slices.Insert(slices.Clone(changes), i, stays), nil
	}
	if !changes[i].remove && bytes.Equal(changes[i].entry.value, e.value) {
		changes = slices.Clone(changes)
		changes[i] = stays
		return changes, nil
	}
	b.replace(at)
	return changes, nil
}

func (b *built) replace(at ref) {
	if at.id != 0 {
		b.replaced = append(b.replaced, at.id)
	}
}

// grow makes a tree of leaves alone.
func grow(live []change, level int) ref {
	switch len(live) {
	case 0:
		return ref{}
	case 1:
		return live[0].leaf()
	}
	p := new(page)
	for place, group := range groups(live, level) {
		p[place] = grow(group, level+1)
	}
	return p.sealed()
}

func (c *change) leaf() ref {
	if c.stays != nil {
		return *c.stays
	}
	return ref{kind: leaf, hash: leafHash(c.entry.path, valueHash(c.entry.value)), entry: &c.entry}
}

// groups yields the changes by their place in a page, in order.
func groups(changes []change, level int) func(yield func(place int, group []change) bool) {
	return func(yield func(int, []change) bool) {
		for len(changes) > 0 {
			place := changes[0].entry.path.nibble(level)
			size := slices.IndexFunc(changes, func(c change) bool { return c.entry.path.nibble(level) != place })
			if size < 0 {
				size = len(changes)
			}
			if !yield(place, changes[:size:size]) {
				return
			}
			changes = changes[size:]
		}
	}
}
