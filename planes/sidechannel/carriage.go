package sidechannel

import (
	"encoding/hex"
	"time"

	"intercom/core/identity"
)

// Way is one place where the members of a channel meet.
type Way struct {
	Topic      string   // of the network: frames travel on it
	Rendezvous [32]byte // where members look for each other
}

// Carriage is how the frames of one channel travel: where its members meet, and
// in which bytes. An open channel is carried as it is; an invite-only one is
// sealed. Its methods may be called from any goroutine and must not block.
type Carriage interface {
	// Ways lists where frames may arrive; they are sent on the first. None means
	// that no frame can travel yet, as while a key is not known. Whoever changes
	// the answer calls the function changed that the carriage was made with.
	Ways() []Way
	// Seal gives the bytes that carry a frame on the first way, and that way.
	Seal(frame []byte) (way Way, data []byte, err error)
	// Open gives back the frame that data carried on a topic, and who proved to have
	// sealed it, zero when it was not sealed. false: these bytes cannot be opened
	// here, which need not be the neighbour's fault (see [Sealed]).
	Open(topic string, data []byte) (frame []byte, sealer identity.PublicKey, ok bool)
}

// Sealer makes the carriage of an invite-only channel. changed tells the plane
// to ask for the ways again; it may be called from any goroutine, and at once.
// When the channel is left or opened up, the carriage is closed if it is an
// io.Closer.
type Sealer func(channel ChannelName, guests Guests, changed func()) Carriage

// Guests tells who belongs to an invite-only channel: its inviters, and whoever
// holds a live, unrevoked invite by one of them. Its methods may be called from
// any goroutine.
type Guests interface {
	// Inviter tells whether a key may invite; it then belongs by itself.
	Inviter(key identity.PublicKey) bool
	// Belongs tells whether a key may read and write now, as far as is known.
	Belongs(key identity.PublicKey, now time.Time) bool
	// Present takes the invite of a key, as JSON, and remembers it. The error says
	// why it does not count.
	Present(key identity.PublicKey, invite []byte, now time.Time) error
	// Ticket is this peer's own invite to present, as JSON; nil for an inviter and
	// for who has none.
	Ticket() []byte
	// Inviters lists who may invite, this peer's own inviter first.
	Inviters() []identity.PublicKey
	// Revocations lists the signed revocations known, as JSON, in an order that
	// depends on nothing but the set.
	Revocations() [][]byte
	// Revoke takes revocations of others, as JSON. What is known or not by an
	// inviter changes nothing; news tells whether any was new.
	Revoke(revocations [][]byte, now time.Time) (news bool)
	// Watch calls f, which must not block, when a revocation became known, until
	// stop is called.
	Watch(f func()) (stop func())
}

// plain carries an open channel: whoever knows its name knows where it meets.
type plain struct{ way Way }

func newPlain(name ChannelName) plain {
	ns := name.topic()
	return plain{Way{Topic: hex.EncodeToString(ns[:]), Rendezvous: ns}}
}

func (p plain) Ways() []Way                            { return []Way{p.way} }
func (p plain) Seal(frame []byte) (Way, []byte, error) { return p.way, frame, nil }

// Open implements [Carriage].
func (p plain) Open(_ string, data []byte) ([]byte, identity.PublicKey, bool) {
	return data, identity.PublicKey{}, true
}
