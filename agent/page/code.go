package page

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"time"
)

// CodeLife is how long a code may be exchanged.
const CodeLife = 15 * time.Minute

// maxCodes bounds the codes that may be exchanged; the oldest goes first.
const maxCodes = 16

// codes are the codes that were not exchanged yet, by their hashes.
type codes struct {
	open []code // oldest first
}

type code struct {
	hash  [sha256.Size]byte
	until time.Time
}

// mint makes a code.
func (c *codes) mint(now time.Time) string {
	var raw [16]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	text := hex.EncodeToString(raw[:])
	if len(c.open) == maxCodes {
		c.open = append(c.open[:0], c.open[1:]...)
	}
	c.open = append(c.open, code{sha256.Sum256([]byte(text)), now.Add(CodeLife)})
	return text
}

// redeem tells whether a code may be exchanged, and takes it away.
func (c *codes) redeem(text string, now time.Time) bool {
	given := sha256.Sum256([]byte(text))
	var kept []code
	found := false
	for _, open := range c.open {
		switch {
		case !now.Before(open.until):
		case subtle.ConstantTimeCompare(open.hash[:], given[:]) == 1:
			found = true
		default:
			kept = append(kept, open)
		}
	}
	c.open = kept
	return found
}
