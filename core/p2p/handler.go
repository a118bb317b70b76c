package p2p

import "intercom/core/identity"

// Verdict is what Check thinks of a frame.
type Verdict int

// The verdicts. Ignore and Reject both drop the frame; Reject says that no
// honest neighbour would have forwarded it.
const (
	Accept Verdict = iota // deliver it here and forward it to other members
	Ignore
	Reject
)

// Message is one frame of a topic.
type Message struct {
	From  identity.PublicKey // the proven neighbour that handed it over, not necessarily its author
	Data  []byte             // not to be changed: it is being forwarded
	Value any                // Check leaves here what Deliver needs, so that nothing is decoded twice
}

// Handler is what a topic does with frames. Each function may be nil.
type Handler struct {
	// Check judges frames in the order of arrival, one at a time in a whole
	// host, and must not block: everything of the host waits behind it. nil
	// accepts all. A panic is contained and counts as Ignore.
	Check func(m *Message) Verdict

	// Deliver gets accepted frames in order, from a goroutine of the topic. While
	// it is slow, up to 4096 frames or 16 MiB wait; more are dropped and counted.
	Deliver func(m *Message)

	// Member tells that a connected neighbour joined or left the topic, from a
	// goroutine of the topic. Those already there are told first; changes that
	// cancel each other out before they are told may be left out.
	Member func(key identity.PublicKey, joined bool)
}
