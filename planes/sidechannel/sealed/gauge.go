package sealed

import (
	"sync"
	"time"

	"intercom/core/identity"
)

// How often one peer may greet: at first for every channel that it may have,
// then now and then.
const (
	greetBurst  = 2048
	greetEvery  = 50 * time.Millisecond
	gaugedPeers = 1024
)

// gauge bounds the greetings of each peer.
type gauge struct {
	mu   sync.Mutex
	full map[identity.PublicKey]time.Time // when the peer's budget is full again
}

func newGauge() *gauge { return &gauge{full: map[identity.PublicKey]time.Time{}} }

// pass tells whether a greeting is within the budget.
func (g *gauge) pass(key identity.PublicKey, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.full) >= gaugedPeers {
		for other, full := range g.full {
			if !now.Before(full) {
				delete(g.full, other)
			}
		}
	}
	full, known := g.full[key]
	if !known && len(g.full) >= gaugedPeers {
		return false
	}
	if full.Before(now) {
		full = now
	}
	if full = full.Add(greetEvery); full.Sub(now) > greetBurst*greetEvery {
		return false
	}
	g.full[key] = full
	return true
}
