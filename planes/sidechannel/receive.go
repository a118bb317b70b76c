package sidechannel

import (
	"encoding/json"
	"strconv"
	"time"

	"intercom/core/identity"
	"intercom/core/p2p"
)

// handler connects a channel's topic with the pipeline.
func (p *Plane) handler(ch *channel, topic string) p2p.Handler {
	return p2p.Handler{
		Check:   func(m *p2p.Message) p2p.Verdict { return p.check(ch, topic, m) },
		Deliver: func(m *p2p.Message) { p.deliver(ch, m) },
	}
}

// check runs the pipeline, inline: a peer that floods waits for itself.
func (p *Plane) check(ch *channel, topic string, m *p2p.Message) p2p.Verdict {
	if ch.gone.Load() {
		p.drop(ch, Left)
		return p2p.Ignore
	}
	data, ok := p.carriageOf(ch).Open(topic, m.Data)
	if !ok {
		p.drop(ch, Sealed)
		return p2p.Ignore
	}
	message, reason := judge(p.screen, time.Now(), arrival{
		name: ch.name, quoted: ch.quoted, neighbour: m.From, data: data,
	})
	if reason == Delivered {
		m.Value = message
		return p2p.Accept
	}
	p.drop(ch, reason)
	if reason.dishonest() {
		return p2p.Reject
	}
	return p2p.Ignore
}

func (p *Plane) drop(ch *channel, r Reason) {
	ch.tally.count(r)
	p.totals.count(r)
}

// deliver hands a message that passed to readers, subscribers and listeners.
func (p *Plane) deliver(ch *channel, m *p2p.Message) {
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
