package feed_test

import (
	"context"
	"testing"

	"intercom/core/feed"
	"intercom/core/identity"
)

func TestPrunedEntriesAreGoneAndTheFeedGoesOn(t *testing.T) {
	f := inMemory(t)
	elders := map[feed.ID]feed.Elder{}
	f.Elders(func(_ feed.FeedID, id feed.ID) (feed.Elder, bool, error) {
		e, ok := elders[id]
		return e, ok, nil
	})
	var ids []feed.ID
	var all []*feed.Entry
	for i := range 9 {
		e := say(t, f, author(byte(i%2)), "x")
		all = append(all, e)
		ids = append(ids, e.ID())
		elders[e.ID()] = feed.Elder{Author: e.Author, Seq: e.Seq, Height: e.Height}
	}
	if n, err := f.Prune(room, ids[:6]); n != 6 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if n, err := f.Prune(room, ids[:6]); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	count, err := f.Count(room)
	if _, ok, _ := f.Get(room, ids[0]); ok || count != 3 || err != nil {
		t.Errorf("%d entries are left, the first one %v, %v", count, ok, err)
	}
	next := say(t, f, author(0), "y")
	if next.Seq != all[8].Seq+1 || next.Height != all[8].Height+1 {
		t.Errorf("the next entry is %+v", next)
	}
	late := &feed.Entry{Feed: room, Author: author(5).PublicKey(), Height: all[1].Height + 1, Parents: []feed.ID{ids[1]}, TS: start.UnixMilli(), Body: []byte("late")}
	late.Sig = [64]byte(author(5).Sign(late.Preimage()))
	if outcome, err := f.Add(context.Background(), late, identity.PublicKey{}, start); outcome != feed.Stored || err != nil {
		t.Errorf("a child of what was pruned: %s, %v", outcome, err)
	}
	if n, err := f.Prune(room, []feed.ID{late.ID(), next.ID()}); n != 0 || err != nil {
		t.Errorf("%d heads, %v", n, err)
	}
}

func TestFeedsWithAndWithoutTheirPastSync(t *testing.T) {
	there, here := inMemory(t), inMemory(t)
	var ids []feed.ID
	var all []*feed.Entry
	for range 20 {
		e := say(t, there, author(0), "x")
		all, ids = append(all, e), append(ids, e.ID())
	}
	vouch := func(_ feed.FeedID, id feed.ID) (feed.Elder, bool, error) {
		for _, e := range all {
			if e.ID() == id {
				return feed.Elder{Author: e.Author, Seq: e.Seq, Height: e.Height}, true, nil
			}
		}
		return feed.Elder{}, false, nil
	}
	give(t, here, all)
	here.Elders(vouch)
	there.Elders(vouch)
	if _, err := here.Prune(room, ids[:19]); err != nil {
		t.Fatal(err)
	}
	mine := say(t, here, author(1), "mine")
	theirs := say(t, there, author(0), "theirs")
	mustSync(t, here, there)
	mustSync(t, there, here)
	for _, f := range []*feed.Feeds{here, there} {
		for _, e := range []*feed.Entry{mine, theirs} {
			if ok, err := f.Has(room, e.ID()); !ok || err != nil {
				t.Errorf("an entry of the two did not come: %v", err)
			}
		}
	}
	if n, err := here.Count(room); n != 3 || err != nil {
		t.Errorf("%d entries, %v: what was pruned came back", n, err)
	}
}
