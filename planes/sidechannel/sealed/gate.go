package sealed

import (
	"time"

	"intercom/core/identity"
)

// Gate tells who belongs to a channel: its inviters, and whoever holds a live,
// unrevoked invite by one of them. Its methods may be called from any goroutine.
type Gate interface {
	// Inviter tells whether a key may invite and make keys.
	Inviter(key identity.PublicKey) bool
	// Inviters lists who may, the one that invited this peer first.
	Inviters() []identity.PublicKey
	// Belongs tells whether a key may have the channel's key now.
	Belongs(key identity.PublicKey, now time.Time) bool
	// Present takes the invite that a key shows, and remembers it.
	Present(key identity.PublicKey, invite []byte, now time.Time) error
	// Ticket is this peer's own invite; nil for an inviter.
	Ticket() []byte
	// Revocations lists the revocations known.
	Revocations() [][]byte
	// Revoke takes revocations of others; news tells whether one was new. What no
	// inviter signed changes nothing.
	Revoke(revocations [][]byte, now time.Time) (news bool)
	// Watch calls f, which must not block, when a revocation became known, until
	// stop is called.
	Watch(f func()) (stop func())
}

// admits tells whether a key belongs, after it has shown its invite.
func admits(gate Gate, key identity.PublicKey, proof []byte, now time.Time) bool {
	if gate.Belongs(key, now) {
		return true
	}
	return len(proof) > 0 && gate.Present(key, proof, now) == nil && gate.Belongs(key, now)
}
