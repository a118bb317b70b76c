package sidechannel

import (
	"context"
	"slices"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

const (
	// settleTime is how long a message waits, at most, for members to follow to a
	// way that was joined just now.
	settleTime = time.Second
	settleTick = 10 * time.Millisecond
)

// awaiter is a carriage that may be worth waiting for, since it was made just now.
type awaiter interface{ await(ctx context.Context) }

// publish hands a frame to the members of a channel and tells who they are.
// Nobody, while there is no way to them, is an honest answer.
func (p *Plane) publish(ctx context.Context, ch *channel, frame []byte) ([]identity.PublicKey, error) {
	carriage := p.carriageOf(ch)
	if carriage == nil {
		return nil, leftMeanwhile(ch.name)
	}
	if c, ok := carriage.(awaiter); ok {
		c.await(ctx)
	}
	if len(carriage.Ways()) == 0 {
		return []identity.PublicKey{}, ctx.Err()
	}
	way, data, err := carriage.Seal(frame)
	if err != nil {
		return nil, err
	}
	topic, err := p.arrive(ctx, ch, way)
	if err != nil {
		return nil, err
	}
	members := p.belonging(ch, topic.Peers()) // whoever comes later is not counted
	if err := topic.Publish(data); err != nil {
		return nil, fault.New(fault.Unavailable, "channel %q takes no message now: %w", ch.name, err).WithHint("send again in a moment")
	}
	return members, nil
}

const missingKey = "this channel is encrypted and this peer has no key for it yet: an inviter or any member hands it over once connected; until then nobody is reached"

// keyless tells whether a channel that is joined is encrypted and its key not
// known.
func (p *Plane) keyless(law *charter) bool {
	ch := p.find(law.name)
	if ch == nil || law.open() {
		return false
	}
	carriage := p.carriageOf(ch)
	return carriage != nil && len(carriage.Ways()) == 0
}

// arrive gives the topic of a way, which it joins if that has not happened yet,
// and lets the members of the way before follow.
func (p *Plane) arrive(ctx context.Context, ch *channel, way Way) (Topic, error) {
	if p.topicOf(ch, way) == nil {
		if err := p.attachListed(ch); err != nil {
			return nil, fault.New(fault.Unavailable, "channel %q cannot be joined: %w", ch.name, err).WithHint("call again in a moment")
		}
	}
	p.mu.RLock()
	now, ways := ch.spots[way.Topic], len(ch.spots)
	p.mu.RUnlock()
	if now.topic == nil {
		return nil, leftMeanwhile(ch.name)
	}
	for ways > 1 && time.Since(now.since) < settleTime && ctx.Err() == nil {
		here := now.topic.Peers()
		if !slices.ContainsFunc(p.members(ch), func(key identity.PublicKey) bool { return !slices.Contains(here, key) }) {
			break
		}
		time.Sleep(settleTick)
	}
	return now.topic, ctx.Err()
}

// belonging leaves out who only passes an invite-only channel on.
func (p *Plane) belonging(ch *channel, keys []identity.PublicKey) []identity.PublicKey {
	if ch.law.open() {
		return keys
	}
	now := time.Now()
	return slices.DeleteFunc(slices.Clone(keys), func(key identity.PublicKey) bool { return !ch.law.Belongs(key, now) })
}
