package agent

import (
	"context"
	"sync"
	"time"
)

// lane is the order of the requests of one connection: each runs when the one
// before it has ended, or has let it pass.
type lane struct {
	last chan struct{} // closed when the newest request lets others pass; only the reader touches it
	room room
	wait sync.WaitGroup
}

// never is the patience of those who wait however long it takes.
const never time.Duration = -1

// do runs a request in its turn and returns as soon as there is room for it.
// After its patience it lets the next one pass. A context that has ended drops
// what has not begun.
func (l *lane) do(ctx context.Context, size int64, patience time.Duration, run func()) {
	if !l.room.enter(ctx, size) {
		return
	}
	turn, done := l.last, make(chan struct{})
	l.last = done
	l.wait.Go(func() {
		defer l.room.exit(size)
		pass := sync.OnceFunc(func() { close(done) })
		defer pass()
		if turn != nil {
			select {
			case <-turn:
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return
		}
		switch {
		case patience == 0:
			pass()
		case patience > 0:
			timer := time.AfterFunc(patience, pass)
			defer timer.Stop()
		}
		run()
	})
}

// room bounds how many requests there are, and how large they are together.
// One that is larger than all the room may be there alone.
type room struct {
	count, maxCount int
	bytes, maxBytes int64

	mu    sync.Mutex
	freed chan struct{} // one token when somebody left
}

func newRoom(count int, bytes int64) room {
	return room{maxCount: count, maxBytes: bytes, freed: make(chan struct{}, 1)}
}

// enter waits for room. It is false when the context ends first.
func (r *room) enter(ctx context.Context, size int64) bool {
	for !r.fits(size) {
		select {
		case <-r.freed:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

func (r *room) fits(size int64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.count > 0 && (r.count >= r.maxCount || r.bytes+size > r.maxBytes) {
		return false
	}
	r.count++
	r.bytes += size
	return true
}

func (r *room) exit(size int64) {
	r.mu.Lock()
	r.count--
	r.bytes -= size
	r.mu.Unlock()
	select {
	case r.freed <- struct{}{}:
	default:
	}
}
