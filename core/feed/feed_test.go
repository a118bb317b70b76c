package feed_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
)

// room is the feed of most tests, start their time.
var (
	room  = feed.FeedID{'r', 'o', 'o', 'm'}
	start = time.UnixMilli(1_700_000_000_000)
)

// author is the n-th author of the tests.
func author(n byte) *identity.Identity { return identity.FromSeed([32]byte{n}) }

func open(t testing.TB, s *store.Store) *feed.Feeds {
	t.Helper()
	return openFor(t, s)
}

func openFor(t tester, s *store.Store) *feed.Feeds {
	t.Helper()
	f, err := feed.Open(s.Space("feed"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// inMemory opens feeds for one test.
func inMemory(t testing.TB) *feed.Feeds {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return open(t, s)
}

// say appends to the room.
func say(t testing.TB, f *feed.Feeds, who *identity.Identity, body string) *feed.Entry {
	t.Helper()
	e, err := f.Append(context.Background(), room, who, []byte(body), start)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// history is n entries of three authors taking turns.
func history(t testing.TB, n int) []*feed.Entry {
	t.Helper()
	f := inMemory(t)
	entries := make([]*feed.Entry, n)
	for i := range entries {
		entries[i] = say(t, f, author(byte(i%3)), "hello")
	}
	return entries
}
