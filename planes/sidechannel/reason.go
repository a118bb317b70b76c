package sidechannel

import "sync/atomic"

// Reason says why a frame was not delivered. It is the name under which
// sc_stats counts it.
type Reason string

// The reasons, in the order in which the pipeline finds them.
const (
	Delivered    Reason = ""              // it was delivered
	Blocked      Reason = "blocked"       // its neighbour or its author is blocked
	Sealed       Reason = "sealed"        // it cannot be opened with a key of this channel
	TooLarge     Reason = "too_large"     // more than MaxFrameBytes
	Malformed    Reason = "malformed"     // not a frame in its one form
	WrongChannel Reason = "wrong_channel" // it names another channel than it came on
	Echo         Reason = "echo"          // it names this peer as its author
	WrongID      Reason = "wrong_id"      // the parts of the id are not the frame's author and time
	TooOld       Reason = "too_old"       // dated more than MaxAge ago, or before what replay memory covers
	TooNew       Reason = "too_new"       // dated more than MaxAhead ahead
	Control      Reason = "control"       // something smuggled as a control
	NoWork       Reason = "no_work"       // without the proof of work that this peer asks for
	BadSignature Reason = "bad_signature" // not signed by the author it names
	NotInvited   Reason = "not_invited"   // its author has no invite that counts
	NotOwner     Reason = "not_owner"     // only the owner writes here
	NoWelcome    Reason = "no_welcome"    // the owner's welcome is needed and missing
	Duplicate    Reason = "duplicate"     // delivered before
	Overload     Reason = "overload"      // replay memory is full of newer frames
	TooMuch      Reason = "too_much"      // its author sends more than the limits
	Left         Reason = "left"          // the channel was left meanwhile
)

// reasons lists every reason but Delivered.
var reasons = []Reason{
	Blocked, Sealed, TooLarge, Malformed, WrongChannel, Echo, WrongID, TooOld, TooNew, Control, NoWork, BadSignature,
	NotInvited, NotOwner, NoWelcome, Duplicate, Overload, TooMuch, Left,
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

// costly tells whether the neighbour pays for handing over such a frame. What is
// this peer's own doing costs it nothing, and what the author paid for already.
func (r Reason) costly() bool {
	switch r {
	case Delivered, Blocked, Overload, TooMuch, Left:
		return false
	}
	return true
}

// tally counts frames. It may be used from any goroutine.
type tally struct {
	sent, received atomic.Uint64
	dropped        [24]atomic.Uint64 // by place in reasons
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
