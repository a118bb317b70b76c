package sidechannel

import (
	"context"
	"encoding/json"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

// sent tells what became of a message.
type sent struct {
	id      string
	members []identity.PublicKey // it was handed to
	joined  bool                 // the channel had to be joined first
}

// Send signs a message and hands it to the connected members of a channel, which
// it joins first if need be. It answers with the id of the message and with the
// number of members; 0 says that nobody was there, and is no error. The message
// is any JSON value but null; an object must not have a member "control". It
// takes as long as the channel's proof of work, and waits when this peer sends
// more than members take.
func (p *Plane) Send(ctx context.Context, name ChannelName, message json.RawMessage) (id string, peers int, err error) {
	s, err := p.send(ctx, name, message)
	return s.id, len(s.members), err
}

func (p *Plane) send(ctx context.Context, name ChannelName, message json.RawMessage) (sent, error) {
	d, ch, joined, err := p.prepare(ctx, name, message)
	if err != nil {
		return sent{}, err
	}
	s, err := p.dispatch(ctx, ch, d)
	s.joined = joined
	return s, err
}

// prepare makes a frame of a message and joins its channel, if this peer may
// write there. A message that would be refused joins nothing.
func (p *Plane) prepare(ctx context.Context, name ChannelName, message json.RawMessage) (d draft, ch *channel, joined bool, err error) {
	if err := ctx.Err(); err != nil {
		return d, nil, false, err
	}
	law, err := p.law(name)
	if err != nil {
		return d, nil, false, err
	}
	if d, err = newDraft(p.signer.PublicKey(), p.quoted(name), message, time.Now()); err != nil {
		return d, nil, false, err
	}
	d.invite = law.Ticket()
	if err := d.fits(p.policy.maxFrame(), p.policy.Work.bits(name)); err != nil {
		return d, nil, false, err
	}
	if err := law.admits(time.Now()); err != nil {
		return d, nil, false, err
	}
	if law.ownerOnly() && law.ownerIs() != p.signer.PublicKey() {
		return d, nil, false, ownerOnlyFault(name, law.ownerIs())
	}
	ch, joined, err = p.enter(ctx, name)
	return d, ch, joined, err
}

func ownerOnlyFault(name ChannelName, owner identity.PublicKey) error {
	if owner.IsZero() {
		return fault.New(fault.Denied, "only the owner writes on channel %q, and none is known", name).
			WithHint("sc_join with the owner's welcome, or name the owner with --sidechannel-owner %s:<key>", name)
	}
	return fault.New(fault.Denied, "only the owner %s writes on channel %q", owner, name).
		WithHint("read it with sc_read; to write, take a channel of your own")
}

// dispatch paces, proves, signs and publishes a draft.
func (p *Plane) dispatch(ctx context.Context, ch *channel, d draft) (sent, error) {
	if err := p.pace.wait(ctx, d.size()+frameCost); err != nil {
		return sent{}, err
	}
	if time.Since(time.UnixMilli(d.ts)) > MaxAge/2 {
		return sent{}, fault.New(fault.Limited, "the message waited too long to be sent").WithHint("send less")
	}
	if err := d.finish(ctx, p.signer, ch.bits); err != nil {
		return sent{}, err
	}
	members, err := p.publish(ctx, ch, d.encode())
	if err != nil {
		return sent{}, err
	}
	if !isControl(d.canonical) {
		ch.tally.sent.Add(1)
		p.totals.sent.Add(1)
	}
	return sent{id: d.id, members: members}, nil
}

func leftMeanwhile(name ChannelName) error {
	return fault.New(fault.Unavailable, "channel %q was left meanwhile", name).WithHint("send again to join it again")
}

// quoted is the name as it stands in frames, from the channel if it is joined.
func (p *Plane) quoted(name ChannelName) string {
	if ch := p.find(name); ch != nil {
		return ch.quoted
	}
	return name.quoted()
}
