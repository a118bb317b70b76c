package p2p

import (
	"math/rand/v2"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// How long and how often a lost neighbour is looked for.
const (
	bookSize     = 512
	redialFirst  = 200 * time.Millisecond
	redialMost   = time.Minute
	redialGiveUp = 6 * time.Hour
)

// book remembers the neighbours of this run: where they listen, their signed
// record, and when to dial those again that were lost. All decisions are
// functions of its state and the time that is passed in.
type book struct {
	mu    sync.Mutex
	known map[peer.ID]*entry
}

type entry struct {
	addrs     []ma.Multiaddr
	record    []byte // signed; nil when the neighbour sent none that fits
	connected bool
	lost      time.Time // when it was lost
	failures  int
	due       time.Time // when to dial again
}

func newBook() *book { return &book{known: map[peer.ID]*entry{}} }

// arrived notes a connected neighbour and what it says of itself.
func (b *book) arrived(id peer.ID, addrs []ma.Multiaddr, record []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.known[id]
	if e == nil {
		b.makeRoom()
		e = &entry{}
		b.known[id] = e
	}
	e.connected, e.failures = true, 0
	if len(addrs) > 0 {
		e.addrs = addrs
	}
	if record != nil {
		e.record = record
	}
}

// makeRoom drops the neighbour that was lost first. When all are connected the
// book grows with them: connections are bounded elsewhere.
func (b *book) makeRoom() {
	if len(b.known) < bookSize {
		return
	}
	var oldest peer.ID
	for id, e := range b.known {
		if !e.connected && (oldest == "" || e.lost.Before(b.known[oldest].lost)) {
			oldest = id
		}
	}
	delete(b.known, oldest)
}

// gone notes that a neighbour was lost: it is due soon.
func (b *book) gone(id peer.ID, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if e := b.known[id]; e != nil && e.connected {
		e.connected, e.failures, e.lost = false, 0, now
		e.due = now.Add(jitter(redialFirst))
	}
}

// due takes the lost neighbours that should be dialled now; each is due again
// after a pause that doubles from one time to the next.
func (b *book) due(now time.Time) []peer.AddrInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	var due []peer.AddrInfo
	for id, e := range b.known {
		switch {
		case e.connected || now.Before(e.due):
		case now.Sub(e.lost) > redialGiveUp:
			delete(b.known, id)
		default:
			e.failures++
			e.due = now.Add(jitter(backoff(redialFirst, redialMost, e.failures)))
			if len(e.addrs) > 0 {
				due = append(due, peer.AddrInfo{ID: id, Addrs: e.addrs})
			}
		}
	}
	return due
}

// records gives the signed records of connected neighbours but one.
func (b *book) records(except peer.ID) [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	var records [][]byte
	for id, e := range b.known { // in random order: a large network is told in parts
		if len(records) == maxRecords {
			break
		}
		if id != except && e.connected && e.record != nil {
			records = append(records, e.record)
		}
	}
	return records
}

// backoff doubles from first, failure by failure, up to most.
func backoff(first, most time.Duration, failures int) time.Duration {
	wait := first
	for ; failures > 0 && wait < most; failures-- {
		wait *= 2
	}
	return min(wait, most)
}

// jitter spreads a pause by a quarter, so that peers do not act in step.
func jitter(d time.Duration) time.Duration {
	return d - d/8 + time.Duration(rand.Int64N(int64(d)/4+1))
}
