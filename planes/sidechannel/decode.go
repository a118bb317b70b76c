package sidechannel

import (
	"bytes"
	"errors"
	"strconv"
)

// errForm is what is wrong with bytes that are no frame. Which byte it is helps
// nobody: a peer that speaks the protocol never sends them.
var errForm = errors.New("not a frame in its one form")

// decodeFrame reads the bytes that encode writes, and refuses every other: a
// relay cannot vary a frame, and nothing unsigned can ride on it. It allocates
// little and never looks at a byte twice, so the message is only measured here:
// whether it is JSON is found out when its canonical text is made.
func decodeFrame(data []byte) (*frame, error) {
	c := cursor{rest: data}
	f := &frame{}
	c.literal(frameHead)
	f.id = string(c.until('"', maxIDBytes))
	c.literal(`","channel":`)
	f.channel = string(c.quoted(maxQuotedName))
	c.literal(`,"from":"`)
	f.from = string(c.hex(keyDigits))
	c.literal(`","origin":`)
	origin := c.value()
	c.literal(`,"message":`)
	f.message = c.value()
	c.literal(`,"ts":`)
	f.ts = c.integer()
	c.literal(frameTTL)
	if c.next(`,"invite":`) {
		f.invite = c.value()
		c.bad = c.bad || len(f.invite) > maxCarriedInvite
	}
	if c.next(`,"pow":{"nonce":`) {
		f.pow = &proof{nonce: uint64(c.count())}
		c.literal(`,"difficulty":`)
		f.pow.difficulty = int(c.count())
		c.literal("}")
	}
	c.literal(frameTail)
	f.sig = string(c.hex(sigDigits))
	c.literal(`"}`)
	if c.bad || len(c.rest) > 0 {
		return nil, errForm
	}
	f.origin = string(origin) == `"`+f.from+`"`
	if !f.origin && string(origin) != "null" {
		return nil, errForm
	}
	return f, nil
}

const (
	maxIDBytes    = keyDigits + 1 + maxTSDigits + 1 + idTail
	maxTSDigits   = 15                 // 31 thousand years
	maxQuotedName = 2*maxNameBytes + 2 // every character may need a backslash

	maxCarriedInvite = 4096
	maxNonce         = 1<<40 - 1 // beyond what 30 bits ever take
)

// cursor takes a text apart from the left. The first thing that does not fit
// makes it bad, and then it gives nothing more.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) take(n int) []byte {
	if c.bad || n < 0 || n > len(c.rest) {
		c.bad = true
		return nil
	}
	taken := c.rest[:n:n]
	c.rest = c.rest[n:]
	return taken
}

func (c *cursor) literal(text string) {
	if string(c.take(len(text))) != text {
		c.bad = true
	}
}

// next takes a text if it stands there.
func (c *cursor) next(text string) bool {
	if c.bad || !bytes.HasPrefix(c.rest, []byte(text)) {
		return false
	}
	c.rest = c.rest[len(text):]
	return true
}

// until takes what stands before the first end, at most limit bytes.
func (c *cursor) until(end byte, limit int) []byte {
	window := c.rest[:min(limit+1, len(c.rest))]
	return c.take(bytes.IndexByte(window, end))
}

// hex takes n lower-case hex digits.
func (c *cursor) hex(n int) []byte {
	digits := c.take(n)
	for _, d := range digits {
		if (d < '0' || d > '9') && (d < 'a' || d > 'f') {
			c.bad = true
			return nil
		}
	}
	return digits
}

// count takes 0 or a positive decimal number of a proof of work.
func (c *cursor) count() int64 {
	if len(c.rest) > 1 && c.rest[0] == '0' && (c.rest[1] < '0' || c.rest[1] > '9') {
		c.take(1)
		return 0
	}
	n := c.integer()
	c.bad = c.bad || n > maxNonce
	return n
}

// integer takes a positive decimal number as JSON writes it.
func (c *cursor) integer() int64 {
	n := 0
	for n < len(c.rest) && c.rest[n] >= '0' && c.rest[n] <= '9' {
		n++
	}
	digits := c.take(n)
	if n == 0 || n > maxTSDigits || digits == nil || digits[0] == '0' {
		c.bad = true
		return 0
	}
	value, err := strconv.ParseInt(string(digits), 10, 64)
	c.bad = c.bad || err != nil
	return value
}

// quoted takes one JSON string of at most limit bytes, with its quotes.
func (c *cursor) quoted(limit int) []byte {
	return c.take(stringEnd(c.rest[:min(limit, len(c.rest))]))
}

// value takes what extends like one JSON value.
func (c *cursor) value() []byte {
	if c.bad {
		return nil
	}
	return c.take(valueEnd(c.rest))
}

// valueEnd measures the JSON value that b begins with; -1 when there is none or
// it does not end. Only brackets and quotes are looked at.
func valueEnd(b []byte) int {
	if len(b) == 0 {
		return -1
	}
	switch b[0] {
	case '"':
		return stringEnd(b)
	case '{', '[':
		return bracketEnd(b)
	default:
		return bytes.IndexAny(b, ",:]}\" ")
	}
}

// stringEnd is linear in the string: neither quotes nor backslashes are looked
// for twice.
func stringEnd(b []byte) int {
	if len(b) == 0 || b[0] != '"' {
		return -1
	}
	quote := 0 // the next one that may end the string
	for at := 1; ; {
		if quote < at {
			next := bytes.IndexByte(b[at:], '"')
			if next < 0 {
				return -1
			}
			quote = at + next
		}
		escape := bytes.IndexByte(b[at:quote], '\\')
		if escape < 0 {
			return quote + 1
		}
		at += escape + 2
	}
}

func bracketEnd(b []byte) int {
	depth := 0
	for at := 0; at < len(b); at++ {
		switch b[at] {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return at + 1
			}
		case '"':
			end := stringEnd(b[at:])
			if end < 0 {
				return -1
			}
			at += end - 1
		}
	}
	return -1
}
