package sidechannel

import (
	"bytes"
	"maps"
	"slices"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

// Bounds of what is remembered of one channel's guests.
const (
	maxGuests      = 4096
	maxRevocations = 4096
)

// admits tells why this peer may not be in the channel, nil when it may.
func (c *charter) admits(now time.Time) error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if !c.closed || slices.Contains(c.inviters, c.self) || c.lives(c.ticket, now) {
		return nil
	}
	const hint = "ask an inviter for a new one (its sc_invite names this peer's key), then sc_join with invite"
	switch v := c.ticket; {
	case v == nil:
		return fault.New(fault.Denied, "channel %q needs an invite", c.name).WithHint("ask an inviter for one (its sc_invite names this peer's key), then sc_join with invite")
	case c.takenBack(v):
		return fault.New(fault.Denied, "the invite to channel %q was revoked", c.name).WithHint(hint)
	case !slices.Contains(c.inviters, v.Inviter):
		return fault.New(fault.Denied, "the invite to channel %q is by %s, who is no inviter any more", c.name, v.Inviter).WithHint(hint)
	}
	return fault.New(fault.Denied, "the invite to channel %q expired at %s", c.name, time.UnixMilli(c.ticket.ExpireAt).UTC().Format(time.RFC3339)).WithHint(hint)
}

// accept takes an invite for this peer, which its user brought. It makes the
// channel invite-only; whoever made it is trusted to invite others, unless the
// policy or an earlier invite names who is.
func (c *charter) accept(v *Invite, now time.Time) (news bool, err error) {
	if err := v.Verify(c.name, c.self, now); err != nil {
		return false, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	kept := c.record()
	switch {
	case c.name == Entry:
		return false, nil // it is open anyway
	case v.Inviter == v.Invitee:
		return false, fault.New(fault.Denied, "the invite is made by the one it invites")
	case len(c.inviters) == 0:
		kept.inviters = []identity.PublicKey{v.Inviter}
	case !slices.Contains(c.inviters, v.Inviter):
		return false, fault.New(fault.Denied, "the invite is by %s, who is no inviter of channel %q", v.Inviter, c.name)
	}
	if c.takenBack(v) {
		return false, fault.New(fault.Denied, "the invite was revoked")
	}
	if c.ticket == nil || v.ExpireAt > c.ticket.ExpireAt || v.IssuedAt > c.ticket.IssuedAt {
		kept.ticket = v
	}
	kept.closed = true
	if err := c.book.keep(c.name, kept); err != nil {
		return false, err
	}
	news = !c.closed || c.ticket == nil || kept.ticket.digest() != c.ticket.digest()
	c.closed, c.inviters, c.ticket = true, kept.inviters, kept.ticket
	return news, nil
}

// takenBack tells whether a revocation covers an invite; the caller holds mu.
func (c *charter) takenBack(v *Invite) bool {
	r := c.revoked[v.Invitee]
	return r != nil && v.IssuedAt <= r.At
}

// Inviter implements [Guests].
func (c *charter) Inviter(key identity.PublicKey) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Contains(c.inviters, key)
}

// Inviters implements [Guests].
func (c *charter) Inviters() []identity.PublicKey {
	c.mu.RLock()
	defer c.mu.RUnlock()
	list := slices.Clone(c.inviters)
	if c.ticket != nil {
		if i := slices.Index(list, c.ticket.Inviter); i > 0 {
			list[0], list[i] = list[i], list[0]
		}
	}
	return list
}

// Belongs implements [Guests].
func (c *charter) Belongs(key identity.PublicKey, now time.Time) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if slices.Contains(c.inviters, key) {
		return true
	}
	v := c.guests[key]
	if key == c.self {
		v = c.ticket
	}
	return c.lives(v, now)
}

// lives tells whether an invite counts now; the caller holds mu.
func (c *charter) lives(v *Invite, now time.Time) bool {
	return v != nil && v.ExpireAt > now.UnixMilli() && slices.Contains(c.inviters, v.Inviter) && !c.takenBack(v)
}

