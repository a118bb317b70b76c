package feed

import "sync"

// turns lets goroutines finish in the order in which they took their number,
// whatever order they become ready in.
type turns struct {
	mu      sync.Mutex
	next    uint64                   // the number that take gives
	now     uint64                   // the number whose turn it is
	waiting map[uint64]chan struct{} // closed when the number's turn has come
}

// take gives the next number. Who takes one must wait for it and be done.
func (t *turns) take() uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.next
	t.next++
	return n
}

// wait returns when all earlier numbers are done.
func (t *turns) wait(n uint64) {
	t.mu.Lock()
	if t.now == n {
		t.mu.Unlock()
		return
	}
	come := make(chan struct{})
	if t.waiting == nil {
		t.waiting = make(map[uint64]chan struct{})
	}
	t.waiting[n] = come
	t.mu.Unlock()
	<-come
}

// done gives the turn on.
func (t *turns) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.now++
	if come, ok := t.waiting[t.now]; ok {
		delete(t.waiting, t.now)
		close(come)
	}
}
