package feed_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/store"
)

func TestAppendBuildsOnAllHeads(t *testing.T) {
	f := inMemory(t)
	alice, bob := author(1), author(2)
	a0 := say(t, f, alice, "a0")
	if a0.Seq != 0 || a0.Height != 1 || len(a0.Parents) != 0 || a0.TS != start.UnixMilli() {
		t.Errorf("the first entry is %+v", a0)
	}
	b0 := say(t, f, bob, "b0")
	if b0.Seq != 0 || b0.Height != 2 || !slices.Equal(b0.Parents, ids(a0)) {
		t.Errorf("bob's first entry is %+v", b0)
	}
	other := sign(author(3), feed.Entry{Feed: room, Height: 1})
	add(t, f, other)
	a1 := say(t, f, alice, "a1")
	if a1.Seq != 1 || a1.Height != 3 || !slices.Equal(a1.Parents, ids(a0, b0, other)) {
		t.Errorf("alice's second entry is %+v", a1)
	}
	if heads, err := f.Heads(room); err != nil || !slices.Equal(heads, ids(a1)) {
		t.Errorf("heads %s, %v", heads, err)
	}
	if got := listing(t, f); len(got) != 4 || got[3] != a1.ID() {
		t.Errorf("order %s", got)
	}
}

func TestAppendTakesItsOwnPreviousAndTheGreatestOfManyHeads(t *testing.T) {
	for _, roots := range []int{15, 16, 40, 100} { // below and above what a lane keeps in memory
		f := inMemory(t)
		alice := author(1)
		own := say(t, f, alice, "own")
		positions := []feed.Position{}
		for i := range roots {
			e := sign(author(byte(i)), feed.Entry{Feed: room, Height: 1, Body: []byte(fmt.Sprint(i))})
			add(t, f, e)
			positions = append(positions, e.Position())
		}
		slices.SortFunc(positions, func(a, b feed.Position) int { return b.Compare(a) })
		e := say(t, f, alice, "next")
		want := ids(own)
		for _, p := range positions[:15] {
			want = append(want, p.ID)
		}
		if !slices.Equal(e.Parents, want) || e.Seq != 1 || e.Height != 2 {
			t.Errorf("%d roots: parents %s, want %s", roots, e.Parents, want)
		}
		heads, err := f.Heads(room)
		if err != nil || len(heads) != roots+1-15 || heads[0] != e.ID() {
			t.Errorf("%d roots: %d heads, %v", roots, len(heads), err)
		}
		for len(heads) > 1 { // all are joined in the end
			say(t, f, alice, "join")
			if heads, err = f.Heads(room); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestAppendRefusesWhatCannotBeAnEntry(t *testing.T) {
	f := inMemory(t)
	for name, c := range map[string]struct {
		body []byte
		now  time.Time
		want fault.Kind
	}{
		"a long body":        {make([]byte, feed.MaxBody+1), start, fault.Limited},
		"a time before 1970": {nil, time.UnixMilli(-1), fault.Invalid},
	} {
		if _, err := f.Append(context.Background(), room, author(1), c.body, c.now); fault.KindOf(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Append(context.Background(), room, author(1), make([]byte, feed.MaxBody), start); err != nil {
		t.Errorf("the longest body: %v", err)
	}
}

func TestConcurrentAppendsMakeOneChainAndAreReportedInOrder(t *testing.T) {
	f := inMemory(t)
	var heard []feed.ID
	f.OnStored(func(e *feed.Entry) { heard = append(heard, e.ID()) })
	const callers, each = 16, 20
	var wait sync.WaitGroup
	for n := range callers {
		wait.Go(func() {
			for range each {
				e, err := f.Append(context.Background(), room, author(byte(n%3)), []byte{byte(n)}, start)
				if err != nil {
					t.Error(err)
					return
				}
				if ok, err := f.Has(room, e.ID()); !ok || err != nil {
					t.Errorf("an appended entry is not there: %v", err)
				}
			}
		})
	}
	wait.Wait()
	got := listing(t, f)
	if len(got) != callers*each || !slices.Equal(heard, got) {
		t.Fatalf("%d entries, %d heard", len(got), len(heard))
	}
	height := uint64(0)
	if err := f.Scan(room, feed.Position{}, func(e *feed.Entry) bool {
		height++
		return e.Height == height
	}); err != nil || height != callers*each {
		t.Errorf("the chain breaks at height %d, %v", height, err)
	}
}

func TestListenerHearsAnEntryBeforeItsAppendReturns(t *testing.T) {
	f := inMemory(t)
	var seen sync.Map
	f.OnStored(func(e *feed.Entry) {
		if _, err := f.Heads(e.Feed); err != nil { // reading is allowed
			t.Error(err)
		}
		seen.Store(e.ID(), true)
	})
	var wait sync.WaitGroup
	for n := range 8 {
		wait.Go(func() {
			for range 20 {
				e, err := f.Append(context.Background(), feed.FeedID{byte(n % 2)}, author(byte(n)), nil, start)
				if err != nil {
					t.Error(err)
				} else if _, ok := seen.Load(e.ID()); !ok {
					t.Error("not heard yet")
				}
			}
		})
	}
	wait.Wait()
}

func TestOneKeyGivesOneEntryHoweverManyAskAtOnce(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, keys := open(t, s), s.Space("keys")
	var written atomic.Int64
	once := func(k string) (*feed.Entry, error) {
		return f.Append(context.Background(), room, author(1), []byte(k), start,
			feed.Unless(func() (*feed.Entry, error) {
				id, ok, err := keys.Get([]byte(k))
				if err != nil || !ok {
					return nil, err
				}
				e, _, err := f.Get(room, feed.ID(id))
				return e, err
			}),
			feed.WithRecord(func(b *store.Batch, e *feed.Entry) {
				written.Add(1)
				id := e.ID()
				b.In(keys).Set([]byte(k), id[:])
			}))
	}
	var wait sync.WaitGroup
	results := make([]feed.ID, 64)
	for n := range results {
		wait.Go(func() {
			e, err := once(fmt.Sprint(n % 4))
			if err != nil {
				t.Error(err)
				return
			}
			results[n] = e.ID()
		})
	}
	wait.Wait()
	for n, id := range results {
		if id != results[n%4] {
			t.Errorf("call %d gave %s, not %s", n, id, results[n%4])
		}
	}
	if n, err := f.Count(room); n != 4 || written.Load() != 4 || err != nil {
		t.Errorf("%d entries, %d records, %v", n, written.Load(), err)
	}
	broken := errors.New("broken")
	if _, err := f.Append(context.Background(), room, author(1), nil, start,
		feed.Unless(func() (*feed.Entry, error) { return nil, broken })); !errors.Is(err, broken) {
		t.Errorf("a question that fails: %v", err)
	}
}

func TestScanResumesBehindAPosition(t *testing.T) {
	f := inMemory(t)
	for i := range 30 {
		add(t, f, sign(author(byte(i)), feed.Entry{Feed: room, Height: 1, Body: []byte{byte(i)}}))
	}
	say(t, f, author(1), "join")
	want := listing(t, f)
	var got []feed.ID
	var at feed.Position
	for {
		before := len(got)
		if err := f.Scan(room, at, func(e *feed.Entry) bool {
			got, at = append(got, e.ID()), e.Position()
			return len(got) < before+4
		}); err != nil {
			t.Fatal(err)
		}
		if len(got) == before {
			break
		}
	}
	if !slices.Equal(got, want) || len(want) != 31 {
		t.Errorf("in parts %d entries, at once %d", len(got), len(want))
	}
}

func TestCountAndBytesAreWhatIsStored(t *testing.T) {
	f := inMemory(t)
	var size uint64
	for i := range 10 {
		size += uint64(len(say(t, f, author(byte(i%2)), string(bytes.Repeat([]byte("x"), i))).Encode()))
	}
	n, err := f.Count(room)
	b, bytesErr := f.Bytes(room)
	if n != 10 || b != size || err != nil || bytesErr != nil {
		t.Errorf("%d entries, %d bytes, want %d; %v, %v", n, b, size, err, bytesErr)
	}
	if n, err := f.Count(feed.FeedID{}); n != 0 || err != nil {
		t.Errorf("an empty feed has %d, %v", n, err)
	}
	if heads, err := f.Heads(feed.FeedID{}); heads == nil || len(heads) != 0 || err != nil {
		t.Errorf("an empty feed has heads %v, %v", heads, err)
	}
}

func TestClosedStoreMakesEveryCallUnavailable(t *testing.T) {
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, s)
	e := say(t, f, author(1), "one")
	later := sign(author(2), feed.Entry{Feed: room, Height: 1})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	_, appendErr := f.Append(ctx, room, author(1), nil, start)
	_, addErr := f.Add(ctx, later, neighbour, start)
	_, _, getErr := f.Get(room, e.ID())
	_, headsErr := f.Heads(room)
	_, _, forksErr := f.Forks(room)
	for name, err := range map[string]error{
		"Append": appendErr, "Add": addErr, "Get": getErr, "Heads": headsErr, "Forks": forksErr,
		"Scan": f.Scan(room, feed.Position{}, func(*feed.Entry) bool { return true }),
	} {
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}
