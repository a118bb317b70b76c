package log

import (
	"crypto/sha256"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
)

// proven remembers encodings whose signature was found right. The bytes are the
// key, never the id: one entry can have several signatures.
type proven struct {
	mu         sync.Mutex
	young, old map[[32]byte]bool
}

// provenKept is how many encodings a generation remembers; there are two.
const provenKept = 16 << 10

func (p *proven) has(sum [32]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.young[sum] || p.old[sum]
}

func (p *proven) add(sum [32]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.young == nil || len(p.young) >= provenKept {
		p.old, p.young = p.young, make(map[[32]byte]bool)
	}
	p.young[sum] = true
}

// read takes the transactions of a block apart, on all cores. One that is no
// entry with a right signature is nil.
func (l *Log) read(txs [][]byte) []*item {
	l.mu.Lock()
	waiting := l.tail.list
	l.mu.Unlock()
	held := make(map[feed.ID]*item, len(waiting))
	for _, it := range waiting {
		held[it.at.ID] = it
	}
	items := make([]*item, len(txs))
	var next atomic.Int64
	work := func() {
		for i := next.Add(1) - 1; i < int64(len(txs)); i = next.Add(1) - 1 {
			items[i] = l.readOne(txs[i], held)
		}
	}
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(txs)/8) {
		workers.Go(work)
	}
	work()
	workers.Wait()
	return items
}

func (l *Log) readOne(tx []byte, held map[feed.ID]*item) *item {
	e, err := feed.Decode(tx)
	if err != nil {
		return nil
	}
	it := newItem(e, tx, time.Time{})
	if known := held[it.at.ID]; known != nil && string(known.raw) == string(tx) {
		return known // the feed has verified it
	}
	sum := sha256.Sum256(tx)
	if l.proven.has(sum) {
		return it
	}
	if !identity.Verify(e.Author, it.preimage(), e.Sig[:]) {
		return nil
	}
	l.proven.add(sum)
	return it
}
