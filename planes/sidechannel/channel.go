package sidechannel

import (
	"cmp"
	"encoding/hex"
	"slices"
	"sync/atomic"

	"intercom/core/identity"
)

// channel is one joined channel.
type channel struct {
	name   ChannelName
	quoted string // the name as JSON text
	inbox  *inbox
	tally  tally
	gone   atomic.Bool // it was left: what still arrives is dropped

	booked bool // it stands in the book; guarded by Plane.life

	// Guarded by Plane.mu.
	topic   Topic               // nil until it is attached
	stop    func()              // ends the search for members
	holders map[string]struct{} // clients that want it
}

// newChannel makes a channel that is not attached. Only New and holders of
// Plane.life may call it.
func (p *Plane) newChannel(name ChannelName, booked bool) *channel {
	return &channel{
		name: name, quoted: name.quoted(), inbox: p.inboxes.open(p.firstSeq),
		booked: booked, holders: map[string]struct{}{},
	}
}

func (p *Plane) find(name ChannelName) *channel {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.channels[name]
}

// list gives the channels in order of their names.
func (p *Plane) list() []*channel {
	p.mu.RLock()
	defer p.mu.RUnlock()
	list := make([]*channel, 0, len(p.channels))
	for _, ch := range p.channels {
		list = append(list, ch)
	}
	slices.SortFunc(list, func(a, b *channel) int { return cmp.Compare(a.name, b.name) })
	return list
}

func (p *Plane) topicOf(ch *channel) Topic {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return ch.topic
}

// members lists the connected peers in a channel, never nil.
func (p *Plane) members(ch *channel) []identity.PublicKey {
	topic := p.topicOf(ch)
	if topic == nil {
		return []identity.PublicKey{}
	}
	return append([]identity.PublicKey{}, topic.Peers()...)
}

// attachListed attaches a channel unless it was left meanwhile.
func (p *Plane) attachListed(ch *channel) error {
	p.life.Lock()
	defer p.life.Unlock()
	if ch.gone.Load() {
		return nil
	}
	return p.attach(ch)
}

// attach subscribes to the topic and looks for members. A channel that is
// attached stays as it is. The caller holds Plane.life.
func (p *Plane) attach(ch *channel) error {
	if p.topicOf(ch) != nil {
		return nil
	}
	ns := ch.name.topic()
	topic, err := p.net.Join(hex.EncodeToString(ns[:]), p.handler(ch))
	if err != nil {
		return err
	}
	stop := p.net.Rendezvous(ns)
	p.mu.Lock()
	defer p.mu.Unlock()
	ch.topic, ch.stop = topic, stop
	return nil
}

// detach leaves the topic, forgets the messages and wakes who waits for more.
// The caller holds Plane.life.
func (p *Plane) detach(ch *channel) {
	ch.gone.Store(true)
	p.mu.Lock()
	topic, stop := ch.topic, ch.stop
	ch.topic, ch.stop = nil, nil
	p.firstSeq = max(p.firstSeq, ch.inbox.end())
	p.mu.Unlock()
	if stop != nil {
		stop()
	}
	if topic == nil {
		return
	}
	if err := topic.Leave(); err != nil {
		p.log.Warn("leaving a topic went wrong", "channel", ch.name, "err", err)
	}
}
