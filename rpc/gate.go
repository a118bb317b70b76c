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
