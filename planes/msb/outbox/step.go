package outbox

import (
	"time"

	"intercom/planes/msb/bus"
)

// task is a transaction under way.
type task struct {
	Entry
	own  bool // the network's only node is in this process
	kept bool // a process before had it

	offers int       // in a row; what it rests grows with them
	asked  bool      // offered in this turn
	looked bool      // its record was looked for
	height int64     // at which it first was not there
	due    time.Time // when the next turn begins
}

// An input is what a task is told; see [task.step].
type input interface{ input() }

type (
	begin  struct{} // its turn has come
	answer struct { // to an offer
		bus.Result
		err error // nothing is known
	}
	settled struct{ bus.Record } // proven
	absent  struct{ at int64 }   // proven not to be settled at that height
	blind   struct{ err error }  // looking or watching showed nothing
)

func (begin) input()   {}
func (answer) input()  {}
func (settled) input() {}
func (absent) input()  {}
func (blind) input()   {}

// An action is what a task wants done. All but the last two are answered by an input.
type action string

const (
	offer action = "offer" // → answer
	look  action = "look"  // for its record → settled, absent, blind
	watch action = "watch" // for its record, until it is due → settled, blind
	rest  action = "rest"  // until it is due
	end   action = "end"
)

// How long a task rests after its first offer; twice as long after each further
// one, up to the longest. Too short burdens a network in trouble, too long lets
// callers wait when the trouble is over. One that was taken is watched meanwhile.
const (
	untaken = 250 * time.Millisecond
	taken   = 2 * time.Second
	longest = 10 * time.Second
)

// step decides, of a task that was told something at a time, what is known now
// and what to do. A turn is: look, unless it is new; offer; look, or watch if it
// was taken; rest.
func (t task) step(in input, now time.Time) (task, action) {
	switch in := in.(type) {
	case begin:
		t.asked = false
		if !t.kept && t.offers == 0 {
			return t.offer(now)
		}
		return t, look
	case answer:
		return t.answered(in, now)
	case settled:
		t.Code, t.Text, t.Height = in.Code, "", in.Height
		if in.Code == bus.OK {
			return t.become(Confirmed, now), end
		}
		return t.become(Failed, now), end
	case absent:
		return t.missing(in.at, now)
	default: // blind
		if t.asked {
			return t, rest
		}
		return t.offer(now) // whoever cannot tell may still take it
	}
}

func (t task) become(s State, now time.Time) task {
	if s.rank() > t.State.rank() {
		t.State, t.Changed = s, now
	}
	return t
}

func (t task) offer(now time.Time) (task, action) {
	t.offers++
	t.asked = true
	return t.become(Sent, now), offer
}

func (t task) answered(in answer, now time.Time) (task, action) {
	t.due = now.Add(t.pause(untaken))
	if in.err != nil {
		return t, rest
	}
	if in.Code == bus.OK || in.Code == bus.TxAlreadyPending {
		t.Code, t.Text = bus.OK, ""
		t.due = now.Add(t.pause(taken))
		return t.become(Accepted, now), watch
	}
	t.Code, t.Text = in.Code, in.Text
	return t, look
}

func (t task) missing(at int64, now time.Time) (task, action) {
	if !t.looked {
		t.looked, t.height = true, at
	}
	switch {
	case at >= 0 && uint64(at) >= t.Expiry:
		return t.become(Expired, now), end
	case !t.asked:
		return t.offer(now)
	case t.refusedForGood(at):
		return t.become(Failed, now), end
	default:
		return t, rest
	}
}

// refusedForGood tells whether the newest refusal ends it: see the package
// documentation. At is a height at which it was not settled after the refusal.
func (t task) refusedForGood(at int64) bool {
	switch t.Code {
	case bus.OK, bus.NodeOverloaded, bus.TxAlreadyExists:
		return false
	case bus.InsufficientFeeBalance, bus.TransferInsufficientBalance:
		return t.own && (!t.kept || at > t.height)
	default:
		return t.own
	}
}

// pause is how long to rest, up to a quarter less by its hash: what was sent
// together does not come back together.
func (t task) pause(first time.Duration) time.Duration {
	d := longest
	if n := t.offers - 1; n < 16 {
		d = min(first<<max(n, 0), longest)
	}
	return d - d/4*time.Duration(t.ID[0])/256
}
