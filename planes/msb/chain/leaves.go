package chain

import (
	"encoding/binary"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/merkle"
)

// A light client asks for some leaves of one state, and gets each with its proof.
//
//	question: height u64 ‖ count u16 ‖ (length u8 ‖ key)*
//	answer:   1 ‖ (present u8 ‖ length u32 ‖ value ‖ length u32 ‖ proof)*
//
// The answer names neither root nor height: the one who asked has the root, from
// a signed header, and an answer is right under it or is none.
const (
	queryLeaves = "leaves"

	// maxLeaves bounds a question; what they answer stays below bft.MaxAnswer at
	// any size that a state can have.
	maxLeaves = 128
	// maxKey is above the longest key of a leaf.
	maxKey = 64
	// maxValue is above the longest value, the list of the validators.
	maxValue = 8 << 10
)

func encodeQuestion(height int64, keys [][]byte) []byte {
	out := binary.BigEndian.AppendUint64(nil, uint64(height))
	out = binary.BigEndian.AppendUint16(out, uint16(len(keys)))
	for _, key := range keys {
		out = append(append(out, byte(len(key))), key...)
	}
	return out
}

func decodeQuestion(raw []byte) (height int64, keys [][]byte, err error) {
	c := &cursor{rest: raw}
	height = int64(c.number(8))
	n := int(c.number(2))
	if height < 0 || n == 0 || n > maxLeaves {
		c.bad = true
	}
	for range n {
		key := c.take(int(c.number(1)))
		if len(key) == 0 || len(key) > maxKey {
			c.bad = true
		}
		if c.bad {
			break
		}
		keys = append(keys, key)
	}
	return height, keys, c.end("question")
}

// answer is a row of leaves with their proofs.
type answer struct{ out []byte }

func newAnswer() *answer { return &answer{out: []byte{1}} }

func (a *answer) add(value []byte, present bool, proof []byte) {
	flag := byte(0)
	if present {
		flag = 1
	}
	a.out = append(a.out, flag)
	for _, part := range [][]byte{value, proof} {
		a.out = append(binary.BigEndian.AppendUint32(a.out, uint32(len(part))), part...)
	}
}

// verifyAnswer takes an answer apart and checks it against the root; what holds
// are leaves to read the bus from. The bytes may come from anyone.
func verifyAnswer(root bft.Hash, keys [][]byte, raw []byte) (leaves, error) {
	c := &cursor{rest: raw}
	c.bad = c.number(1) != 1
	found := make(leaves, len(keys))
	for _, key := range keys {
		present, value := c.number(1), c.blob(maxValue)
		proof := c.blob(merkle.MaxProof)
		if c.bad || present > 1 || (present == 0 && len(value) > 0) {
			c.bad = true
			break
		}
		var err error
		if present == 1 {
			err = merkle.VerifyPresent(merkle.Hash(root), key, value, proof)
		} else {
			err = merkle.VerifyAbsent(merkle.Hash(root), key, proof)
		}
		if err != nil {
			return nil, err
		}
		found[string(key)] = leaf{value: value, present: present == 1}
	}
	return found, c.end("answer")
}

// leaves are verified leaves of one state: a [bus.Source] of what was asked for.
type leaves map[string]leaf

type leaf struct {
	value   []byte
	present bool
}

// Get reads one of the leaves.
func (l leaves) Get(key []byte) (value []byte, ok bool, err error) {
	found, asked := l[string(key)]
	if !asked {
		return nil, false, fault.New(fault.Internal, "leaf %q was not asked for", key)
	}
	return found.value, found.present, nil
}

// cursor takes such bytes apart; after the first thing that is wrong it gives
// zeros.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n > len(c.rest) {
		c.bad = true
		return nil
	}
	out := c.rest[:n:n]
	c.rest = c.rest[n:]
	return out
}

func (c *cursor) number(size int) (n uint64) {
	for _, b := range c.take(size) {
		n = n<<8 | uint64(b)
	}
	return n
}

func (c *cursor) blob(limit int) []byte {
	n := c.number(4)
	if n > uint64(limit) {
		c.bad = true
		return nil
	}
	return c.take(int(n))
}

func (c *cursor) end(what string) error {
	if c.bad || len(c.rest) != 0 {
		return fault.New(fault.Invalid, "these bytes are no %s", what).WithHint("whoever sent them is wrong or lies; ask another")
	}
	return nil
}
