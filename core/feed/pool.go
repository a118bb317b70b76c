package feed

import (
	"container/list"
	"slices"
	"sync"

	"intercom/core/identity"
)

// How much is parked. Too low and a burst that arrives out of order is sent
// twice; too high and hostile neighbours hold memory.
const (
	parkedPerNeighbour      = 1024
	parkedBytesPerNeighbour = 4 << 20
	parkedInAll             = 8192
	parkedBytesInAll        = 16 << 20
)

// pool is the entries that wait for their parents, in memory. Each counts
// against every neighbour that sent it and goes when the last of them has to
// make room, so that no neighbour can push out what another one sent.
type pool struct {
	mu      sync.Mutex
	byID    map[ref]*waiter
	waiting map[ref]map[*waiter]struct{} // by missing parent
	lines   map[identity.PublicKey]*line
	bytes   int
}

// ref names an entry that may not be there.
type ref struct {
	feed FeedID
	id   ID
}

// waiter is one parked entry.
type waiter struct {
	*checked
	from    identity.PublicKey // who sent it first
	missing map[ID]struct{}
	places  map[identity.PublicKey]*list.Element // in the lines of its senders
}

// line is what one neighbour has parked, the oldest first.
type line struct {
	order list.List // of *waiter
	bytes int
}

func (p *pool) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.byID)
}

// has tells whether the entry is parked.
func (p *pool) has(feed FeedID, id ID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.byID[ref{feed, id}]
	return ok
}

// park keeps an entry until its parents come and tells how many others had to
// go for it.
func (p *pool) park(c *checked, from identity.PublicKey, missing []ID) (evicted uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil {
		p.byID = make(map[ref]*waiter)
		p.waiting = make(map[ref]map[*waiter]struct{})
		p.lines = make(map[identity.PublicKey]*line)
	}
	w, ok := p.byID[ref{c.Feed, c.id}]
	if !ok {
		w = p.enter(c, from, missing)
	}
	if w.places[from] != nil {
		return 0
	}
	l := p.lines[from]
	if l == nil {
		l = &line{}
		p.lines[from] = l
	}
	w.places[from] = l.order.PushBack(w)
	l.bytes += len(c.raw)
	for l.order.Len() > parkedPerNeighbour || l.bytes > parkedBytesPerNeighbour {
		evicted += p.shorten(from)
	}
	for len(p.byID) > parkedInAll || p.bytes > parkedBytesInAll {
		evicted += p.shorten(p.heaviest())
	}
	return evicted
}

func (p *pool) enter(c *checked, from identity.PublicKey, missing []ID) *waiter {
	w := &waiter{
		checked: c,
		from:    from,
		missing: make(map[ID]struct{}, len(missing)),
		places:  make(map[identity.PublicKey]*list.Element, 1),
	}
	p.byID[ref{c.Feed, c.id}] = w
	p.bytes += len(c.raw)
	for _, id := range missing {
		w.missing[id] = struct{}{}
		at := ref{c.Feed, id}
		if p.waiting[at] == nil {
			p.waiting[at] = make(map[*waiter]struct{}, 1)
		}
		p.waiting[at][w] = struct{}{}
	}
	return w
}

// shorten takes the oldest from a neighbour's line and tells how many entries
// left the pool by it: one or none.
func (p *pool) shorten(from identity.PublicKey) (gone uint64) {
	w := p.lines[from].order.Front().Value.(*waiter)
	p.leave(w, from)
	if len(w.places) > 0 {
		return 0
	}
	p.remove(w)
	return 1
}

// heaviest is the neighbour with the most bytes.
func (p *pool) heaviest() (who identity.PublicKey) {
	most := -1
	for from, l := range p.lines {
		if l.bytes > most {
			who, most = from, l.bytes
		}
	}
	return who
}

// leave takes an entry from one line.
func (p *pool) leave(w *waiter, from identity.PublicKey) {
	l := p.lines[from]
	l.order.Remove(w.places[from])
	l.bytes -= len(w.raw)
	delete(w.places, from)
	if l.order.Len() == 0 {
		delete(p.lines, from)
	}
}

// remove takes an entry from the indexes; its lines are left already.
func (p *pool) remove(w *waiter) {
	delete(p.byID, ref{w.Feed, w.id})
	p.bytes -= len(w.raw)
	for id := range w.missing {
		at := ref{w.Feed, id}
		delete(p.waiting[at], w)
		if len(p.waiting[at]) == 0 {
			delete(p.waiting, at)
		}
	}
}

// arrived takes out the entries that waited for this one and for no other, in
// their order.
func (p *pool) arrived(c *checked) []*waiter {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := ref{c.Feed, c.id}
	if w, ok := p.byID[at]; ok {
		p.out(w) // stored after all, by another way
	}
	var ready []*waiter
	for w := range p.waiting[at] {
		delete(w.missing, c.id)
		if len(w.missing) == 0 {
			ready = append(ready, w)
			p.out(w)
		}
	}
	delete(p.waiting, at)
	slices.SortFunc(ready, func(a, b *waiter) int { return a.at().Compare(b.at()) })
	return ready
}

// out takes an entry out altogether.
func (p *pool) out(w *waiter) {
	for from := range w.places {
		p.leave(w, from)
	}
	p.remove(w)
}

// forget drops all that waits, near or far, for an entry that was not taken,
// and tells how many that were.
func (p *pool) forget(c *checked) (gone uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for lost := []ref{{c.Feed, c.id}}; len(lost) > 0; lost = lost[1:] {
		for w := range p.waiting[lost[0]] {
			lost = append(lost, ref{w.Feed, w.id})
			p.out(w)
			gone++
		}
	}
	return gone
}
