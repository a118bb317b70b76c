package sidechannel

import (
	"bytes"
	"cmp"
	"io"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"intercom/core/identity"
)

// channel is one joined channel.
type channel struct {
	name   ChannelName
	quoted string // the name as JSON text
	law    *charter
	bits   int // of proof of work
	inbox  *inbox

	rewiring, speaking atomic.Bool // it waits in the outbox for that
	tally              tally
	gone               atomic.Bool // it was left: what still arrives is dropped

	booked bool // it stands in the book; guarded by Plane.life

	// Guarded by Plane.mu.
	carriage Carriage            // nil until it is attached the first time
	sealed   bool                // the carriage is a sealed one
	attached bool                // its ways are joined, as far as they are known
	spots    map[string]spot     // by topic
	holders  map[string]struct{} // clients that want it
}

// spot is a way that is joined.
type spot struct {
	topic Topic
	since time.Time
	stop  func() // ends the search for members
}

// newChannel makes a channel that is not attached. Only New and holders of
// Plane.life may call it.
func (p *Plane) newChannel(name ChannelName, law *charter, booked bool) *channel {
	return &channel{
		name: name, quoted: name.quoted(), law: law, bits: p.policy.Work.bits(name), inbox: p.inboxes.open(p.firstSeq),
		booked: booked, holders: map[string]struct{}{}, spots: map[string]spot{},
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

// carry gives a channel the carriage that its law asks for. The caller holds
// Plane.life.
func (p *Plane) carry(ch *channel) {
	sealed := p.seal != nil && !ch.law.open()
	p.mu.RLock()
	old, was := ch.carriage, ch.sealed
	p.mu.RUnlock()
	if old != nil && was == sealed {
		return
	}
	var fresh Carriage = newPlain(ch.name)
	if sealed {
		fresh = p.seal(ch.name, ch.law, func() { p.outbox.rewire(ch) })
	}
	p.mu.Lock()
	ch.carriage, ch.sealed = fresh, sealed
	p.mu.Unlock()
	dispose(old)
}

// dispose ends a carriage that is not used any more.
func dispose(c Carriage) {
	if c, ok := c.(io.Closer); ok {
		c.Close() //nolint:errcheck // there is nothing to be done about it
	}
}

// carriageOf gives how a channel's frames travel now.
func (p *Plane) carriageOf(ch *channel) Carriage {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return ch.carriage
}

// topicOf gives a way's topic, nil while it is not joined.
func (p *Plane) topicOf(ch *channel, way Way) Topic {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return ch.spots[way.Topic].topic
}

func (p *Plane) isAttached(ch *channel) bool {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return ch.attached
}

// members lists the connected peers in a channel, never nil.
func (p *Plane) members(ch *channel) []identity.PublicKey {
	p.mu.RLock()
	spots := slices.Collect(maps.Values(ch.spots))
	p.mu.RUnlock()
	members := []identity.PublicKey{}
	for _, s := range spots {
		members = append(members, s.topic.Peers()...)
	}
	slices.SortFunc(members, func(a, b identity.PublicKey) int { return bytes.Compare(a[:], b[:]) })
	return p.belonging(ch, slices.Compact(members))
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

// attach joins the ways of a channel, looks for members there, and leaves the
// ways that are none any more. The caller holds Plane.life.
func (p *Plane) attach(ch *channel) error {
	p.carry(ch)
	ways := p.carriageOf(ch).Ways()
	for _, way := range ways {
		if err := p.enterWay(ch, way); err != nil {
			return err
		}
	}
	p.mu.Lock()
	ch.attached = true
	var old []spot
	for topic, s := range ch.spots {
		if !slices.ContainsFunc(ways, func(w Way) bool { return w.Topic == topic }) {
			old = append(old, s)
			delete(ch.spots, topic)
		}
	}
	p.mu.Unlock()
	p.quit(ch, old)
	return nil
}

// enterWay joins a way unless it is joined.
func (p *Plane) enterWay(ch *channel, way Way) error {
	if p.topicOf(ch, way) != nil {
		return nil
	}
	topic, err := p.net.Join(way.Topic, p.handler(ch, way.Topic))
	if err != nil {
		return err
	}
	stop := p.net.Rendezvous(way.Rendezvous)
	p.mu.Lock()
	defer p.mu.Unlock()
	ch.spots[way.Topic] = spot{topic, time.Now(), stop}
	return nil
}

// quit leaves ways.
func (p *Plane) quit(ch *channel, spots []spot) {
	for _, s := range spots {
		s.stop()
		if err := s.topic.Leave(); err != nil {
			p.log.Warn("leaving a topic went wrong", "channel", ch.name, "err", err)
		}
	}
}

// detach leaves every way, forgets the messages and wakes who waits for more.
// The caller holds Plane.life.
func (p *Plane) detach(ch *channel) {
	ch.gone.Store(true)
	p.mu.Lock()
	spots := slices.Collect(maps.Values(ch.spots))
	carriage := ch.carriage
	ch.spots, ch.attached, ch.carriage = map[string]spot{}, false, nil
	p.firstSeq = max(p.firstSeq, ch.inbox.end())
	p.mu.Unlock()
	p.quit(ch, spots)
	dispose(carriage)
}
