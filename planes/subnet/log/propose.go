package log

import (
	"errors"

	"intercom/core/bft"
)

// maxProposal bounds what an own proposal holds in bytes, with the few that the
// engine adds to each entry.
const (
	maxProposal = 1 << 20
	txOverhead  = 8
)

// Pending tells whether an entry waits that a block could hold.
func (l *Log) Pending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.tail.list) > 0 && l.barren < 2 && l.broken == nil
}

// Propose gives what waits, in order, as far as it can stand in the next block.
func (l *Log) Propose(p bft.Proposal) [][]byte {
	l.mu.Lock()
	waiting := l.tail.list
	l.mu.Unlock()
	txs, b, err := l.fill(p, waiting)
	if err != nil {
		l.logger.Error("no proposal", "height", p.Height, "error", err)
		return nil
	}
	l.fruit(len(txs))
	b.txs = sum(txs)
	l.prepared = b
	return txs
}

// fill makes a block of those of the entries that fit.
func (l *Log) fill(p bft.Proposal, waiting []*item) (txs [][]byte, b *block, err error) {
	if b, err = l.newBlock(p.Height, p.Time); err != nil {
		return nil, nil, err
	}
	room := min(p.MaxBytes, maxProposal)
	for _, it := range waiting {
		size := int64(len(it.raw)) + txOverhead
		if size > room {
			break
		}
		err := b.add(it)
		if errors.As(err, new(unfit)) {
			continue // its turn comes, or that of something else
		}
		if err != nil {
			return nil, nil, err
		}
		txs = append(txs, it.raw)
		room -= size
	}
	return txs, b, nil
}

// fruit counts own proposals that came to nothing although something waits. One
// is due when the chain has slept: its clock stands where it fell asleep, and
// what is dated later has to wait for the block that wakes it. After a second
// one the engine may sleep again until Run tries anew.
func (l *Log) fruit(txs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if txs > 0 {
		l.barren = 0
	} else if len(l.tail.list) > 0 {
		l.barren++
	}
}

// Check refuses transactions: what waits is in the feed.
func (l *Log) Check([]byte, bool) bft.Result {
	return bft.Result{Code: codeUnfit, Log: "entries are taken by the feed"}
}

// Accept tells whether every transaction of a block is an entry that fits.
func (l *Log) Accept(p bft.Proposal) bool {
	if b := l.ready(p); b != nil {
		return len(b.entries) == len(p.Txs)
	}
	b, err := l.newBlock(p.Height, p.Time)
	if err != nil {
		return false
	}
	for _, it := range l.read(p.Txs) {
		if it == nil {
			return false
		}
		if err := b.add(it); err != nil {
			l.logger.Warn("a proposal is refused", "height", p.Height, "proposer", p.Proposer, "why", err)
			return false
		}
	}
	b.txs = sum(p.Txs)
	l.prepared = b
	return true
}

// ready gives the block that was made of the same transactions on the same
// state before, if it was the last one that was made.
func (l *Log) ready(p bft.Proposal) *block {
	l.mu.Lock()
	now := l.head
	l.mu.Unlock()
	if b := l.prepared; b != nil && b.base == now && b.height == p.Height && b.time.Equal(p.Time) && b.txs == sum(p.Txs) {
		return b
	}
	return nil
}
