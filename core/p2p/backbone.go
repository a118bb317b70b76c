package p2p

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/identity"
)

// Bounds of what a host forwards for others.
const (
	backboneTick = heartbeat
	backboneIdle = 10 * time.Minute // a topic without frames may be given up for another

	// What one neighbour may send on topics that are only relayed. Nobody here can
	// tell good frames from bad ones, so that they are bounded by their bytes.
	backboneRate  = 512 << 10 // bytes a second
	backboneBurst = 4 << 20
)

// backbone forwards topics of which this host is no member: those that its
// neighbours have announced. It sees their names and bytes, and reads neither.
type backbone struct {
	gossip *gossip
	limit  int
	budget budget
	topics map[string]*passing // used by run alone
}

// passing is a topic that is relayed.
type passing struct {
	topic *Topic
	last  atomic.Int64 // when a frame passed, ms
}

func newBackbone(g *gossip, limit int) *backbone {
	return &backbone{gossip: g, limit: limit, budget: budget{full: map[identity.PublicKey]time.Time{}}, topics: map[string]*passing{}}
}

// run relays until ctx is done.
func (b *backbone) run(ctx context.Context) {
	defer func() {
		for name := range b.topics {
			b.drop(name)
		}
	}()
	for pause(ctx, backboneTick) {
		b.step(time.Now())
	}
}

// step gives up topics that nobody wants any more, and takes on announced ones,
// those first that most neighbours have.
func (b *backbone) step(now time.Time) {
	wanted := b.gossip.subs.announced()
	for name, p := range b.topics {
		if p.topic.left.Load() { // the host has joined it as a member
			delete(b.topics, name)
		} else if wanted[name] == 0 {
			b.drop(name)
		}
	}
	var fresh []string
	for name := range wanted {
		if b.topics[name] == nil && !b.gossip.isMember(name) {
			fresh = append(fresh, name)
		}
	}
	slices.SortFunc(fresh, func(x, y string) int { return wanted[y] - wanted[x] })
	for _, name := range fresh {
		if len(b.topics) >= b.limit && !b.makeRoom(now) {
			return
		}
		b.take(name, now)
	}
}

// makeRoom gives up the topic that was idle longest, if that is long.
func (b *backbone) makeRoom(now time.Time) bool {
	oldest, last := "", now.Add(-backboneIdle).UnixMilli()
	for name, p := range b.topics {
		if at := p.last.Load(); at < last {
			oldest, last = name, at
		}
	}
	if oldest == "" {
		return false
	}
	b.drop(oldest)
	return true
}

func (b *backbone) take(name string, now time.Time) {
	p := &passing{}
	p.last.Store(now.UnixMilli())
	topic, err := b.gossip.relay(name, Handler{Check: func(m *Message) Verdict {
		at := time.Now()
		if !b.budget.spend(m.From, len(m.Data), at) {
			return Ignore
		}
		p.last.Store(at.UnixMilli())
		b.gossip.count.relayed.Add(1)
		return Accept
	}})
	if err != nil {
		return // joined meanwhile, or the host closes
	}
	p.topic = topic
	b.topics[name] = p
}

func (b *backbone) drop(name string) {
	if err := b.topics[name].topic.Leave(); err != nil {
		b.gossip.log.Warn("a relayed topic was not left", "error", err)
	}
	delete(b.topics, name)
}

// budget bounds the bytes of each neighbour.
type budget struct {
	mu   sync.Mutex
	full map[identity.PublicKey]time.Time // when the neighbour's bucket is full again
}

const budgetPeers = 1024 // remembered at a time

// spend takes bytes out of a neighbour's bucket, unless it holds too few.
func (b *budget) spend(key identity.PublicKey, size int, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	full, known := b.full[key]
	if !known && len(b.full) >= budgetPeers {
		for other, at := range b.full {
			if !now.Before(at) {
				delete(b.full, other)
			}
		}
		if len(b.full) >= budgetPeers {
			return false
		}
	}
	if full.Before(now) {
		full = now
	}
	full = full.Add(time.Duration(size+frameOverhead) * time.Second / backboneRate)
	if full.Sub(now) > backboneBurst*time.Second/backboneRate {
		return false
	}
	b.full[key] = full
	return true
}
