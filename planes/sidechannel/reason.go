package sidechannel

import "sync/atomic"

// Reason says why a frame was not delivered. It is the name under which
// sc_stats counts it.
type Reason string

// The reasons, in the order in which the pipeline finds them.
const (
	Delivered    Reason = ""              // it was delivered
	TooLarge     Reason = "too_large"     // more than MaxFrameBytes
	Malformed    Reason = "malformed"     // not a frame in its one form
	WrongChannel Reason = "wrong_channel" // it names another channel than it came on
	Echo         Reason = "echo"          // it names this peer as its author
	WrongID      Reason = "wrong_id"      // the parts of the id are not the frame's author and time
	TooOld       Reason = "too_old"       // dated more than MaxAge ago, or before what replay memory covers
	TooNew       Reason = "too_new"       // dated more than MaxAhead ahead
	Control      Reason = "control"       // a control, or something smuggled as one
	BadSignature Reason = "bad_signature" // not signed by the author it names
	Duplicate    Reason = "duplicate"     // delivered before
	Overload     Reason = "overload"      // replay memory is full of newer frames
	Left         Reason = "left"          // the channel was left meanwhile
	Sealed       Reason = "sealed"        // it cannot be opened with a key of this channel
)

// reasons lists every reason but Delivered.
var reasons = []Reason{
	TooLarge, Malformed, WrongChannel, Echo, WrongID, TooOld, TooNew, Control, BadSignature, Duplicate, Overload, Left, Sealed,
}

// dishonest tells whether the neighbour that handed over such a frame must have
// known better: an honest one has run the same checks before passing it on.
// What depends on clocks, memory or the version of a peer is forgiven.
func (r Reason) dishonest() bool {
	switch r {
	case TooLarge, Malformed, WrongChannel, WrongID, BadSignature:
		return true
	}
	return false
}

// tally counts frames. It may be used from any goroutine.
type tally struct {
	sent, received atomic.Uint64
	dropped        [16]atomic.Uint64 // by place in reasons
}

// Counts is what was sent and received, and what was dropped by reason.
type Counts struct {
	Sent     uint64            `json:"sent" jsonschema:"messages this peer sent"`
	Received uint64            `json:"received" jsonschema:"messages delivered"`
	Dropped  map[Reason]uint64 `json:"dropped" jsonschema:"frames that were not delivered, by reason"`
}

func (t *tally) count(r Reason) {
	if r == Delivered {
		t.received.Add(1)
		return
	}
	for i, known := range reasons {
		if known == r {
			t.dropped[i].Add(1)
			return
		}
	}
}

func (t *tally) counts() Counts {
	c := Counts{Sent: t.sent.Load(), Received: t.received.Load(), Dropped: map[Reason]uint64{}}
	for i, reason := range reasons {
		if n := t.dropped[i].Load(); n > 0 {
			c.Dropped[reason] = n
		}
	}
	return c
}
