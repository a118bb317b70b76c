package agent

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"sync"
	"time"

	"github.com/coder/websocket"

	"intercom/core/event"
	"intercom/core/fault"
)

const unauthorized = "Unauthorized."

// guard knows the token, by its hash only, and sets the pace at which wrong
// ones are answered.
type guard struct {
	enabled bool
	hash    [sha256.Size]byte
	issued  issued
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
	return subtle.ConstantTimeCompare(given[:], g.hash[:]) == 1 || g.issued.has(given)
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

// maxStrange bounds how many frames a stranger may send, whatever they are.
const maxStrange = 100

// authenticate reads until the token came, within the limits for strangers. It
// gives the place in the events from which the client is told.
func (s *session) authenticate() (cursor event.Cursor, ok bool) {
	limits := s.bridge.limits
	s.conn.SetReadLimit(limits.AuthBytes)
	s.visitor.SetReadDeadline(s.visitor.since.Add(limits.AuthTime))
	for attempts, frames := 0, 0; attempts < limits.Attempts && frames < maxStrange; frames++ {
		frame, err := s.read()
		if err != nil {
			s.close(websocket.StatusPolicyViolation, "no auth in time")
			return "", false
		}
		r, reply, verdict := s.knock(frame)
		if verdict == admitted {
			return s.settle(r, reply)
		}
		if s.reply(r, reply) != nil {
			return "", false
		}
		if verdict == wrong {
			attempts++
		}
	}
	s.close(websocket.StatusPolicyViolation, "too many attempts")
	return "", false
}

// settle makes a client of a stranger with the token, if there is room.
func (s *session) settle(r request, reply any) (cursor event.Cursor, ok bool) {
	if !s.visitor.gate.admit(s.visitor) {
		s.reply(r, fail(fault.New(fault.Limited, "Too many clients.").WithHint("close another client of this peer first")))
		s.close(websocket.StatusTryAgainLater, "too many clients")
		return "", false
	}
	s.conn.SetReadLimit(s.bridge.limits.FrameBytes)
	s.visitor.SetReadDeadline(time.Time{})
	cursor, err := s.bridge.caller.Now(s.ctx)
	if err != nil {
		s.close(websocket.StatusTryAgainLater, "the peer does not answer")
		return "", false
	}
	return cursor, s.reply(r, reply) == nil
}

// verdict is what a frame of a stranger comes to.
type verdict int

const (
	unasked  verdict = iota // anything but auth
	wrong                   // a token that is not the one
	admitted                // the token
)

// knock judges one frame of a stranger. A wrong token is answered at a pace.
func (s *session) knock(frame []byte) (request, any, verdict) {
	r, text := parse(frame)
	if text != "" {
		return r, refuse(text), unasked
	}
	if name, _ := r.verb(); name != "auth" {
		return r, refuse(unauthorized), unasked
	}
	reply, right := s.bridge.guard.answer(r)
	if right {
		return r, reply, admitted
	}
	s.pause(s.bridge.guard.pace.delay(time.Now()))
	return r, reply, wrong
}
