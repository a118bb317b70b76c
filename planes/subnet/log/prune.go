package log

import (
	"context"
	"time"

	"intercom/core/feed"
)

// prunedAtOnce is how many entries one removal from the feed takes: its writers
// wait meanwhile.
const prunedAtOnce = 1000

// Prune removes from the feed the entries that the kept snapshot covers, makes
// one first if that is due, and tells how many went. What new entries are built
// on stays. Whoever lacks an old entry has blocks or a snapshot to go by; state
// and order keep what they say of it.
func (l *Log) Prune(ctx context.Context) (removed int, err error) {
	k, err := l.keepSnapshot(ctx)
	if err != nil || k.Pruned == k.Count {
		return 0, err
	}
	ids, err := l.covered(k)
	if err != nil {
		return 0, err
	}
	for len(ids) > 0 && ctx.Err() == nil {
		n := min(len(ids), prunedAtOnce)
		gone, err := l.cut(ids[:n])
		if err != nil {
			return removed, err
		}
		removed, ids = removed+gone, ids[n:]
	}
	if len(ids) > 0 {
		return removed, ctx.Err()
	}
	k.Pruned = k.Count
	return removed, l.saveKept(k)
}

// covered names the entries of a snapshot that nothing new will be built on.
func (l *Log) covered(k kept) (ids []feed.ID, err error) {
	var ends ends
	var all []feed.ID
	var failed error
	err = l.at().space.Scan(orderKey(0), orderKey(k.Count), func(key, roll []byte) bool {
		failed = readRoll(roll, func(e listed) bool {
			ends.see(e)
			if numberOf(key[1:]) >= k.Pruned {
				all = append(all, e.id)
			}
			return true
		})
		return failed == nil
	})
	if err = firstOf(err, failed); err != nil {
		return nil, err
	}
	stay := ends.ids()
	stay[l.first.at.ID] = true
	for _, id := range all {
		if !stay[id] {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// cut removes entries from the feed.
func (l *Log) cut(ids []feed.ID) (gone int, err error) {
	if gone, err = l.feeds.Prune(l.feed, ids); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.seen -= uint64(gone)
	b := l.at().space.Batch()
	b.Set([]byte{keySeen}, number(l.seen))
	return gone, b.Apply()
}

// tidy makes a snapshot and prunes what it covers, when for some time nothing
// happened and enough has happened before.
func (l *Log) tidy(ctx context.Context) {
	for quiet, age := time.Duration(0), uint64(0); ; quiet += offerAgain {
		select {
		case <-ctx.Done():
			return
		case <-time.After(offerAgain):
		}
		l.mu.Lock()
		now, count := l.age, l.head.count
		l.mu.Unlock()
		if now != age {
			quiet, age = 0, now
		}
		if quiet < calm || !l.due(count) {
			continue
		}
		if n, err := l.Prune(ctx); err == nil {
			l.logger.Debug("the feed was pruned", "entries", n)
		} else if ctx.Err() == nil {
			l.logger.Warn("the feed was not pruned", "error", err)
		}
		quiet = 0
	}
}

// due tells whether a new snapshot would cover many entries more than the last.
func (l *Log) due(count uint64) bool {
	k, err := l.loadKept()
	return err == nil && count-k.Count >= staleAfter
}
