package merkle

import (
	"crypto/sha256"
	"encoding/hex"
)

// A Hash is a SHA-256 sum.
type Hash [sha256.Size]byte

// String is the lower-case hexadecimal form.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// The first byte of everything that is hashed says what it is, so that nothing
// can be passed off as something else:
//
//	path  = SHA-256(3 ‖ key)                the place of a key in the tree
//	leaf  = SHA-256(0 ‖ path ‖ SHA-256(4 ‖ value))
//	inner = SHA-256(1 ‖ left ‖ right)       bit 0 of the path is left
//	empty = SHA-256(2)
//
// A subtree without keys is empty, one with a single key is that key's leaf, at
// whatever depth; every other one is inner. So the shape follows from the keys.
const (
	tagLeaf byte = iota
	tagInner
	tagEmpty
	tagPath
	tagValue
)

// Empty is the root of a map without keys.
var Empty = Hash(sha256.Sum256([]byte{tagEmpty}))

// depthLimit is the number of bits of a path, and of steps in the longest proof.
const depthLimit = 8 * sha256.Size

func pathOf(key []byte) Hash      { return tagged(tagPath, key) }
func valueHash(value []byte) Hash { return tagged(tagValue, value) }

func tagged(tag byte, data []byte) Hash {
	var short [256]byte // most keys and values fit, and stay off the heap
	return sha256.Sum256(append(append(short[:0], tag), data...))
}

func leafHash(path, value Hash) Hash  { return pair(tagLeaf, path, value) }
func innerHash(left, right Hash) Hash { return pair(tagInner, left, right) }

func pair(tag byte, a, b Hash) Hash {
	var in [1 + 2*sha256.Size]byte
	in[0] = tag
	copy(in[1:], a[:])
	copy(in[1+len(a):], b[:])
	return sha256.Sum256(in[:])
}

// bit is the bit of the path that decides at that depth: 0 goes left.
func (h Hash) bit(depth int) int { return int(h[depth/8]>>(7-depth%8)) & 1 }

// nibble is the same for a page, which spans four depths.
func (h Hash) nibble(level int) int { return int(h[level/2]>>(4*(1-level%2))) & 15 }
