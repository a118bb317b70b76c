package agent

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"sync"
)

// maxIssued bounds the tokens that count beside the long-lived one. A page that
// is opened anew takes another; the oldest goes.
const maxIssued = 64

// issued are tokens that were made for one page each, by their hashes only.
type issued struct {
	mu     sync.Mutex
	hashes [][sha256.Size]byte // oldest first
}

// Issue makes a token that counts as the one of [Config] until the bridge ends,
// or until 64 newer ones were issued. Clients that are in stay in. It is for
// whoever must not hold the long-lived token, such as a web page.
func (b *Bridge) Issue() Token {
	var raw [32]byte
	_, _ = rand.Read(raw[:]) // never fails (crypto/rand)
	token := hex.EncodeToString(raw[:])
	b.guard.issued.add(sha256.Sum256([]byte(token)))
	return Token(token)
}

func (i *issued) add(hash [sha256.Size]byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.hashes) == maxIssued {
		i.hashes = append(i.hashes[:0], i.hashes[1:]...)
	}
	i.hashes = append(i.hashes, hash)
}

// has looks at all of them, so that its time tells nothing.
func (i *issued) has(given [sha256.Size]byte) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	found := 0
	for _, hash := range i.hashes {
		found |= subtle.ConstantTimeCompare(given[:], hash[:])
	}
	return found == 1
}
