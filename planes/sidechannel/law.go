package sidechannel

import (
	"slices"

	"intercom/core/identity"
)

// Law is what this peer holds to be the rules of a channel, for applications
// whose own data follow them. The zero value is an open channel's.
type Law struct {
	Writer     identity.PublicKey   // the one who writes; zero: not one alone
	InviteOnly bool                 // only inviters and whom they invited are in it
	Inviters   []identity.PublicKey // who may invite
	Own        []byte               // this peer's invite as JSON, without its welcome; nil: none
	Revoked    []identity.PublicKey // whose invites this peer took back, in order
}

// Law tells the rules of a joined channel; of one that is not joined, the zero
// value.
func (p *Plane) Law(channel ChannelName) Law {
	ch := p.find(channel)
	if ch == nil {
		return Law{}
	}
	return ch.law.told()
}

// told gives the rules as they are now.
func (c *charter) told() Law {
	writer := identity.PublicKey{}
	if c.ownerOnly() {
		writer = c.ownerIs()
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	law := Law{Writer: writer, InviteOnly: c.closed, Inviters: slices.Clone(c.inviters)}
	if c.ticket != nil {
		law.Own = c.ticket.bare()
	}
	for key, r := range c.revoked {
		if r.By == c.self {
			law.Revoked = append(law.Revoked, key)
		}
	}
	slices.SortFunc(law.Revoked, func(a, b identity.PublicKey) int { return slices.Compare(a[:], b[:]) })
	return law
}
