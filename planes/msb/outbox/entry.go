package outbox

import (
	"time"

	"intercom/planes/msb/bus"
)

// State is what is known of a transaction.
type State string

// The states, in the order in which a transaction goes through them; it may leave
// some out and never goes back.
const (
	Created   State = "created"   // on this peer's disk
	Sent      State = "sent"      // offered; nobody is known to have taken it
	Accepted  State = "accepted"  // a node said that it waits for a block
	Confirmed State = "confirmed" // settled, and it did what it says
	Failed    State = "failed"    // settled without effect but for its fee, or without a height: never settled
	Expired   State = "expired"   // proven never to have been settled
)

// rank orders the states; those that end are equal.
func (s State) rank() int {
	switch s {
	case Created:
		return 0
	case Sent:
		return 1
	case Accepted:
		return 2
	default:
		return 3
	}
}

// Entry is one transaction and what is known of it.
type Entry struct {
	ID     bus.ID
	Raw    []byte // as it is offered
	Kind   bus.Kind
	Expiry uint64 // the last height whose block may hold it
	State  State

	// Code says why a transaction failed. In every other state it is the newest
	// refusal of a node, which decides nothing; OK when there is none. Text is
	// for people and may be empty.
	Code bus.Code
	Text string

	Height  uint64 // of the block that settled it; 0 when none did
	Key     string // its caller's; may be empty
	Created time.Time
	Changed time.Time // of State
}

// Ended tells whether the state is final.
func (e Entry) Ended() bool { return e.State.rank() == Failed.rank() }
