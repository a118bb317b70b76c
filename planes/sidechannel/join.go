package sidechannel

import (
	"context"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
)

// maxHolders bounds the clients that hold one channel. A surface tells when a
// client goes, so more than this means that one forgets to.
const maxHolders = 4096

// occasion is the data of the events channel_joined and channel_left.
type occasion struct {
	Channel ChannelName `json:"channel"`
}

// Join joins a channel and holds it for the client that calls, see
// [op.ClientOf]; the peer itself holds nothing. joined tells that this peer was
// not in it before. The channel is joined again after a restart.
func (p *Plane) Join(ctx context.Context, name ChannelName) (joined bool, err error) {
	_, joined, err = p.enter(ctx, name)
	return joined, err
}

// enter gives a channel that is attached, and held by the client.
func (p *Plane) enter(ctx context.Context, name ChannelName) (ch *channel, joined bool, err error) {
	law, err := p.law(name)
	if err != nil {
		return nil, false, err
	}
	if err := law.admits(time.Now()); err != nil {
		return nil, false, err
	}
	client := op.ClientOf(ctx)
	if ch := p.held(name, client); ch != nil {
		return ch, false, nil
	}
	p.life.Lock()
	defer p.life.Unlock()
	if ch, joined, err = p.admit(name); err != nil {
		return nil, false, err
	}
	if err := p.settle(ch); err != nil {
		if joined {
			p.detach(ch)
		}
		return nil, false, err
	}
	p.mu.Lock()
	p.channels[name] = ch
	if client != "" {
		ch.holders[client] = struct{}{}
	}
	p.mu.Unlock()
	p.say(ch)
	if joined {
		p.hub.Publish("channel_joined", occasion{Channel: name})
	}
	return ch, joined, nil
}

// held gives a channel that is attached and that the client, unless it is the
// peer itself, holds already: the usual case of a send.
func (p *Plane) held(name ChannelName, client string) *channel {
	p.mu.RLock()
	defer p.mu.RUnlock()
	ch := p.channels[name]
	if ch == nil || !ch.attached {
		return nil
	}
	if _, holds := ch.holders[client]; client != "" && !holds {
		return nil
	}
	return ch
}

// admit gives the channel, or a new one that nobody knows yet.
func (p *Plane) admit(name ChannelName) (ch *channel, fresh bool, err error) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	ch = p.channels[name]
	switch {
	case p.phase == ended:
		return nil, false, errEnded()
	case ch != nil && len(ch.holders) >= maxHolders:
		return nil, false, fault.New(fault.Limited, "channel %q is held by %d clients, the most there may be", name, maxHolders).
			WithHint("close clients that are not needed")
	case ch != nil:
		return ch, false, nil
	case len(p.channels) >= p.limit:
		return nil, false, fault.New(fault.Limited, "channel %q would be one more than the %d that this peer may join", name, p.limit).
			WithHint("sc_leave a channel that is not needed; sc_stats lists them")
	}
	law := p.laws[name]
	if law == nil { // whoever enters has asked for it; it was let go meanwhile
		return nil, false, fault.New(fault.Unavailable, "channel %q was left meanwhile", name).WithHint("call again")
	}
	return p.newChannel(name, law, false), true, nil
}

// settle attaches a channel and writes it into the book.
func (p *Plane) settle(ch *channel) error {
	if err := p.attach(ch); err != nil {
		return fault.New(fault.Unavailable, "channel %q cannot be joined: %w", ch.name, err).WithHint("call again in a moment")
	}
	if ch.booked || ch.name == Entry {
		return nil
	}
	if err := p.book.add(ch.name); err != nil {
		return err
	}
	ch.booked = true
	return nil
}

// Leave ends the hold of the client that calls. The peer leaves the channel, for
// restarts too, unless another client holds it: left tells. ok is false for a
// channel that was not joined, and for the entry channel, which is never left.
func (p *Plane) Leave(ctx context.Context, name ChannelName) (ok, left bool, err error) {
	p.life.Lock()
	defer p.life.Unlock()
	ch := p.find(name)
	if ch == nil || name == Entry {
		return false, false, nil
	}
	if p.letGo(ch, op.ClientOf(ctx)) > 0 {
		return true, false, nil
	}
	if ch.booked {
		if err := p.book.remove(name); err != nil {
			return false, false, err
		}
	}
	p.mu.Lock()
	delete(p.channels, name)
	if ch.law.blank() {
		delete(p.laws, name)
	}
	p.mu.Unlock()
	p.detach(ch)
	p.hub.Publish("channel_left", occasion{Channel: name})
	return true, true, nil
}

// letGo ends a client's hold and tells how many others hold the channel.
func (p *Plane) letGo(ch *channel, client string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(ch.holders, client)
	return len(ch.holders)
}

// Release ends all holds of a client that has gone. Its channels stay joined.
func (p *Plane) Release(client string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, ch := range p.channels {
		delete(ch.holders, client)
	}
}
