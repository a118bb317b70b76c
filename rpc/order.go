package rpc

import "time"

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
