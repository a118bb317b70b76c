package feed_test

import (
	"context"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

func TestChildOfAnElderIsStored(t *testing.T) {
	there := inMemory(t)
	parent := say(t, there, author(1), "old")
	child := say(t, there, author(1), "new")
	here := inMemory(t)
	here.Elders(func(_ feed.FeedID, id feed.ID) (feed.Elder, bool, error) {
		return feed.Elder{Author: parent.Author, Seq: parent.Seq, Height: parent.Height}, id == parent.ID(), nil
	})
	outcome, err := here.Add(context.Background(), child, identity.PublicKey{}, start)
	if err != nil || outcome != feed.Stored {
		t.Fatalf("%s, %v", outcome, err)
	}
	if id, ok, err := here.Latest(room, child.Author); id != child.ID() || !ok || err != nil {
		t.Errorf("latest: %s, %v, %v", id, ok, err)
	}
	if outcome, err := here.Add(context.Background(), parent, identity.PublicKey{}, start); err != nil || outcome != feed.Known {
		t.Errorf("the elder itself: %s, %v", outcome, err)
	}
}

func TestElderBindsItsChildren(t *testing.T) {
	there := inMemory(t)
	parent := say(t, there, author(1), "old")
	child := say(t, there, author(1), "new")
	here := inMemory(t)
	here.Elders(func(_ feed.FeedID, id feed.ID) (feed.Elder, bool, error) {
		return feed.Elder{Author: parent.Author, Seq: parent.Seq + 1, Height: parent.Height}, id == parent.ID(), nil
	})
	if _, err := here.Add(context.Background(), child, identity.PublicKey{}, start); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a child of another seq: %v", err)
	}
}
