package bft

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// State is how a chain fares here.
type State string

// The states of a node.
const (
	Off      State = "off"      // it does not run
	Starting State = "starting" // it replays what the application missed
	Syncing  State = "syncing"  // it catches up with the others
	Healthy  State = "healthy"  // what is sent is confirmed
	Stalled  State = "stalled"  // transactions wait and no block comes: too few validators are there
	Failed   State = "failed"   // it cannot go on; see the reason
)

// Health is a state since when, and why.
type Health struct {
	State  State     `json:"state"`
	Reason string    `json:"reason,omitempty"`
	Since  time.Time `json:"since"`
}

type health struct {
	tell func(Health)
	mu   sync.Mutex
	now  Health
}

// set changes the health; after a failure only the end of the node does.
func (h *health) set(state State, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.State == state && h.now.Reason == reason {
		return
	}
	since := time.Now()
	if h.now.State == state {
		since = h.now.Since
	}
	h.now = Health{State: state, Reason: reason, Since: since}
	if h.tell != nil {
		h.tell(h.now)
	}
}

func (h *health) get() Health {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.State == "" {
		return Health{State: Off}
	}
	return h.now
}

// watch looks whether blocks come while transactions wait. The engine itself
// says nothing when it stands still.
func (n *Node) watch(ctx context.Context, r *running) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	var height int64
	moved := time.Now() // when there was last a new block, or nothing to do
	for {
		n.mu.Lock()
		now := n.height
		n.mu.Unlock()
		waiting := r.node.Mempool().Size()
		if now != height || waiting == 0 {
			height, moved = now, time.Now()
		}
		switch still := time.Since(moved); {
		case r.node.ConsensusReactor().WaitSync():
			n.health.set(Syncing, "")
		case still < n.cfg.stall():
			n.health.set(Healthy, "")
		default:
			n.health.set(Stalled, fmt.Sprintf("transactions wait and no block came after height %d", now))
		}
		select {
		case <-ctx.Done():
			return
		case <-r.failed:
			return // Run tells
		case <-tick.C:
		}
	}
}
