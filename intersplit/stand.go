package intersplit

import (
	"context"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/intersplit/ledger"
)

// stand makes sure that what this peer records in a room counts: in an
// invite-only channel it writes a join with its invite when it has not yet, or
// when the one before has expired.
func (r *Rooms) stand(ctx context.Context, rm *room) error {
	policy, self := r.channels.Policy(rm.channel), r.signer.PublicKey()
	switch {
	case !policy.Owner.IsZero() && policy.Owner != self:
		return fault.New(fault.Denied, "in channel %q only its owner %s adds to the ledger", rm.channel, policy.Owner).
			WithHint("ask the owner to record it, or use another channel")
	case !policy.Owner.IsZero() || !policy.InviteOnly:
		return nil
	}
	stands, err := rm.stands(r.feeds, self, r.now().UnixMilli())
	if err != nil || stands {
		return err
	}
	invite, err := r.ownInvite(rm.channel, policy)
	if err != nil {
		return err
	}
	body, err := joinBody(invite)
	if err != nil {
		return err
	}
	return r.state(ctx, rm, body)
}

// stands tells whether an entry that this peer writes now would count.
func (rm *room) stands(feeds *feed.Feeds, self identity.PublicKey, now int64) (stands bool, err error) {
	lookErr := rm.look(func(*ledger.Ledger) {
		if _, gone := rm.rights.revoked[self]; gone {
			err = fault.New(fault.Denied, "the invite of this peer to channel %q was revoked", rm.channel).
				WithHint("its entries would not count: ask an inviter")
			return
		}
		var last feed.ID
		if stands = rm.rights.inviter(self); !stands {
			if last, _, err = feeds.Latest(rm.id, self); err == nil {
				lease, had := rm.rights.leases[last]
				stands = had && lease.From <= now && now <= lease.Until
			}
		}
	})
	if lookErr != nil {
		return false, lookErr
	}
	return stands, err
}

// ownInvite is this peer's invite, if entries under it count.
func (r *Rooms) ownInvite(channel string, policy Policy) ([]byte, error) {
	denied := func(why string) error {
		return fault.New(fault.Denied, "channel %q needs an invite to add to its ledger: %s", channel, why).
			WithHint("ask one of its inviters for one, then sc_join with invite")
	}
	if len(policy.Own) == 0 {
		return nil, denied("this peer has none")
	}
	invite, err := r.channels.Invite(channel, policy.Own)
	if err != nil {
		return nil, err
	}
	rt := rights{policy: policy}
	now := r.now().UnixMilli()
	switch {
	case invite.Invitee != r.signer.PublicKey():
		return nil, denied("this peer's is for " + invite.Invitee.String())
	case !rt.inviter(invite.Inviter):
		return nil, denied("this peer's is by " + invite.Inviter.String() + ", who is no inviter")
	case now < invite.From || invite.Until < now:
		return nil, denied("this peer's has expired")
	}
	return policy.Own, nil
}

// state records a join or a revoke and announces it.
func (r *Rooms) state(ctx context.Context, rm *room, body []byte) error {
	e, err := r.feeds.Append(ctx, rm.id, r.signer, body, r.now())
	if err != nil {
		return err
	}
	s, _ := readStanding(body)
	r.announce(ctx, rm, e, ledger.Body{Kind: ledger.Kind(s.Kind)})
	return nil
}

// revokeAll writes the revocations that this peer has made in its channels and
// that their ledgers lack.
func (r *Rooms) revokeAll(ctx context.Context) {
	for _, channel := range r.channels.Joined() {
		policy := r.channels.Policy(channel)
		if len(policy.Revoked) == 0 || !policy.InviteOnly {
			continue
		}
		if err := r.revoke(ctx, r.room(channel, true), policy); err != nil && ctx.Err() == nil {
			r.log.Error("a revocation could not be recorded in the ledger", "channel", channel, "err", err)
		}
	}
}

// revoke writes what is lacking in one room. What this peer holds of the author
// now is kept.
func (r *Rooms) revoke(ctx context.Context, rm *room, policy Policy) error {
	if rt := (rights{policy: policy}); !rt.inviter(r.signer.PublicKey()) {
		return nil
	}
	var lacking []identity.PublicKey
	if err := rm.look(func(*ledger.Ledger) {
		for _, author := range policy.Revoked {
			if _, known := rm.rights.revoked[author]; !known {
				lacking = append(lacking, author)
			}
		}
	}); err != nil {
		return err
	}
	for _, author := range lacking {
		keep, _, err := r.feeds.Latest(rm.id, author)
		if err != nil {
			return err
		}
		body, err := revokeBody(author, keep)
		if err != nil {
			return err
		}
		if err := r.state(ctx, rm, body); err != nil {
			return err
		}
	}
	return nil
}
