package sidechannel

import (
	"context"
	"encoding/json"
	"time"

	"intercom/core/fault"
)

// sent tells what became of a message.
type sent struct {
	id     string
	peers  int
	joined bool // the channel had to be joined first
}

// Send signs a message and hands it to the connected members of a channel, which
// it joins first if need be. It answers with the id of the message and with the
// number of members; 0 says that nobody was there, and is no error. The message
// is any JSON value but null; an object must not have a member "control".
func (p *Plane) Send(ctx context.Context, name ChannelName, message json.RawMessage) (id string, peers int, err error) {
	s, err := p.send(ctx, name, message)
	return s.id, s.peers, err
}

func (p *Plane) send(ctx context.Context, name ChannelName, message json.RawMessage) (sent, error) {
	if err := ctx.Err(); err != nil {
		return sent{}, err
	}
	f, err := newFrame(p.signer, p.quoted(name), message, time.Now())
	if err != nil {
		return sent{}, err
	}
	ch, joined, err := p.enter(ctx, name)
	if err != nil {
		return sent{}, err
	}
	way, data, err := p.carriageOf(ch).Seal(f.encode())
	if err != nil {
		return sent{}, err
	}
	topic := p.topicOf(ch, way)
	if topic == nil {
		return sent{}, fault.New(fault.Unavailable, "channel %q was left meanwhile", name).WithHint("send again to join it again")
	}
	peers := len(topic.Peers()) // whoever comes later is not counted
	if err := topic.Publish(data); err != nil {
		return sent{}, fault.New(fault.Unavailable, "channel %q takes no message now: %w", name, err).WithHint("send again in a moment")
	}
	ch.tally.sent.Add(1)
	p.totals.sent.Add(1)
	return sent{id: f.id, peers: peers, joined: joined}, nil
}

// quoted is the name as it stands in frames, from the channel if it is joined.
func (p *Plane) quoted(name ChannelName) string {
	if ch := p.find(name); ch != nil {
		return ch.quoted
	}
	return name.quoted()
}
