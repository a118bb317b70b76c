package outbox

import (
	"container/heap"
	"time"
)

// queue is a heap of what rests, the one that is due first on top; of those due
// together the older.
type queue []*flight

func (q *queue) add(f *flight) { heap.Push(q, f) }

// take gives the first that is due, or how long nothing is.
func (q *queue) take(now time.Time) (f *flight, idle time.Duration) {
	if len(*q) == 0 {
		return nil, time.Hour
	}
	if wait := (*q)[0].due.Sub(now); wait > 0 {
		return nil, wait
	}
	return heap.Pop(q).(*flight), 0
}

func (q queue) Len() int { return len(q) }

func (q queue) Less(i, j int) bool {
	if c := q[i].due.Compare(q[j].due); c != 0 {
		return c < 0
	}
	return q[i].number < q[j].number
}

func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push and Pop are the heap's.
func (q *queue) Push(f any) { *q = append(*q, f.(*flight)) }

func (q *queue) Pop() any {
	last := len(*q) - 1
	f := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return f
}
