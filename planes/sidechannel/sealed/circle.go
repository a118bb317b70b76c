package sealed

import (
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/identity"
)

// Circle is those who share the keys of one channel, as this peer sees them. Its
// methods may be called from any goroutine.
type Circle struct {
	name    string
	ch      Channel
	signer  Signer
	gate    Gate
	shelf   *Shelf
	changed func() // the keys changed; called without the lock
	log     *slog.Logger
	unwatch func() // ends the watch on revocations

	stale       atomic.Bool // the hash of the revocations is to be computed anew
	revocations atomic.Pointer[[32]byte]
	distrusted  atomic.Pointer[identity.PublicKey] // made a key and is no inviter here; told once

	mu      sync.Mutex
	ring    Ring
	made    int      // epochs this peer made for the revocations with the hash madeFor
	madeFor [32]byte // see made
	diary   diary
	due     time.Time // when this peer makes the next epoch; zero: it has no reason
}

// newCircle reads the keys of a channel from the shelf.
func newCircle(name string, signer Signer, gate Gate, shelf *Shelf, changed func(), log *slog.Logger) (*Circle, error) {
	c := &Circle{name: name, ch: ChannelOf(name), signer: signer, gate: gate, shelf: shelf, changed: changed, log: log, diary: diary{}}
	var err error
	c.ring, err = shelf.load(c.ch)
	return c, err
}

// known is the hash of the revocations known, computed when there are new ones.
func (c *Circle) known() [32]byte {
	if hash := c.revocations.Load(); hash != nil && !c.stale.Swap(false) {
		return *hash
	}
	hash := HashRevocations(c.gate.Revocations())
	c.revocations.Store(&hash)
	return hash
}

// Keys lists the keys under which messages are read now, the one to send with
// first; none while this peer has no key.
func (c *Circle) Keys(now time.Time) []*Held {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ring.Accepted(now)
}

// Doors lists where this peer looks for members beside the rendezvous of the
// key: at the door of who invited it, or at its own.
func (c *Circle) Doors() [][32]byte {
	if c.gate.Inviter(c.signer.PublicKey()) {
		return [][32]byte{Door(c.name, c.signer.PublicKey())}
	}
	for _, inviter := range c.gate.Inviters() {
		return [][32]byte{Door(c.name, inviter)}
	}
	return nil
}

// Rekey makes the next epoch now. It is for inviters; ok is false for others.
func (c *Circle) Rekey(now time.Time) (ok bool, err error) {
	self := c.signer.PublicKey()
	if !c.gate.Inviter(self) {
		return false, nil
	}
	revocations := c.known()
	c.mu.Lock()
	if c.madeFor != revocations {
		c.madeFor, c.made = revocations, 0
	}
	c.made++
	next := c.ring.Next(c.ch, c.signer, NewKey(), revocations, now)
	err = c.keep(next)
	c.mu.Unlock()
	if err != nil {
		return false, err
	}
	c.changed()
	return true, nil
}

// keep makes a ring the present one, on the shelf first. The caller holds mu.
func (c *Circle) keep(next Ring) error {
	if err := c.shelf.save(c.ch, next); err != nil {
		return err
	}
	c.ring, c.due = next, time.Time{}
	c.diary.restart()
	return nil
}

// take offers a key that somebody handed over.
func (c *Circle) take(held *Held, now time.Time) (Change, error) {
	if maker := held.Record.Inviter; !c.gate.Inviter(maker) {
		if c.distrusted.Swap(&maker) == nil {
			c.log.Warn("a key of a channel is not taken: who made it is no inviter here; members that trust different inviters do not understand each other",
				"channel", c.name, "inviter", maker)
		}
		return Refused, nil
	}
	if !held.Record.Verify() {
		return Refused, nil
	}
	c.mu.Lock()
	next, change := c.ring.Take(c.ch, held.Record, held.Key, now)
	var err error
	if change == Taken {
		err = c.keep(next)
	}
	c.mu.Unlock()
	if change == Taken && err == nil {
		c.changed()
	}
	return change, err
}

// standing is how far this peer is.
func (c *Circle) standing() Standing {
	s := Standing{Revocations: c.known()}
	c.mu.Lock()
	defer c.mu.Unlock()
	if held := c.ring.Current; held != nil {
		s.Epoch, s.KID = held.Record.Epoch, held.Record.KID
	}
	return s
}

// current is the key to hand over.
func (c *Circle) current() *Held {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ring.Current
}

// tend does what time asks for: it lets go of a previous key, and makes the next
// epoch when this inviter has a reason.
func (c *Circle) tend(now time.Time) error {
	inviter := c.gate.Inviter(c.signer.PublicKey())
	var revocations [32]byte
	if inviter {
		revocations = c.known()
	}
	c.mu.Lock()
	tidied := c.ring.Previous != nil && !now.Before(c.ring.Until)
	if tidied {
		if err := c.keep(c.ring.Tidy(now)); err != nil {
			c.mu.Unlock()
			return err
		}
	}
	rekey := inviter && c.dutyNow(revocations, now)
	c.mu.Unlock()
	if tidied {
		c.changed()
	}
	if rekey {
		_, err := c.Rekey(now)
		return err
	}
	return nil
}

// maxRekeyDelay is the most that an inviter with a reason waits, so that another
// one may be first; the only inviter waits for nobody.
const maxRekeyDelay = 2 * time.Second

// dutyNow tells whether the next epoch is due. The caller holds mu.
func (c *Circle) dutyNow(revocations [32]byte, now time.Time) bool {
	made := 0
	if c.madeFor == revocations {
		made = c.made
	}
	reason := c.ring.Duty(revocations, made, now)
	switch {
	case reason == "":
		c.due = time.Time{}
		return false
	case c.due.IsZero():
		c.due = now
		if len(c.gate.Inviters()) > 1 {
			c.due = now.Add(rand.N(maxRekeyDelay))
		}
	}
	if now.Before(c.due) {
		return false
	}
	c.log.Info("a new key is made", "channel", c.name, "because", reason)
	return true
}

// page is what the circle remembers of a peer.
func (c *Circle) page(key identity.PublicKey) page {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.diary[key]; p != nil {
		return *p
	}
	return page{}
}

// appoint notes that a peer is met now.
func (c *Circle) appoint(peer acquaintance, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.diary.begin(peer.key, peer.inviter, now)
}

// acquaintance is a peer that is to be met.
type acquaintance struct {
	key                identity.PublicKey
	connected, inviter bool
}

// company lists whom to meet now: inviters, wherever they are, and all who are
// connected, since any of them may be a member.
func (c *Circle) company(connected map[identity.PublicKey]bool, now time.Time) (due []acquaintance) {
	self, inviters := c.signer.PublicKey(), c.gate.Inviters()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range inviters {
		if key != self && c.diary.isDue(key, now) {
			due = append(due, acquaintance{key, connected[key], true})
		}
	}
	for key := range connected {
		if c.diary.isDue(key, now) && !slices.Contains(inviters, key) {
			due = append(due, acquaintance{key: key, connected: true})
		}
	}
	c.diary.forget(func(key identity.PublicKey) bool { return connected[key] || slices.Contains(inviters, key) })
	return due
}
