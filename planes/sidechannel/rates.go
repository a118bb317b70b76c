package sidechannel

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// Rates bounds what one peer may send (upstream 6.7). The zero value stands for
// upstream's numbers.
type Rates struct {
	// Unlimited switches all of it off.
	Unlimited bool
	// Bytes a second that a peer may send over time; 0 is 64 000. Too low and
	// honest peers wait; too high and a flood costs more before it is cut.
	Bytes int
	// Burst is how many bytes it may send at once; 0 is 256 000. A frame of the
	// greatest size always fits: a smaller burst counts as that much.
	Burst int
	// Strikes is how many frames beyond the limit within [StrikeWindow] block the
	// peer for [BlockTime]; 0 is 3.
	Strikes int
}

// StrikeWindow and BlockTime are upstream's.
const (
	StrikeWindow = 5 * time.Second
	BlockTime    = 30 * time.Second
)

const (
	// frameCost is what a frame weighs beside its bytes, so that tiny ones are not
	// free.
	frameCost = 256
	// faultFactor is how much more a neighbour may pass on that is dropped, before
	// it is blocked: what it believes to be right may be wrong here.
	faultFactor = 4
	// paceShare of the rate is what this peer itself sends at most, in percent, so
	// that two clocks that differ a little cost no strike.
	paceShare = 90
	// maxPurses bounds the peers that are remembered; the one that came first is
	// forgotten, unless it is blocked.
	maxPurses = 8192
	maxSpared = 16
)

func (r *Rates) check() (problems []error) {
	if r.Bytes < 0 || r.Burst < 0 || r.Strikes < 0 {
		problems = append(problems, errors.New("rate, burst and strikes are not negative"))
	}
	return problems
}

func (r *Rates) bytes() int {
	if r.Bytes == 0 {
		return 64_000
	}
	return r.Bytes
}

// burst is at least one frame of the greatest size, sealed.
func (r *Rates) burst() int {
	burst := r.Burst
	if burst == 0 {
		burst = 256_000
	}
	return max(burst, MaxFrameBytes+sealRoom+frameCost)
}

// sealRoom is what sealing may add to a frame.
const sealRoom = 1024

func (r *Rates) strikes() int {
	if r.Strikes == 0 {
		return 3
	}
	return r.Strikes
}

// author is what one author may write. The bucket is twice what a sender keeps
// to, since the network may hold frames up and hand them over at once.
func (r *Rates) author() terms {
	return terms{rate: float64(r.bytes()), burst: 2 * float64(r.burst()), strikes: r.strikes()}
}

// neighbour is what one neighbour may hand over in vain.
func (r *Rates) neighbour() terms {
	return terms{rate: faultFactor * float64(r.bytes()), burst: float64(r.burst()), strikes: r.strikes()}
}

// address is what all peers behind one address may hand over in vain.
func (r *Rates) address() terms {
	t := r.neighbour()
	t.rate, t.burst, t.strikes = 8*t.rate, 8*t.burst, 8*t.strikes
	return t
}

// purse is the token bucket of one payer: it fills with time, frames empty it.
// It is upstream's, to the step: a frame that it cannot pay costs nothing but a
// strike, and strikes begin anew when their window has passed.
type purse struct {
	tokens  float64
	at      time.Time // when tokens was right
	strikes int
	window  time.Time // since when strikes are counted
	blocked time.Time // until when
}

// terms are the numbers that a purse is held to.
type terms struct {
	rate, burst float64
	strikes     int
}

func (u *purse) fill(t terms, now time.Time) {
	if u.at.IsZero() {
		u.tokens = t.burst
	} else if passed := now.Sub(u.at); passed > 0 {
		u.tokens = min(t.burst, u.tokens+passed.Seconds()*t.rate)
	} else {
		return // a clock that went back fills nothing
	}
	u.at = now
}

// take pays for a frame, or counts a strike.
func (u *purse) take(t terms, now time.Time, bytes int) bool {
	if u.isBlocked(now) {
		return false
	}
	u.fill(t, now)
	if u.window.IsZero() || now.Sub(u.window) > StrikeWindow {
		u.strikes, u.window = 0, now
	}
	if u.tokens >= float64(bytes) {
		u.tokens -= float64(bytes)
		return true
	}
	if u.strikes++; u.strikes >= t.strikes {
		u.blocked = now.Add(BlockTime)
	}
	return false
}

func (u *purse) isBlocked(now time.Time) bool { return now.Before(u.blocked) }

// limiter keeps the purses of peers, by who pays: "a" and a key for what an
// author writes, "n" and a key for what a neighbour hands over in vain, "i" and
// an address for that of all peers behind it. It belongs to keys and addresses,
// not to connections: who reconnects finds the same purse (W54). Its methods may
// be called from any goroutine.
type limiter struct {
	off       bool
	addresses atomic.Bool // an address was blocked once

	mu      sync.Mutex
	purses  map[string]*purse
	oldest  []string // keys in the order in which they were made
	onBlock func(payer string, until time.Time)
}

func newLimiter(off bool) *limiter {
	return &limiter{off: off, purses: map[string]*purse{}}
}

// pay takes bytes from a payer's purse; false when it cannot.
func (l *limiter) pay(payer string, t terms, now time.Time, bytes int) bool {
	if l.off {
		return true
	}
	l.mu.Lock()
	u := l.purse(payer, now)
	before := u.blocked
	paid := u.take(t, now, bytes)
	until, tell := u.blocked, l.onBlock
	l.mu.Unlock()
	if until != before && payer[0] == 'i' {
		l.addresses.Store(true)
	}
	if until != before && tell != nil {
		tell(payer, until)
	}
	return paid
}

// blocked tells whether a payer is blocked.
func (l *limiter) blocked(payer string, now time.Time) bool {
	if l.off {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	u := l.purses[payer]
	return u != nil && u.isBlocked(now)
}

// block puts a block into force that an earlier run has found.
func (l *limiter) block(payer string, until, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.purse(payer, now).blocked = until
	if payer[0] == 'i' {
		l.addresses.Store(true)
	}
}

// count tells how many payers are blocked.
func (l *limiter) count(now time.Time) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, u := range l.purses {
		if u.isBlocked(now) {
			n++
		}
	}
	return n
}

func (l *limiter) purse(payer string, now time.Time) *purse {
	if u := l.purses[payer]; u != nil {
		return u
	}
	l.makeRoom(now)
	u := &purse{}
	l.purses[payer] = u
	l.oldest = append(l.oldest, payer)
	return u
}

// makeRoom forgets the purse that is oldest. A blocked one goes to the back of the
// row, but only a few at a time: whoever has thousands of keys must not make each
// new one dear.
func (l *limiter) makeRoom(now time.Time) {
	for spared := 0; len(l.purses) >= maxPurses; {
		first := l.oldest[0]
		l.oldest = l.oldest[1:]
		if spared < maxSpared && l.purses[first].isBlocked(now) {
			l.oldest = append(l.oldest, first)
			spared++
			continue
		}
		delete(l.purses, first)
	}
}
