package sealed

import (
	"time"

	"intercom/core/identity"
)

// How often a peer is met for a channel.
const (
	meetAgain    = 15 * time.Second // a member with which all is equal
	retryFirst   = time.Second      // one that should answer and did not
	strangeFirst = 20 * time.Second // one that may be a stranger
	retryMost    = time.Minute
	strangeMost  = time.Hour
)

// page is what a circle remembers of one peer.
type page struct {
	member   bool // it proved to belong in this run
	failures int
	next     time.Time // when to meet it again
}

// diary is a circle's appointments. It holds connected peers and inviters only,
// so that its size is bounded by theirs, and who comes back is met at once.
type diary map[identity.PublicKey]*page

func (d diary) isDue(key identity.PublicKey, now time.Time) bool {
	p := d[key]
	return p == nil || !now.Before(p.next)
}

// restart makes everybody due at once who is known as a member: there is news.
func (d diary) restart() {
	for _, p := range d {
		if p.member {
			p.next = time.Time{}
		}
	}
}

// begin notes a meeting that begins now, and when the next one is unless this one
// succeeds. expected: the peer is an inviter, and no stranger.
func (d diary) begin(key identity.PublicKey, expected bool, now time.Time) {
	p := d[key]
	if p == nil {
		p = &page{}
		d[key] = p
	}
	wait, most := strangeFirst, strangeMost
	if expected || p.member {
		wait, most = retryFirst, retryMost
	}
	for n := p.failures; n > 0 && wait < most; n-- {
		wait *= 2
	}
	p.failures++
	p.next = now.Add(min(wait, most))
}

// met notes a meeting that succeeded.
func (d diary) met(key identity.PublicKey, now time.Time) {
	d[key] = &page{member: true, next: now.Add(meetAgain)}
}

// forget drops who is neither connected nor an inviter.
func (d diary) forget(keep func(identity.PublicKey) bool) {
	for key := range d {
		if !keep(key) {
			delete(d, key)
		}
	}
}
