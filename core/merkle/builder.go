package merkle

import (
	"math/bits"

	"intercom/core/fault"
)

// A Builder computes the root of a listed content, key by key in the order of
// [View.Scan], in memory that does not grow with the list. The zero Builder is
// ready.
type Builder struct {
	// open are subtrees that are finished, left to right, none inside another;
	// meets[i] is the depth at which open[i] and open[i+1] part. It grows along
	// the list, so there are never more than the depth of the tree.
	open  []subtree
	meets []int
	last  Hash
}

// subtree is one leaf, or all leaves that share a path down to a depth where
// they part.
type subtree struct {
	path  Hash // of any leaf in it
	hash  Hash
	leaf  bool
	depth int // of the inner node, unless it is a leaf
}

// Add takes the next key. One that is not behind its predecessor is a
// [fault.Invalid]: the list is not sorted, or has it twice.
func (b *Builder) Add(key, value []byte) error {
	path := pathOf(key)
	if len(b.open) > 0 {
		if compare(b.last, path) >= 0 {
			return fault.New(fault.Invalid, "the list is not in order at key %x", key).
				WithHint("whoever sent it is broken or hostile: ask another")
		}
		part := common(b.last, path)
		b.close(part)
		b.meets = append(b.meets, part)
	}
	b.last = path
	b.open = append(b.open, subtree{path: path, hash: leafHash(path, valueHash(value)), leaf: true})
	return nil
}

// close joins what parts below that depth: nothing can come between any more.
func (b *Builder) close(depth int) {
	for n := len(b.meets); n > 0 && b.meets[n-1] > depth; n-- {
		at := b.meets[n-1]
		left, right := &b.open[n-1], &b.open[n]
		b.open[n-1] = subtree{path: left.path, hash: innerHash(left.lifted(at+1), right.lifted(at+1)), depth: at}
		b.open, b.meets = b.open[:n], b.meets[:n-1]
	}
}

// lifted is the hash of the subtree at a depth above its own.
func (s *subtree) lifted(depth int) Hash {
	hash := s.hash
	for at := s.depth - 1; at >= depth && !s.leaf; at-- {
		if s.path.bit(at) == 0 {
			hash = innerHash(hash, Empty)
		} else {
			hash = innerHash(Empty, hash)
		}
	}
	return hash
}

// Root is the root of what was added; after it nothing can be added.
func (b *Builder) Root() Hash {
	if len(b.open) == 0 {
		return Empty
	}
	b.close(-1)
	return b.open[0].lifted(0)
}

// common is how many bits the two paths have in common at the beginning.
func common(a, b Hash) int {
	for i := range a {
		if a[i] != b[i] {
			return 8*i + bits.LeadingZeros8(a[i]^b[i])
		}
	}
	return depthLimit
}
