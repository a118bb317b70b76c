package log_test

import (
	"bytes"
	"context"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
)

func TestPrunedLogGoesOnAndServesNewcomers(t *testing.T) {
	a := busy(t)
	var old []*feed.Entry
	if err := a.feeds.Scan(subnet, feed.Position{}, func(e *feed.Entry) bool { old = append(old, e); return true }); err != nil {
		t.Fatal(err)
	}
	confirmed, root := a.log.Status().Confirmed, a.root()
	removed, err := a.log.Prune(t.Context())
	left, countErr := a.feeds.Count(subnet)
	if err != nil || countErr != nil || removed < 55 || left+uint64(removed) != confirmed {
		t.Fatalf("%d removed, %d left of %d: %v, %v", removed, left, confirmed, err, countErr)
	}
	if again, err := a.log.Prune(t.Context()); again != 0 || err != nil {
		t.Errorf("again: %d, %v", again, err)
	}
	// What was pruned does not come back, and stays confirmed.
	if _, err := a.feeds.AddAll(t.Context(), old, identity.PublicKey{8}, time.Now()); err != nil {
		t.Error(err)
	}
	if now, _ := a.feeds.Count(subnet); now != left || a.log.Status().Waiting != 0 || a.root() != root || !a.confirmed(old[30]) {
		t.Errorf("%d entries, %+v", now, a.log.Status())
	}
	// A writer who was away builds on an old entry.
	late := on(1, "put late 1", old[20])
	late.TS = time.Now().UnixMilli()
	late = sign(1, late)
	if _, err := a.feeds.AddAll(t.Context(), []*feed.Entry{late}, identity.PublicKey{8}, time.Now()); err != nil {
		t.Fatal(err)
	}
	next := a.sayNow("put next 1")
	wait(t, "what comes after", func() bool { return a.confirmed(next) && a.confirmed(late) })
	if next.Seq < 60 {
		t.Errorf("the author forgot its seq: %d", next.Seq)
	}
	a.settled()

	b, chain := newcomer(t, 1, a)
	if err := b.log.Restore(t.Context(), bytes.NewReader(a.snapshot()), chain); err != nil {
		t.Fatal(err)
	}
	a.halt()
	a.openOn()
	if a.log.Status().Waiting != 0 || a.value("late") != "1" {
		t.Errorf("%+v", a.log.Status())
	}
	if _, err := a.log.Local(context.Background()); err != nil {
		t.Error(err)
	}
}
