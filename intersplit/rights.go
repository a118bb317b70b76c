package intersplit

import (
	"slices"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/intersplit/ledger"
)

// rights decides which entries of a room count. It is a function of the policy
// and the entries, never of a clock or of what is connected, so that members who
// agree on the policy and hold the same entries have the same ledger.
type rights struct {
	channel string
	policy  Policy
	read    func(channel string, raw []byte) (Invite, error)

	leases  map[feed.ID]Invite                          // by entry: the invite that its author had then
	revoked map[identity.PublicKey]map[feed.ID]struct{} // what is kept of an author's entries
}

// Why an entry does not count, though its author signed it.
const (
	withoutRight = "of an author without the right to add"
	revokedRight = "of an author whose invite was revoked"
)

// trivial says that everyone counts.
func (rt *rights) trivial() bool { return rt.policy.Owner.IsZero() && !rt.policy.InviteOnly }

// judge gives the body with which an entry goes into the ledger: its own if it
// counts. Entries come parents first.
func (rt *rights) judge(e *feed.Entry, id feed.ID, body ledger.Body) ledger.Body {
	if body.Kind == ledger.KindUnsupported && mayStand(e.Body) {
		if s, ok := readStanding(e.Body); ok {
			rt.lease(e, id, s)
			return ledger.Body{Kind: ledger.Kind(s.Kind)}
		}
	}
	if rt.trivial() {
		return body
	}
	if why := rt.refuses(e, id); why != "" {
		return ledger.Body{Kind: ledger.KindUnsupported, Reason: why}
	}
	return body
}

// refuses says why an entry does not count; "" when it does.
func (rt *rights) refuses(e *feed.Entry, id feed.ID) string {
	if !rt.policy.Owner.IsZero() {
		if e.Author != rt.policy.Owner {
			return withoutRight
		}
		return ""
	}
	lease, had := rt.inherit(e, id)
	if kept, gone := rt.revoked[e.Author]; gone {
		if _, ok := kept[id]; !ok {
			return revokedRight
		}
	}
	if rt.inviter(e.Author) || had && lease.From <= e.TS && e.TS <= lease.Until {
		return ""
	}
	return withoutRight
}

func (rt *rights) inviter(key identity.PublicKey) bool {
	return slices.Contains(rt.policy.Inviters, key)
}

// inherit gives an entry the lease of its author's entry before.
func (rt *rights) inherit(e *feed.Entry, id feed.ID) (Invite, bool) {
	if e.Seq == 0 || !rt.policy.InviteOnly {
		return Invite{}, false
	}
	lease, had := rt.leases[e.Parents[0]]
	if had {
		rt.leases[id] = lease
	}
	return lease, had
}

// lease takes in a join, if its invite is one of this channel's inviters to its
// author, and lives when the join is dated. One that is not changes nothing.
func (rt *rights) lease(e *feed.Entry, id feed.ID, s standing) {
	rt.inherit(e, id)
	raw, ok := s.invite()
	if !ok || !rt.policy.InviteOnly || s.Kind != kindJoin {
		return
	}
	invite, err := rt.read(rt.channel, raw)
	if err == nil && invite.Invitee == e.Author && rt.inviter(invite.Inviter) && invite.From <= e.TS && e.TS <= invite.Until {
		rt.leases[id] = invite
	}
}

// scan visits entries, parents first, until visit answers false.
type scan func(visit func(e *feed.Entry) (more bool)) error

// newRights prepares to judge the entries of a room, whose revocations it reads.
func newRights(channel string, policy Policy, channels Channels, all scan) (*rights, error) {
	rt := &rights{channel: channel, policy: policy, read: channels.Invite, leases: map[feed.ID]Invite{}}
	if !policy.InviteOnly || !policy.Owner.IsZero() {
		return rt, nil
	}
	return rt, rt.readRevocations(all)
}

// revocation tells whether an entry is a revoke that takes effect, and of what.
func (rt *rights) revocation(e *feed.Entry) (author identity.PublicKey, keep feed.ID, ok bool) {
	if !rt.policy.InviteOnly || !rt.inviter(e.Author) || !mayStand(e.Body) {
		return author, keep, false
	}
	s, ok := readStanding(e.Body)
	if !ok || s.Kind != kindRevoke {
		return author, keep, false
	}
	return s.revoked()
}

// readRevocations finds the revokes of a room and what they keep. What several
// revokes of one author keep counts together: each has promised it for ever.
func (rt *rights) readRevocations(all scan) error {
	rt.revoked = map[identity.PublicKey]map[feed.ID]struct{}{}
	type revoke struct {
		entry  feed.ID
		author identity.PublicKey
		keep   feed.ID
	}
	var revokes []revoke
	err := all(func(e *feed.Entry) bool {
		if author, keep, ok := rt.revocation(e); ok {
			revokes = append(revokes, revoke{e.ID(), author, keep})
		}
		return true
	})
	if err != nil || len(revokes) == 0 {
		return err
	}
	g := graph{}
	if err := all(g.add); err != nil {
		return err
	}
	for _, r := range revokes {
		kept := rt.revoked[r.author]
		if kept == nil {
			kept = map[feed.ID]struct{}{}
			rt.revoked[r.author] = kept
		}
		if g.behind(r.entry)[r.keep] { // else it names what its author cannot have known
			for e := range g.behind(r.keep) {
				kept[e] = struct{}{}
			}
			kept[r.keep] = struct{}{}
		}
	}
	return nil
}

// graph is which entries stand right behind which.
type graph map[feed.ID][]feed.ID

func (g graph) add(e *feed.Entry) bool {
	g[e.ID()] = e.Parents
	return true
}

// behind gives the ancestors of an entry.
func (g graph) behind(id feed.ID) map[feed.ID]bool {
	seen := map[feed.ID]bool{}
	for open := []feed.ID{id}; len(open) > 0; {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		for _, p := range g[at] {
			if !seen[p] {
				seen[p] = true
				open = append(open, p)
			}
		}
	}
	return seen
}
