package contract

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
)

// An index keeps the keys of one collection in order: a B+ tree in leaves of its
// own. The state's map is ordered by hashes, so it cannot.
//
// A node of level 0 holds keys, one above holds the bounds of the nodes below; a
// node's bound is the least key that may be in it, and its name:
//
//	"ax" ‖ prefix ‖ 0 ‖ level ‖ bound → (u16 length ‖ key)*
//	"ax" ‖ prefix ‖ 0 ‖ 255           → level of the root
//
// The first node of every level has the bound "". A node that grows above
// nodeKeys gives its upper half to a new one; one that becomes empty goes away, but
// for the first. So any number of keys is within a few reads, whoever chose them.
type index struct {
	call   *Call
	prefix string
}

const (
	nodeKeys  = 32
	rootLevel = 255
)

func (x *index) leafOf(level byte, bound string) []byte {
	return slices.Concat([]byte{byte(Own), ownIndex}, []byte(x.prefix), []byte{0, level}, []byte(bound))
}

func (x *index) top() byte {
	if value := x.call.leaf(x.leafOf(rootLevel, "")); len(value) == 1 {
		return value[0]
	}
	return 0
}

func (x *index) node(level byte, bound string) []string {
	var keys []string
	rest := x.call.leaf(x.leafOf(level, bound))
	for len(rest) >= 2 {
		size := int(binary.BigEndian.Uint16(rest))
		if size > len(rest)-2 {
			break
		}
		keys = append(keys, string(rest[2:2+size]))
		rest = rest[2+size:]
	}
	return keys
}

func (x *index) write(level byte, bound string, keys []string) {
	leaf := x.leafOf(level, bound)
	if len(keys) == 0 {
		x.call.draft.Delete(leaf)
		return
	}
	var value []byte
	for _, key := range keys {
		value = append(binary.BigEndian.AppendUint16(value, uint16(len(key))), key...)
	}
	x.call.spend(len(leaf) + len(value))
	x.call.draft.Set(leaf, value)
}

// descend gives the bounds of the nodes on the way to a key, from the level 0
// upward, and the bound of the leaf node after it, if there is one.
func (x *index) descend(key string) (path []string, next string, more bool) {
	path = make([]string, int(x.top())+1)
	for level := len(path) - 1; level > 0; level-- {
		bounds := x.node(byte(level), path[level])
		at, found := slices.BinarySearch(bounds, key)
		if !found {
			at = max(at-1, 0) // what was before the first bound went away: the first takes its place
		}
		if at+1 < len(bounds) {
			next, more = bounds[at+1], true
		}
		path[level-1] = bounds[at]
	}
	return path, next, more
}

func (x *index) insert(key string) {
	path, _, _ := x.descend(key)
	for level, bound := range path {
		keys := x.node(byte(level), bound)
		at, found := slices.BinarySearch(keys, key)
		if found {
			return
		}
		keys = slices.Insert(keys, at, key)
		if len(keys) <= nodeKeys {
			x.write(byte(level), bound, keys)
			return
		}
		half := len(keys) / 2
		x.write(byte(level), bound, keys[:half])
		x.write(byte(level), keys[half], keys[half:])
		key = keys[half] // for the level above
	}
	x.write(byte(len(path)), "", []string{"", key})
	x.call.draft.Set(x.leafOf(rootLevel, ""), []byte{byte(len(path))})
}

func (x *index) remove(key string) {
	path, _, _ := x.descend(key)
	for level, bound := range path {
		keys := x.node(byte(level), bound)
		at, found := slices.BinarySearch(keys, key)
		if !found {
			return
		}
		keys = slices.Delete(keys, at, at+1)
		x.write(byte(level), bound, keys)
		if len(keys) > 0 || bound == "" {
			return
		}
		key = bound // the node is gone: so is its bound in the level above
	}
}

func (x *index) each(prefix, after string, visit func(key string, value json.RawMessage) bool) {
	from := max(prefix, after)
	for {
		path, next, more := x.descend(from)
		for _, key := range x.node(0, path[0]) {
			if key < prefix || key <= after {
				continue
			}
			if !strings.HasPrefix(key, prefix) {
				return
			}
			if value := x.call.Get(key); value != nil && !visit(key, value) {
				return
			}
		}
		if !more {
			return
		}
		from = next
	}
}
