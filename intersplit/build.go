package intersplit

import (
	"runtime"
	"sync"

	"intercom/core/feed"
	"intercom/intersplit/ledger"
)

// buildChunk is how many entries one worker decodes at a time.
const buildChunk = 256

// chunk is entries on their way from the store into the ledger.
type chunk struct {
	at      []feed.Position
	raw     [][]byte
	entries []*feed.Entry
	decoded []ledger.Entry
	err     error
	ready   chan struct{} // closed when decoded is
}

func newChunk() *chunk {
	return &chunk{at: make([]feed.Position, 0, buildChunk), raw: make([][]byte, 0, buildChunk), ready: make(chan struct{})}
}

// decode reads the chunk's entries: most of what building a room costs.
func (c *chunk) decode() {
	defer close(c.ready)
	c.entries, c.decoded = make([]*feed.Entry, len(c.raw)), make([]ledger.Entry, len(c.raw))
	for i, raw := range c.raw {
		if c.entries[i], c.err = feed.Decode(raw); c.err != nil {
			return
		}
		c.decoded[i] = ledgerEntryOf(c.entries[i], c.at[i].ID)
	}
}

// build reads the whole feed, on all cores. An entry that is stored meanwhile is
// seen here, or waits in follow until the room is built; if both, it counts once.
// rm.mu is held.
func (rm *room) build(policy Policy) error {
	rt, err := newRights(rm.channel, policy, rm.channels, rm.scan)
	if err != nil {
		return err
	}
	if err := rm.quota.measure(rm); err != nil {
		return err
	}
	l := ledger.New()
	if err := rm.each(func(c *chunk) error {
		for i, e := range c.decoded {
			e.Body = rt.judge(c.entries[i], c.at[i].ID, e.Body)
			if err := l.Apply(e); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	rm.ledger, rm.rights = l, rt
	rm.changes++ // plans of a ledger before are not this one's
	return nil
}

// scan visits the room's entries in order.
func (rm *room) scan(visit func(e *feed.Entry) (more bool)) error {
	return rm.feeds.Scan(rm.id, feed.Position{}, visit)
}

// each decodes the feed on all cores and hands it to apply in order, from one
// goroutine.
func (rm *room) each(apply func(*chunk) error) error {
	workers := runtime.GOMAXPROCS(0)
	work, line := make(chan *chunk), make(chan *chunk, 2*workers)
	var running sync.WaitGroup
	for range workers {
		running.Go(func() {
			for c := range work {
				c.decode()
			}
		})
	}
	var failed error
	running.Go(func() {
		for c := range line {
			if <-c.ready; failed == nil {
				failed = c.err
			}
			if failed == nil {
				failed = apply(c)
			}
		}
	})
	err := rm.readChunks(func(c *chunk) {
		line <- c
		work <- c
	})
	close(work)
	close(line)
	running.Wait()
	if err != nil {
		return err
	}
	return failed
}

// readChunks reads the feed in order.
func (rm *room) readChunks(give func(*chunk)) error {
	c := newChunk()
	err := rm.feeds.ScanEncoded(rm.id, feed.Position{}, func(at feed.Position, raw []byte) bool {
		c.at, c.raw = append(c.at, at), append(c.raw, append([]byte(nil), raw...))
		if len(c.at) == buildChunk {
			give(c)
			c = newChunk()
		}
		return true
	})
	if err == nil && len(c.at) > 0 {
		give(c)
	}
	return err
}
