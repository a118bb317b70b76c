package sidechannel

import (
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

// charter is what this peer holds to be the law of one channel: its owner and
// welcome, whether it is invite-only and who may invite, who was invited and
// whose invites were taken back. Part comes from the [Policy], the rest was
// learned and stands in the book. It implements [Guests].
type charter struct {
	name   ChannelName
	self   identity.PublicKey
	policy *Policy
	book   *book

	mu       sync.RWMutex
	owner    identity.PublicKey // zero: none is known
	welcome  *Welcome           // verified under owner when it came; nil: none
	closed   bool               // invite-only
	inviters []identity.PublicKey
	ticket   *Invite // this peer's own
	guests   map[identity.PublicKey]*Invite
	revoked  map[identity.PublicKey]*revocation // the latest of each key
	watchers []*func()
}

// newCharter brings together what is stored of a channel and what the policy
// says, which wins.
func newCharter(name ChannelName, self identity.PublicKey, policy *Policy, b *book, kept record) *charter {
	c := &charter{
		name: name, self: self, policy: policy, book: b,
		owner: kept.owner, welcome: kept.welcome, closed: kept.closed || policy.closes(name),
		inviters: kept.inviters, ticket: kept.ticket,
		guests: map[identity.PublicKey]*Invite{}, revoked: map[identity.PublicKey]*revocation{},
	}
	if owner, named := policy.Owners[name]; named {
		c.owner = owner
	}
	if len(policy.Inviters) > 0 {
		c.inviters = policy.Inviters
	}
	for _, v := range kept.guests {
		c.guests[v.Invitee] = v
	}
	for _, r := range kept.revoked {
		c.revoked[r.Invitee] = r
	}
	if c.welcome != nil && c.welcome.Owner != c.owner {
		c.welcome = nil
	}
	return c
}

// blank tells whether nothing was learned of the channel.
func (c *charter) blank() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.owner.IsZero() && !c.closed && c.ticket == nil && len(c.guests)+len(c.revoked) == 0
}

// record gives what is to be kept; the caller holds mu.
func (c *charter) record() record {
	return record{owner: c.owner, welcome: c.welcome, closed: c.closed, inviters: c.inviters, ticket: c.ticket}
}

// open tells whether whoever knows the name may read.
func (c *charter) open() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return !c.closed
}

// ownerIs gives the owner, zero when none is known.
func (c *charter) ownerIs() identity.PublicKey {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.owner
}

// welcomed gives the stored welcome while it counts, and whether the channel
// stays deaf without one.
func (c *charter) welcomed(now time.Time) (w *Welcome, needed bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if w = c.welcome; w != nil && w.expired(now) {
		w = nil
	}
	switch {
	case c.name == Entry || c.owner == c.self || c.policy.NeedWelcome == NeedNever:
		return w, false
	case c.owner.IsZero():
		return w, c.policy.NeedWelcome == NeedAlways
	}
	return w, true
}

// deaf tells whether the owner's welcome is needed and missing.
func (c *charter) deaf(now time.Time) bool {
	w, needed := c.welcomed(now)
	return needed && w == nil
}

// ownerOnly tells whether only the owner writes.
func (c *charter) ownerOnly() bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.policy.ownerWrites(c.name) || (c.welcome != nil && c.welcome.OwnerWrite)
}

// mayWrite and mayRead are the rights of a key now.
func (c *charter) mayWrite(key identity.PublicKey, now time.Time) bool {
	return c.mayRead(key, now) && (!c.ownerOnly() || key == c.ownerIs())
}

func (c *charter) mayRead(key identity.PublicKey, now time.Time) bool {
	return c.open() || c.Belongs(key, now)
}

// offer takes a welcome that somebody brought: it is stored when it is the
// owner's and newer than the stored one (W56). adopt makes its signer the owner
// when none is known, which only the user of this peer may ask for.
func (c *charter) offer(w *Welcome, now time.Time, adopt bool) (news bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	owner := c.owner
	if owner.IsZero() && adopt {
		owner = w.Owner
	}
	if err := w.Verify(c.name, owner, now); err != nil {
		return false, err
	}
	if c.name == Entry || (c.owner == owner && !w.newer(c.welcome)) {
		return false, nil
	}
	kept := c.record()
	kept.owner, kept.welcome = owner, w
	if err := c.book.keep(c.name, kept); err != nil {
		return false, err
	}
	c.owner, c.welcome = owner, w
	return true, nil
}

// own makes this peer the owner, with a welcome that it signs.
func (c *charter) own(signer Signer, w Welcome, now time.Time) (*Welcome, error) {
	if owner := c.ownerIs(); !owner.IsZero() && owner != c.self {
		return nil, fault.New(fault.Denied, "channel %q has an owner, %s", c.name, owner).
			WithHint("only the owner signs its welcome: ask it for one, or take another channel")
	}
	if c.name == Entry {
		return nil, fault.New(fault.Denied, "the entry channel %q has no owner", c.name).WithHint("take another channel")
	}
	w.Channel, w.IssuedAt = c.name, now.UnixMilli()
	if old, _ := c.welcomed(now); old != nil {
		w.IssuedAt = max(w.IssuedAt, old.IssuedAt+1) // a second one within a ms is the newer one
	}
	signed := w.sign(signer)
	_, err := c.offer(signed, now, true)
	return signed, err
}

// close makes the channel invite-only, with this peer as its inviter unless
// others are named already. news tells that it was open.
func (c *charter) close() (news bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.name == Entry {
		return false, fault.New(fault.Denied, "the entry channel %q is open to all", c.name).WithHint("take another channel")
	}
	kept := c.record()
	kept.closed = true
	if len(kept.inviters) == 0 {
		kept.inviters = []identity.PublicKey{c.self}
	}
	if c.closed && len(c.inviters) > 0 {
		return false, nil
	}
	if err := c.book.keep(c.name, kept); err != nil {
		return false, err
	}
	news = !c.closed
	c.closed, c.inviters = true, kept.inviters
	return news, nil
}
