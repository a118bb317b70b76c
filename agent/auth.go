package agent

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"sync"
	"time"
)

const unauthorized = "Unauthorized."

// guard knows the token, by its hash only, and sets the pace at which wrong
// ones are answered.
type guard struct {
	enabled bool
	hash    [sha256.Size]byte
	pace    pace
}

func newGuard(token Token) *guard {
	return &guard{
		enabled: token != "",
		hash:    sha256.Sum256([]byte(token)),
		pace:    pace{every: 50 * time.Millisecond, burst: 20, most: 2 * time.Second},
	}
}

// open tells whether the value of an auth request is the token. Its time does
// not depend on how much of the token is right.
func (g *guard) open(token json.RawMessage) bool {
	if !g.enabled || len(token) == 0 || token[0] != '"' {
		return false
	}
	given := sha256.Sum256([]byte(unquote(token)))
	return subtle.ConstantTimeCompare(given[:], g.hash[:]) == 1
}

// answer is the reply to an auth request, and whether it was right.
func (g *guard) answer(r request) (frame any, right bool) {
	switch {
	case !g.enabled:
		return refuse("Auth not enabled."), false
	case g.open(r.get("token")):
		return plain{Type: "auth_ok"}, true
	default:
		return refuse(unauthorized), false
	}
}

// pace spreads refusals over all connections: after a burst, one each interval.
// It delays only those who were wrong, so a right token is never kept out.
type pace struct {
	every time.Duration
	burst int
	most  time.Duration // the longest delay; more refusals at once wait no longer

	mu   sync.Mutex
	next time.Time // when the next refusal would be due without a burst
}

// delay is how long a refusal has to wait, and counts it.
func (p *pace) delay(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next.Before(now) {
		p.next = now
	}
	wait := p.next.Sub(now) - time.Duration(p.burst)*p.every
	if wait < p.most {
		p.next = p.next.Add(p.every)
	}
	return max(0, wait)
}
