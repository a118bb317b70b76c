package intersplit

import (
	"context"
	"sync"
	"time"
)

// How long a call waits for entries of others in a channel to which this peer has
// just come. Too short, and a newcomer is told of an empty ledger that is not; too
// long, and who is alone waits for nobody.
const (
	meetTime  = 300 * time.Millisecond // for a member to appear, since this peer came
	firstTime = 5 * time.Second        // for a comparison with a member to end, since one appeared
	aloneTime = 10 * time.Second       // how long an empty ledger is told as maybe not so, when nobody appeared
	lookOut   = 20 * time.Millisecond  // how often a call looks for members
)

// Freshness tells that others may have entries which this peer has not had yet. It
// is empty once the ledger was compared with a member's.
type Freshness struct {
	Synced *bool  `json:"synced,omitempty" jsonschema:"false: the entries of others have not come yet, so this may lack some; absent otherwise"`
	Hint   string `json:"hint,omitempty" jsonschema:"what to do next"`

	alone bool // nobody is there: nothing that people need to read
}

// spoken is a line for people, when there is something to say.
func (f Freshness) spoken() string {
	if f.Synced == nil || f.alone {
		return ""
	}
	return "- not synced: " + f.Hint + "\n"
}

func notSynced(hint string) Freshness { return Freshness{Synced: new(bool), Hint: hint} }

// arrivals is how far this peer has got in the channels that it is in.
type arrivals struct {
	alone    time.Duration // how long a call waits for a member to appear
	together time.Duration // and then for the first comparison

	mu sync.Mutex
	in map[string]*arrival
}

// arrival is how far it has got in one.
type arrival struct {
	since time.Time     // when it came, or was first seen to be there
	met   time.Time     // when the first member was seen; zero when none was
	step  chan struct{} // closed once a whole comparison with a member has ended well
}

func (a *arrivals) init() {
	a.alone, a.together, a.in = meetTime, firstTime, map[string]*arrival{}
}

// come notes that this peer is in a channel; anew forgets what was before.
func (a *arrivals) come(channel string, anew bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.in[channel] == nil || anew {
		a.in[channel] = &arrival{since: now, step: make(chan struct{})}
	}
}

// meet notes whom this peer is with, and forgets the channels that it has left
// by then.
func (a *arrivals) meet(joined []string, present []pair, asOf time.Time) {
	here := make(map[string]bool, len(joined))
	for _, channel := range joined {
		here[channel] = true
		a.come(channel, false, asOf)
	}
	for _, p := range present {
		a.see(p.channel, asOf)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for channel, at := range a.in {
		if !here[channel] && !at.since.After(asOf) {
			delete(a.in, channel)
		}
	}
}

// see notes that a channel has members.
func (a *arrivals) see(channel string, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at := a.in[channel]; at != nil && at.met.IsZero() {
		at.met = now
	}
}

// settle notes that a room was compared with a member's.
func (a *arrivals) settle(channel string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at := a.in[channel]; at != nil && !at.settled() {
		close(at.step)
	}
}

// at is how far this peer has got in a channel now.
func (a *arrivals) at(channel string) arrival {
	a.mu.Lock()
	defer a.mu.Unlock()
	if at := a.in[channel]; at != nil {
		return *at
	}
	return arrival{}
}

func (at *arrival) settled() bool {
	select {
	case <-at.step:
		return true
	default:
		return false
	}
}

// patience is how much longer a call waits in a channel.
func (a *arrivals) patience(at arrival, now time.Time) time.Duration {
	switch {
	case at.since.IsZero() || at.settled():
		return 0
	case at.met.IsZero():
		return at.since.Add(a.alone).Sub(now)
	default:
		return at.met.Add(a.together).Sub(now)
	}
}

// catchUp waits, for a bounded time, until a room of which nothing was heard yet
// has been compared with a member's. Who is alone hardly waits.
func (r *Rooms) catchUp(ctx context.Context, channel string) {
	for ctx.Err() == nil {
		if len(r.channels.Members(channel)) > 0 {
			r.arrivals.see(channel, time.Now())
		}
		at := r.arrivals.at(channel)
		left := r.arrivals.patience(at, time.Now())
		if left <= 0 || r.schedule.hopeless(channel) {
			return
		}
		if !at.met.IsZero() {
			r.schedule.hurry(channel)
		}
		pause := time.NewTimer(min(left, lookOut))
		select {
		case <-at.step:
		case <-ctx.Done():
		case <-pause.C:
		}
		pause.Stop()
	}
}

// freshness tells what a room may lack.
func (r *Rooms) freshness(rm *room) Freshness {
	at := r.arrivals.at(rm.channel)
	switch {
	case at.since.IsZero() || at.settled():
		return Freshness{}
	case r.schedule.refused(rm.channel):
		return notSynced("a member holds others to be owner or inviters of this channel: expense_rooms names it")
	case !at.met.IsZero():
		return notSynced("members of this channel are there, and not all of their entries have come: ask again in a moment")
	case time.Since(at.since) > aloneTime:
		return Freshness{}
	}
	if n, err := r.feeds.Count(rm.id); err != nil || n > 0 {
		return Freshness{}
	}
	fresh := notSynced("this peer has just come to the channel and no member is connected yet: ask again in a moment, or go on if you are the first")
	fresh.alone = true
	return fresh
}
