package rpc

import (
	"sync"
	"time"
)

// gate bounds how many calls are in flight, and how many bytes they brought.
// One goroutine enters, any may leave.
type gate struct {
	mu           sync.Mutex
	calls, bytes int // that are still free
	starved      bool
	left         chan struct{} // holds one token when somebody left
}

func newGate(calls, bytes int) *gate {
	return &gate{calls: calls, bytes: bytes, left: make(chan struct{}, 1)}
}

// How long reading pauses for a free place. The pause makes a client that
// writes ahead go at our pace, and still lets a cancellation through when every
// place is taken by a call that waits for something. After a pause in vain the
// next are short, until a place was free again.
const (
	pauseFirst = time.Second
	pauseNext  = 20 * time.Millisecond
)

// enter takes a place, or gives false when none becomes free in time.
func (g *gate) enter(bytes int) bool {
	if g.try(bytes) {
		return true
	}
	most := pauseFirst
	if g.starved {
		most = pauseNext
	}
	timer := time.NewTimer(most)
	defer timer.Stop()
	for {
		select {
		case <-g.left:
			if g.try(bytes) {
				return true
			}
		case <-timer.C:
			g.starved = true
			return false
		}
	}
}

func (g *gate) try(bytes int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.calls == 0 || g.bytes < bytes {
		return false
	}
	g.calls--
	g.bytes -= bytes
	g.starved = false
	return true
}

// leave gives a place back.
func (g *gate) leave(bytes int) {
	g.mu.Lock()
	g.calls++
	g.bytes += bytes
	g.mu.Unlock()
	select {
	case g.left <- struct{}{}:
	default:
	}
}

// order holds calls back until the writing calls read before them have ended,
// though not for long. One goroutine queues, any may wait.
type order struct {
	last chan struct{} // closed when the writing call read last has ended
}

// hold is how long a call waits for those before it.
const hold = 2 * time.Second

// turn is the place of one call in the order.
type turn struct {
	before, after chan struct{}
}

func (o *order) queue(writes bool) turn {
	t := turn{before: o.last}
	if writes {
		t.after = make(chan struct{})
		o.last = t.after
	}
	return t
}

// wait returns when it is the call's turn, or when done is closed.
func (t turn) wait(done <-chan struct{}) {
	if t.before == nil {
		return
	}
	select {
	case <-t.before:
		return
	default:
	}
	timer := time.NewTimer(hold)
	defer timer.Stop()
	select {
	case <-t.before:
	case <-timer.C:
	case <-done:
	}
}

func (t turn) end() {
	if t.after != nil {
		close(t.after)
	}
}
