package sidechannel

import (
	"encoding/json"
	"strconv"
	"time"

	"intercom/core/identity"
	"intercom/core/p2p"
)

// handler connects one way of a channel with the pipeline.
func (p *Plane) handler(ch *channel, topic string) p2p.Handler {
	return p2p.Handler{
		Check:   func(m *p2p.Message) p2p.Verdict { return p.check(ch, topic, m) },
		Deliver: func(m *p2p.Message) { p.deliver(ch, m) },
		Member: func(_ identity.PublicKey, joined bool) {
			if joined {
				p.say(ch)
			}
		},
	}
}

// check runs the pipeline, inline: a peer that floods waits for itself. What a
// blocked neighbour hands over is not looked at.
func (p *Plane) check(ch *channel, topic string, m *p2p.Message) p2p.Verdict {
	now := time.Now()
	c, sealer, reason := p.judge(ch, topic, m, now)
	if reason != Delivered {
		p.drop(ch, reason)
		return p.blame(m, sealer, reason, now)
	}
	if c.control != nil {
		p.listen(word{ch, c.author, c.control})
		m.Value = c.control
		if c.handover() || p.policy.NoRelay {
			return p2p.Ignore
		}
		return p2p.Accept
	}
	m.Value = c.deliverable()
	if p.policy.NoRelay { // what is accepted is passed on
		p.deliver(ch, m)
		return p2p.Ignore
	}
	return p2p.Accept
}

// judge also gives the key that proved to have sealed the frame, zero for an
// open channel.
func (p *Plane) judge(ch *channel, topic string, m *p2p.Message, now time.Time) (c *candidate, sealer identity.PublicKey, reason Reason) {
	if ch.gone.Load() {
		return nil, sealer, Left
	}
	if p.barred(m.From, now) {
		return nil, sealer, Blocked
	}
	carriage := p.carriageOf(ch)
	if carriage == nil {
		return nil, sealer, Left
	}
	data, sealer, ok := carriage.Open(topic, m.Data)
	if !ok {
		return nil, sealer, Sealed
	}
	c, reason = judge(p.screen, now, arrival{name: ch.name, quoted: ch.quoted, law: ch.law, bits: ch.bits, neighbour: m.From, data: data})
	return c, sealer, reason
}

// blame makes whoever is to blame for a dropped frame pay for it: the neighbour,
// which has checked what it passes on, but for a sealed frame the member that
// sealed it, since a relay cannot look into one.
func (p *Plane) blame(m *p2p.Message, sealer identity.PublicKey, reason Reason, now time.Time) p2p.Verdict {
	cost := len(m.Data) + frameCost
	switch {
	case !reason.costly():
	case sealer.IsZero():
		p.charge(m.From, now, cost)
	default:
		p.screen.limits.pay(authorPurse(sealer.String()), p.screen.authors, now, cost)
	}
	if reason.dishonest() && sealer.IsZero() {
		return p2p.Reject
	}
	return p2p.Ignore
}

// neighbourPurse and addressPurse name the purses that pay for what was handed
// over in vain.
func neighbourPurse(key identity.PublicKey) string { return "n" + key.String() }
func addressPurse(address string) string           { return "i" + address }

// barred tells whether a neighbour is blocked, as itself, as an author, or by
// its address.
func (p *Plane) barred(key identity.PublicKey, now time.Time) bool {
	limits := p.screen.limits
	if limits.blocked(neighbourPurse(key), now) || limits.blocked(authorPurse(key.String()), now) {
		return true
	}
	if !limits.addresses.Load() { // the usual case asks the network nothing
		return false
	}
	address := p.net.Address(key)
	return address != "" && limits.blocked(addressPurse(address), now)
}

// charge makes a neighbour pay, and the address it comes from.
func (p *Plane) charge(key identity.PublicKey, now time.Time, bytes int) {
	limits := p.screen.limits
	limits.pay(neighbourPurse(key), p.policy.Rates.neighbour(), now, bytes)
	if address := p.net.Address(key); address != "" {
		limits.pay(addressPurse(address), p.policy.Rates.address(), now, bytes)
	}
}

// listen queues a control. When too many wait it is lost, and said again.
func (p *Plane) listen(w word) {
	select {
	case p.words <- w:
	default:
	}
}

func (p *Plane) drop(ch *channel, r Reason) {
	ch.tally.count(r)
	p.totals.count(r)
}

// deliver hands a message that passed to readers, subscribers and listeners.
func (p *Plane) deliver(ch *channel, m *p2p.Message) {
	if _, ok := m.Value.(*control); ok {
		return // it was acted on
	}
	message, ok := m.Value.(*Message)
	if !ok {
		p.log.Error("a message was delivered that was never checked", "channel", ch.name)
		return
	}
	if ch.gone.Load() {
		p.drop(ch, Left)
		return
	}
	ch.tally.count(Delivered)
	p.totals.count(Delivered)
	ch.inbox.add(message)
	p.acks.arrived(message, time.Now())
	p.hub.Publish("sidechannel_message", message.event(ch.quoted))
	p.tell(message)
}

// tell calls the listeners of the application that the message is for.
func (p *Plane) tell(m *Message) {
	p.mu.RLock()
	none := len(p.listeners) == 0
	p.mu.RUnlock()
	if none {
		return
	}
	app, ok := appOf(m.Message)
	if !ok {
		return
	}
	p.mu.RLock()
	listeners := p.listeners[app]
	p.mu.RUnlock()
	for _, f := range listeners {
		f(*m)
	}
}

// event is the message as upstream's bridge reports it (upstream 6.12), member
// by member in its order. It is written by hand so that the message is copied
// once and not read again.
func (m *Message) event(quoted string) json.RawMessage {
	b := make([]byte, 0, len(m.Message)+len(quoted)+600)
	b = append(b, `{"channel":`...)
	b = append(b, quoted...)
	b = append(b, `,"id":"`...)
	b = append(b, m.ID...)
	b = append(b, `","from":`...)
	b = appendKey(b, m.From)
	b = append(b, `,"origin":`...)
	b = appendKey(b, m.Origin)
	b = append(b, `,"sig":"`...)
	b = append(b, m.Sig...)
	b = append(b, `","relayedBy":`...)
	b = appendKey(b, m.RelayedBy)
	b = append(b, `,"ttl":`...)
	b = strconv.AppendInt(b, int64(m.TTL), 10)
	b = append(b, `,"ts":`...)
	b = strconv.AppendInt(b, m.TS, 10)
	b = append(b, `,"message":`...)
	b = append(b, m.Message...)
	return append(b, '}')
}

// appendKey writes a key as hex, and the zero key as null.
func appendKey(b []byte, key identity.PublicKey) []byte {
	if key.IsZero() {
		return append(b, "null"...)
	}
	b = append(b, '"')
	b = append(b, key.String()...)
	return append(b, '"')
}
