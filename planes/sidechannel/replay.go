package sidechannel

import (
	"hash/maphash"
	"sync"
	"time"
)

// MaxAge and MaxAhead bound the date of a frame against this peer's clock. Too
// narrow and peers with a wrong clock go unheard; too wide and more ids must be
// remembered, for a frame that is still admitted must be known when it comes
// again.
const (
	MaxAge   = 10 * time.Minute
	MaxAhead = 2 * time.Minute
)

const (
	bucketWidth = 10_000  // ms of frame time that are forgotten at once
	replayLimit = 1 << 20 // ids remembered, about 20 MB; at 1 400 a second that is MaxAge + MaxAhead
)

// replay remembers which ids were delivered, by the date of their frames. It
// never forgets an id whose frame would still be admitted: when it is full it
// forgets the oldest and moves the floor, so that the window narrows and nothing
// is delivered twice. It remembers 8 bytes of a keyed hash of an id: by chance
// one frame in 2^44 is taken for another, and nobody can bring that about.
//
// Its methods may be called from any goroutine.
type replay struct {
	seed  maphash.Seed
	limit int

	mu      sync.Mutex
	floor   int64 // frames dated before it are refused, ms
	buckets map[int64]map[uint64]struct{}
	known   int // ids in all buckets
}

// newReplay makes a memory of limit ids that refuses what is dated before floor.
func newReplay(floor time.Time, limit int) *replay {
	return &replay{seed: maphash.MakeSeed(), limit: limit, floor: floor.UnixMilli(), buckets: map[int64]map[uint64]struct{}{}}
}

// dated tells whether a frame of that date can be admitted at all.
func (r *replay) dated(now time.Time, ts int64) Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case ts < now.Add(-MaxAge).UnixMilli() || ts < r.floor:
		return TooOld
	case ts > now.Add(MaxAhead).UnixMilli():
		return TooNew
	}
	return Delivered
}

// admit remembers an id the first time, and refuses it from then on. An id names
// its author, whose signature must have been verified: otherwise anybody could
// spend the ids of others.
func (r *replay) admit(now time.Time, id string, ts int64) Reason {
	sum := maphash.String(r.seed, id)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now)
	at := ts / bucketWidth
	bucket := r.buckets[at]
	if _, again := bucket[sum]; again {
		return Duplicate
	}
	if ts < r.floor { // it has moved since dated
		return TooOld
	}
	if !r.room(now, at) {
		return Overload
	}
	if bucket == nil {
		bucket = map[uint64]struct{}{}
		r.buckets[at] = bucket
	}
	bucket[sum] = struct{}{}
	r.known++
	return Delivered
}

// room makes room for one more id in a bucket, at the cost of older buckets
// only. What is dated ahead gets a small share, or a flood of it would push out
// the present.
func (r *replay) room(now time.Time, at int64) bool {
	if at > now.UnixMilli()/bucketWidth && len(r.buckets[at]) >= max(1, r.limit/64) {
		return false
	}
	for r.known >= r.limit {
		oldest := at
		for other := range r.buckets {
			oldest = min(oldest, other)
		}
		if oldest == at {
			return false
		}
		r.drop(oldest)
		r.floor = max(r.floor, (oldest+1)*bucketWidth)
	}
	return true
}

// forget drops what is too old to be admitted again.
func (r *replay) forget(now time.Time) {
	floor := now.Add(-MaxAge).UnixMilli()
	if floor <= r.floor {
		return
	}
	r.floor = floor
	for at := range r.buckets {
		if (at+1)*bucketWidth <= floor {
			r.drop(at)
		}
	}
}

func (r *replay) drop(at int64) {
	r.known -= len(r.buckets[at])
	delete(r.buckets, at)
}

// tidy drops what is too old, for a peer that hears nothing any more.
func (r *replay) tidy(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.forget(now)
}