// Present implements [Guests].
func (c *charter) Present(key identity.PublicKey, invite []byte, now time.Time) error {
	v, err := ParseInvite(invite)
	if err != nil {
		return err
	}
	if !c.Inviter(v.Inviter) { // cheaper than the signature
		return fault.New(fault.Denied, "the invite is by %s, who is no inviter", v.Inviter)
	}
	if err := v.Verify(c.name, key, now); err != nil {
		return err
	}
	v.Welcome = nil
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.takenBack(v) {
		return fault.New(fault.Denied, "the invite was revoked")
	}
	if old := c.guests[key]; c.lives(old, now) && old.ExpireAt >= v.ExpireAt {
		return nil
	}
	c.makeRoom(now)
	c.guests[key] = v
	c.book.later(func(b *book) error { return b.keepGuest(c.name, v) })
	return nil
}

// makeRoom forgets the guests whose time is over, else the one whose time is
// over first: it presents its invite again. The caller holds mu.
func (c *charter) makeRoom(now time.Time) {
	if len(c.guests) < maxGuests {
		return
	}
	var first *Invite
	for key, v := range c.guests {
		if !c.lives(v, now) {
			delete(c.guests, key)
			c.book.later(func(b *book) error { return b.dropGuest(c.name, key) })
		} else if first == nil || v.ExpireAt < first.ExpireAt {
			first = v
		}
	}
	if len(c.guests) >= maxGuests && first != nil {
		delete(c.guests, first.Invitee)
		c.book.later(func(b *book) error { return b.dropGuest(c.name, first.Invitee) })
	}
}

// Ticket implements [Guests].
func (c *charter) Ticket() []byte {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.ticket == nil || slices.Contains(c.inviters, c.self) {
		return nil
	}
	return c.ticket.bare()
}

// Revocations implements [Guests].
func (c *charter) Revocations() [][]byte {
	c.mu.RLock()
	defer c.mu.RUnlock()
	keys := slices.SortedFunc(maps.Keys(c.revoked), func(a, b identity.PublicKey) int { return bytes.Compare(a[:], b[:]) })
	list := make([][]byte, len(keys))
	for i, key := range keys {
		list[i] = c.revoked[key].JSON()
	}
	return list
}

// Revoke implements [Guests].
func (c *charter) Revoke(revocations [][]byte, now time.Time) (news bool) {
	for _, raw := range revocations {
		r, err := parseRevocation(raw)
		if err != nil || !c.Inviter(r.By) || !c.wanted(r) || r.verify(c.name, now) != nil {
			continue
		}
		if added, err := c.revoke(r); err == nil && added {
			news = true
		}
	}
	return news
}

// wanted tells whether a revocation says more than is known: the later moment,
// and of one moment the greater signature, so that all peers end with the same.
func (c *charter) wanted(r *revocation) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	old := c.revoked[r.Invitee]
	if old == nil {
		return len(c.revoked) < maxRevocations
	}
	return r.At > old.At || (r.At == old.At && bytes.Compare(r.Sig[:], old.Sig[:]) > 0)
}

// revoke keeps a verified revocation and tells who watches.
func (c *charter) revoke(r *revocation) (added bool, err error) {
	c.mu.Lock()
	if old := c.revoked[r.Invitee]; old == nil && len(c.revoked) >= maxRevocations {
		c.mu.Unlock()
		return false, fault.New(fault.Limited, "channel %q has %d revocations, the most there may be", c.name, maxRevocations).
			WithHint("take another channel, and invite there whom you trust")
	}
	if err := c.book.keepRevocation(c.name, r); err != nil {
		c.mu.Unlock()
		return false, err
	}
	c.revoked[r.Invitee] = r
	watchers := slices.Clone(c.watchers)
	c.mu.Unlock()
	for _, f := range watchers {
		(*f)()
	}
	return true, nil
}

// Watch implements [Guests].
func (c *charter) Watch(f func()) (stop func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.watchers = append(c.watchers, &f)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.watchers = slices.DeleteFunc(c.watchers, func(w *func()) bool { return w == &f })
	}
}
