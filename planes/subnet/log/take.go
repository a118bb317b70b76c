package log

import (
	"context"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

// Take stores entries that the neighbour from sent, parents first. What has no
// place or no room for now is passed over, for it is offered again; one that
// breaks a rule is a [fault.Invalid], and what comes behind it is not looked at.
func (l *Log) Take(ctx context.Context, entries []*feed.Entry, from identity.PublicKey) error {
	for len(entries) > 0 {
		outcomes, err := l.feeds.AddAll(ctx, entries, from, time.Now())
		switch fault.KindOf(err) {
		case "":
			return nil
		case fault.Limited:
			entries = entries[len(outcomes)+1:]
		default:
			return err
		}
	}
	return nil
}
