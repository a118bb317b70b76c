package log

import (
	"context"
	"sync"
	"time"

	"intercom/core/feed"
)

// offerAgain is after how long an entry that is still not confirmed is offered
// once more: when less than all indexers have it, and not the one whose turn it
// is to propose, nothing else brings it into a block.
const offerAgain = time.Second

// maxUnoffered bounds what waits to be offered for the first time, maxOffered
// what one round offers again. What is left out has its turn later.
const (
	maxUnoffered = 8192
	maxOffered   = 1024
)

// Run offers entries as soon as they are stored and again while they are not
// confirmed, and has the feed take what was dated ahead when it is due. In calm
// hours it makes a snapshot and prunes the feed. It ends with ctx, which is no
// error.
func (l *Log) Run(ctx context.Context) error {
	var tidying sync.WaitGroup
	defer tidying.Wait()
	tidying.Go(func() { l.tidy(ctx) })
	tick := time.NewTicker(offerAgain)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.fresh:
			l.bring(ctx, l.firstOffers())
		case now := <-tick.C:
			if _, err := l.feeds.Due(ctx, now); err != nil && ctx.Err() == nil {
				l.logger.Error("entries dated ahead are not taken", "error", err)
			}
			l.bring(ctx, l.furtherOffers(now))
			l.retry()
		}
	}
}

func (l *Log) bring(ctx context.Context, entries []*feed.Entry) {
	if len(entries) > 0 && l.offer != nil {
		l.offer(ctx, entries)
	}
}

func (l *Log) firstOffers() (entries []*feed.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range l.unoffered {
		if l.tail.byID[it.at.ID] != nil {
			entries = append(entries, it.Entry)
		}
	}
	l.unoffered = nil
	return entries
}

func (l *Log) furtherOffers(now time.Time) (entries []*feed.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, it := range l.tail.list {
		if len(entries) < maxOffered && now.Sub(it.since) >= offerAgain {
			entries = append(entries, it.Entry)
		}
	}
	return entries
}

// retry lets a proposer that found nothing fit look again.
func (l *Log) retry() {
	l.mu.Lock()
	l.barren = 0
	wake, waiting := l.pending, len(l.tail.list) > 0
	l.mu.Unlock()
	if wake != nil && waiting {
		wake()
	}
}
