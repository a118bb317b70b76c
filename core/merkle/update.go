package merkle

import (
	"bytes"
	"slices"

	"intercom/core/fault"
	"intercom/core/store"
)

// An Update is a version with changes over it. It reads as the map would be
// after them; until it is written nothing is changed. It belongs to one
// goroutine.
type Update struct {
	tree    *Map
	base    record
	changes map[string]change

	built *built // the tree with all changes in it, if it is known
	spent bool
}

// change is what an update does to a key; as an item of a tree that is built it
// may also be a leaf that stays.
type change struct {
	entry  entry
	remove bool
	stays  *ref
}

// Update begins an update of the newest version.
func (m *Map) Update() (*Update, error) {
	head, err := m.head()
	if err != nil {
		return nil, err
	}
	return &Update{tree: m, base: head, changes: make(map[string]change)}, nil
}

// Get reads one value with the changes applied. The value is the caller's to
// read, not to change.
func (u *Update) Get(key []byte) (value []byte, ok bool, err error) {
	if c, changed := u.changes[string(key)]; changed {
		return c.entry.value, !c.remove, nil
	}
	return u.tree.nodes.get(u.base.root, pathOf(key))
}

// Set gives a key a value; both are copied.
func (u *Update) Set(key, value []byte) {
	u.change(key, change{entry: entry{value: bytes.Clone(value)}})
}

// Delete removes a key; one that is not there is no error.
func (u *Update) Delete(key []byte) { u.change(key, change{remove: true}) }

func (u *Update) change(key []byte, c change) {
	before, known := u.changes[string(key)]
	if known {
		c.entry.key, c.entry.path = before.entry.key, before.entry.path
	} else {
		c.entry.key, c.entry.path = bytes.Clone(key), pathOf(key)
	}
	u.changes[string(c.entry.key)] = c
	u.built = nil
}

// Root is the root that the map has with the changes. More may follow.
func (u *Update) Root() (Hash, error) {
	b, err := u.build()
	if err != nil {
		return Hash{}, err
	}
	return b.root.sum(), nil
}

func (u *Update) build() (*built, error) {
	if u.built != nil {
		return u.built, nil
	}
	sorted := make([]change, 0, len(u.changes))
	for _, c := range u.changes {
		sorted = append(sorted, c)
	}
	slices.SortFunc(sorted, func(a, b change) int { return compare(a.entry.path, b.entry.path) })
	b := &built{nodes: &u.tree.nodes}
	root, err := b.apply(u.base.root, 0, sorted)
	if err != nil {
		return nil, err
	}
	b.root = root
	u.built = b
	return b, nil
}

// Write puts the changes into the batch, as that version, and gives the root.
// They are in the map when the batch is committed, and never in part. The
// version is above the newest, as a block's height is; the first may be 0. Without changes to the
// content nothing is written and no version is made. An update is written once,
// and only on the version that it was begun on: anything else is a
// [fault.Conflict].
func (u *Update) Write(batch *store.Batch, version uint64) (Hash, error) {
	head, err := u.tree.head()
	if err != nil {
		return Hash{}, err
	}
	if u.spent || head.version != u.base.version || head.next != u.base.next {
		return Hash{}, fault.New(fault.Conflict, "the update of version %d was overtaken", u.base.version).
			WithHint("begin a new update of version %d", head.version)
	}
	if version <= head.version && head.next > 1 {
		return Hash{}, fault.New(fault.Conflict, "version %d is not above %d", version, head.version).
			WithHint("versions only grow")
	}
	b, err := u.build()
	if err != nil {
		return Hash{}, err
	}
	u.spent = true
	if b.root.sum() == u.base.root.sum() {
		return b.root.sum(), nil
	}
	w := writer{
		batch: batch.In(u.tree.nodes.space), next: u.base.next,
		written: written{pages: make(map[uint64]*page), entries: make(map[uint64]*entry)},
	}
	w.write(&b.root)
	return b.root.sum(), u.tree.conclude(&w, record{version: version, root: b.root, next: w.next}, b.replaced)
}

func compare(a, b Hash) int { return bytes.Compare(a[:], b[:]) }

// find is the index of the change of that path, or where it belongs.
func find(changes []change, path Hash) (int, bool) {
	return slices.BinarySearchFunc(changes, path, func(c change, p Hash) int { return compare(c.entry.path, p) })
}
