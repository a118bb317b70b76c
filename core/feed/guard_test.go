package feed_test

import (
	"context"
	"fmt"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

func TestAppendAllMakesOneChainInOrder(t *testing.T) {
	f := inMemory(t)
	say(t, f, author(2), "before")
	bodies := make([][]byte, 600) // more than one round
	for i := range bodies {
		bodies[i] = fmt.Append(nil, i)
	}
	all, err := f.AppendAll(context.Background(), room, author(1), bodies, start)
	if err != nil || len(all) != len(bodies) {
		t.Fatal(len(all), err)
	}
	for i, e := range all {
		stored, ok, err := f.Get(room, e.ID())
		if err != nil || !ok || string(stored.Body) != fmt.Sprint(i) || stored.Seq != uint64(i) || stored.Height != uint64(i)+2 {
			t.Fatalf("entry %d: %+v, %v, %v", i, stored, ok, err)
		}
	}
	found, err := f.AppendAll(context.Background(), room, author(1), bodies, start, feed.Unless(func() (*feed.Entry, error) { return all[3], nil }))
	if err != nil || len(found) != 1 || found[0] != all[3] {
		t.Error(found, err)
	}
	if n, err := f.Count(room); n != 601 || err != nil {
		t.Error(n, err)
	}
}

// What the owner's rule refuses is refused on every way in, and a feed that is
// full takes nothing from anywhere and still gives.
func TestGuardKeepsEntriesOutOnEveryWay(t *testing.T) {
	rule := func(e *feed.Entry, size feed.Size) error {
		switch {
		case string(e.Body) == "bad":
			return fault.New(fault.Invalid, "a bad body")
		case size.Entries >= 3:
			return fault.New(fault.Limited, "full")
		}
		return nil
	}
	here, there := inMemory(t), inMemory(t)
	here.Guard(rule)
	if _, err := here.Append(context.Background(), room, author(1), []byte("bad"), start); fault.KindOf(err) != fault.Invalid {
		t.Error("append:", err)
	}
	bad := say(t, there, author(2), "bad")
	if _, err := here.Add(context.Background(), bad, identity.PublicKey{}, start); fault.KindOf(err) != fault.Invalid {
		t.Error("add:", err)
	}
	if _, err, _ := syncRoom(here, there, session(9), session(8)); fault.KindOf(err) != fault.Invalid {
		t.Error("sync:", err)
	}
	for i := range 3 {
		say(t, here, author(1), fmt.Sprint(i))
	}
	if _, err := here.Append(context.Background(), room, author(1), nil, start); fault.KindOf(err) != fault.Limited {
		t.Error("append to a full feed:", err)
	}
	other := inMemory(t)
	more := say(t, other, author(3), "more")
	if _, err, _ := syncRoom(here, other, session(9), session(8)); fault.KindOf(err) != fault.Limited {
		t.Error("sync into a full feed:", err)
	}
	if has, err := here.Has(room, more.ID()); has || err != nil {
		t.Error("a full feed took an entry", err)
	}
	empty := inMemory(t)
	if got := mustSync(t, empty, here); got.Received != 3 {
		t.Errorf("a full feed gave %d entries", got.Received)
	}
	if n := here.Stats().Refused; n < 2 {
		t.Errorf("%d refused", n)
	}
}

func TestProgressOfAnExchangeIsToldToBothEnds(t *testing.T) {
	here, there := inMemory(t), inMemory(t)
	give(t, there, history(t, 300))
	for i := range 100 {
		say(t, here, author(7), fmt.Sprint(i))
	}
	near, far := session(9), session(8)
	var asked, served feed.Progress
	near.Progress = func(p feed.Progress) { asked = p }
	far.Progress = func(p feed.Progress) { served = p }
	if _, err, _ := syncRoom(here, there, near, far); err != nil {
		t.Fatal(err)
	}
	if asked != (feed.Progress{Feed: room, Stored: 300, Sent: 100, Theirs: 300}) || served != (feed.Progress{Feed: room, Stored: 100}) {
		t.Errorf("asked %+v, served %+v", asked, served)
	}
}
