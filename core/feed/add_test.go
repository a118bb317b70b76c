package feed_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
)

// neighbour is who sends in most tests.
var neighbour = author(100).PublicKey()

func add(t testing.TB, f *feed.Feeds, e *feed.Entry) feed.Outcome {
	t.Helper()
	return addFrom(t, f, e, neighbour)
}

func addFrom(t testing.TB, f *feed.Feeds, e *feed.Entry, from identity.PublicKey) feed.Outcome {
	t.Helper()
	outcome, err := f.Add(context.Background(), e, from, start)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

// listing is the ids of the room in order.
func listing(t testing.TB, f *feed.Feeds) []feed.ID {
	t.Helper()
	ids := []feed.ID{}
	if err := f.Scan(room, feed.Position{}, func(e *feed.Entry) bool {
		ids = append(ids, e.ID())
		return true
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

func ids(entries ...*feed.Entry) []feed.ID {
	all := []feed.ID{}
	for _, e := range entries {
		all = append(all, e.ID())
	}
	return all
}

func TestAddStoresWhatAnotherPeerAppended(t *testing.T) {
	there, here := inMemory(t), inMemory(t)
	first, second := say(t, there, author(1), "one"), say(t, there, author(2), "two")
	for _, e := range []*feed.Entry{first, second} {
		if got := add(t, here, e); got != feed.Stored {
			t.Errorf("the first time: %s", got)
		}
		if got := add(t, here, e); got != feed.Known {
			t.Errorf("the second time: %s", got)
		}
	}
	if got := listing(t, here); !slices.Equal(got, ids(first, second)) {
		t.Errorf("stored %s", got)
	}
	got, ok, err := here.Get(room, second.ID())
	if err != nil || !ok || got.ID() != second.ID() || string(got.Body) != "two" {
		t.Errorf("Get: %+v, %v, %v", got, ok, err)
	}
	if _, ok, err := here.Get(feed.FeedID{}, second.ID()); ok || err != nil {
		t.Errorf("an entry is in a feed that is not its own: %v", err)
	}
}

func TestAddRefusesWhatBreaksARule(t *testing.T) {
	f := inMemory(t)
	alice, bob := author(1), author(2)
	a0 := say(t, f, alice, "a0") // height 1
	b0 := say(t, f, bob, "b0")   // height 2
	a1 := say(t, f, alice, "a1") // height 3, parents a0 and b0
	forged := *a1
	forged.Body = []byte("a1 changed")
	other := sign(alice, feed.Entry{Feed: feed.FeedID{9}, Height: 1, Body: []byte("other feed")})
	add(t, f, other)
	valid := feed.Entry{Feed: room, Seq: 2, Height: 4, Parents: ids(a1)}
	change := func(do func(e *feed.Entry)) *feed.Entry {
		e := valid
		do(&e)
		return sign(alice, e)
	}
	stranger := change(func(*feed.Entry) {})
	stranger.Author = bob.PublicKey()
	for name, e := range map[string]*feed.Entry{
		"a forged body":                 &forged,
		"another's signature":           stranger,
		"a seq too low":                 change(func(e *feed.Entry) { e.Seq = 1 }),
		"a seq too high":                change(func(e *feed.Entry) { e.Seq = 3 }),
		"another's entry first":         change(func(e *feed.Entry) { e.Parents = ids(b0, a1) }),
		"a height too low":              change(func(e *feed.Entry) { e.Height = 3 }),
		"a height too high":             change(func(e *feed.Entry) { e.Height = 5 }),
		"the height of the wrong first": change(func(e *feed.Entry) { e.Seq, e.Height, e.Parents = 1, 2, ids(a0, b0) }),
		"a parent twice":                change(func(e *feed.Entry) { e.Parents = ids(a1, a1) }),
		"17 parents":                    change(func(e *feed.Entry) { e.Parents = make([]feed.ID, 17) }),
		"a body too long":               change(func(e *feed.Entry) { e.Body = make([]byte, feed.MaxBody+1) }),
		"a key that signs everything":   {Feed: room, Height: 1},
	} {
		if outcome, err := f.Add(context.Background(), e, neighbour, start); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %s, %v", name, outcome, err)
		}
	}
	if got := f.Stats(); got.Refused != 12 || got.Stored != 4 || got.Parked != 0 {
		t.Errorf("stats %+v", got)
	}
	if got := listing(t, f); !slices.Equal(got, ids(a0, b0, a1)) {
		t.Errorf("stored %s", got)
	}
	if got := add(t, f, sign(alice, feed.Entry{Feed: room, Seq: 2, Height: 4, Parents: append(ids(a1), other.ID())})); got != feed.Parked {
		t.Errorf("with a parent of another feed: %s", got)
	}
}

func TestEntryWaitsForItsParentsAndComesInCausalOrder(t *testing.T) {
	entries := history(t, 6)
	f := inMemory(t)
	var heard []feed.ID
	f.OnStored(func(e *feed.Entry) { heard = append(heard, e.ID()) })
	for i := len(entries) - 1; i > 0; i-- {
		if got := add(t, f, entries[i]); got != feed.Parked {
			t.Errorf("entry %d: %s", i, got)
		}
	}
	if got := f.Missing(room); !slices.Equal(got, ids(entries[0])) {
		t.Errorf("missing %s", got)
	}
	if got := f.MissingFrom(room, author(50).PublicKey()); len(got) != 0 {
		t.Errorf("a neighbour that sent nothing owes %s", got)
	}
	if got := f.Missing(feed.FeedID{}); len(got) != 0 {
		t.Errorf("missing in another feed: %s", got)
	}
	if got := add(t, f, entries[0]); got != feed.Stored {
		t.Errorf("the first: %s", got)
	}
	if want := ids(entries...); !slices.Equal(heard, want) || !slices.Equal(listing(t, f), want) {
		t.Errorf("heard %s, stored %s, want %s", heard, listing(t, f), want)
	}
	if got := f.Stats(); got.Parked != 0 || got.Stored != 6 || len(f.Missing(room)) != 0 {
		t.Errorf("stats %+v", got)
	}
}

func TestParkedEntryThatTurnsOutWrongGoesWithItsDescendants(t *testing.T) {
	there, f := inMemory(t), inMemory(t)
	a0 := say(t, there, author(1), "a0")
	wrong := sign(author(1), feed.Entry{Feed: room, Seq: 1, Height: 7, Parents: ids(a0)})
	child := sign(author(2), feed.Entry{Feed: room, Height: 8, Parents: ids(wrong)})
	grandchild := sign(author(2), feed.Entry{Feed: room, Seq: 1, Height: 9, Parents: ids(child)})
	for _, e := range []*feed.Entry{grandchild, child, wrong} {
		add(t, f, e)
	}
	if got := add(t, f, a0); got != feed.Stored {
		t.Errorf("the parent: %s", got)
	}
	if got := f.Stats(); got.Parked != 0 || got.Stored != 1 || got.Refused != 1 || got.Evicted != 2 {
		t.Errorf("stats %+v", got)
	}
}

func TestNoNeighbourPushesOutWhatAnotherOneParked(t *testing.T) {
	entries := history(t, 2)
	f := inMemory(t)
	honest, hostile := author(50).PublicKey(), author(51).PublicKey()
	addFrom(t, f, entries[1], hostile)
	addFrom(t, f, entries[1], honest)
	for i := range uint64(1500) {
		addFrom(t, f, sign(author(9), feed.Entry{Feed: room, Seq: 1, Height: i + 2, Parents: []feed.ID{{9}}}), hostile)
	}
	if got := f.Stats(); got.Parked != 1024+1 || got.Evicted != 1500-1024 {
		t.Errorf("stats %+v", got)
	}
	if got := addFrom(t, f, entries[0], honest); got != feed.Stored {
		t.Errorf("the parent: %s", got)
	}
	if got := listing(t, f); len(got) != 2 {
		t.Errorf("the honest neighbour's entry is lost: %s", got)
	}
}

func TestEntryDatedAheadIsHeldUntilDueAlsoOverARestart(t *testing.T) {
	disk := store.NewDisk()
	s, err := disk.Open()
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, s)
	soon := sign(author(1), feed.Entry{Feed: room, Height: 1, TS: start.Add(10 * time.Minute).UnixMilli()})
	late := sign(author(2), feed.Entry{Feed: room, Height: 1, TS: start.Add(10*time.Minute + time.Millisecond).UnixMilli()})
	child := sign(author(3), feed.Entry{Feed: room, Height: 2, Parents: ids(late), TS: start.UnixMilli()})
	if got := add(t, f, soon); got != feed.Stored {
		t.Errorf("10 minutes ahead: %s", got)
	}
	for range 2 {
		if got := add(t, f, late); got != feed.Held {
			t.Errorf("more than 10 minutes ahead: %s", got)
		}
	}
	if got := add(t, f, child); got != feed.Parked || len(f.Missing(room)) != 0 {
		t.Errorf("its child: %s, missing %s", got, f.Missing(room))
	}
	next := say(t, f, author(4), "next")
	if !slices.Equal(next.Parents, ids(soon)) {
		t.Errorf("built on %s", next.Parents)
	}
	if n, err := f.Due(context.Background(), start); n != 0 || err != nil {
		t.Errorf("before its time %d were released, %v", n, err)
	}
	after, err := disk.Crash(0).Open()
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	for _, f := range []*feed.Feeds{f, open(t, after)} {
		var heard []feed.ID
		f.OnStored(func(e *feed.Entry) { heard = append(heard, e.ID()) })
		waited := f.Stats().Parked
		if n, err := f.Due(context.Background(), start.Add(time.Millisecond)); n != 1 || err != nil {
			t.Errorf("at its time %d were released, %v", n, err)
		}
		if want := ids(late, child)[:1+waited]; !slices.Equal(heard, want) {
			t.Errorf("heard %s, want %s", heard, want)
		}
		if got := add(t, f, late); got != feed.Known || f.Stats().Held != 0 {
			t.Errorf("afterwards: %s, %+v", got, f.Stats())
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := open(t, after).Stats().Held; got != 0 {
		t.Errorf("%d are held again after a restart", got)
	}
}

func TestHeldEntriesAreBoundedAndTheEarliestStay(t *testing.T) {
	f := inMemory(t)
	ahead := func(who byte, minutes int) *feed.Entry {
		return sign(author(who), feed.Entry{
			Feed: room, Height: 1, TS: start.Add(time.Duration(minutes) * time.Minute).UnixMilli(), Body: []byte{byte(minutes), byte(minutes >> 8)},
		})
	}
	for i := range 128 {
		add(t, f, ahead(1, 100+i))
	}
	if _, err := f.Add(context.Background(), ahead(1, 1000), neighbour, start); fault.KindOf(err) != fault.Limited {
		t.Errorf("one more, due later: %v", err)
	}
	if got := add(t, f, ahead(1, 50)); got != feed.Held {
		t.Errorf("one more, due earlier: %s", got)
	}
	if got := f.Stats(); got.Held != 128 || got.Evicted != 1 {
		t.Errorf("stats %+v", got)
	}
	if got := addFrom(t, f, ahead(2, 5000), author(50).PublicKey()); got != feed.Held {
		t.Errorf("another neighbour's: %s", got)
	}
	if n, err := f.Due(context.Background(), start.Add(10000*time.Minute)); n != 129 || err != nil {
		t.Errorf("released %d, %v", n, err)
	}
}

func TestTwoEntriesOfOneSeqAreKeptCountedAndReported(t *testing.T) {
	f := inMemory(t)
	alice := author(1)
	a0 := say(t, f, alice, "a0")
	a1 := say(t, f, alice, "a1")
	twin := sign(alice, feed.Entry{Feed: room, Seq: 1, Height: 2, Parents: ids(a0), Body: []byte("twin")})
	third := sign(alice, feed.Entry{Feed: room, Seq: 1, Height: 2, Parents: ids(a0), Body: []byte("third")})
	for _, e := range []*feed.Entry{twin, third, twin} {
		add(t, f, e)
	}
	forks, repeats, err := f.Forks(room)
	if err != nil || len(forks) != 1 || repeats != 2 || f.Stats().Forks != 2 {
		t.Fatalf("forks %+v, %d, %v", forks, repeats, err)
	}
	for _, e := range []*feed.Entry{a1, twin, third} {
		if !slices.Contains(forks[0].Entries, e.ID()) || forks[0].Seq != 1 || forks[0].Author != alice.PublicKey() {
			t.Errorf("%s is missing in %+v", e.ID(), forks[0])
		}
	}
	if n, err := f.Count(room); n != 4 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
	next := say(t, f, alice, "next")
	if next.Seq != 2 || next.Height != 3 || len(next.Parents) != 3 {
		t.Errorf("the next entry is %+v", next)
	}
}

func TestAddAllStopsAtTheFirstRefused(t *testing.T) {
	entries := history(t, 30)
	forged := *entries[20]
	forged.TS++
	f := inMemory(t)
	outcomes, err := f.AddAll(context.Background(), append(slices.Clone(entries[:20]), &forged, entries[21]), neighbour, start)
	if len(outcomes) != 20 || fault.KindOf(err) != fault.Invalid {
		t.Errorf("%d outcomes, %v", len(outcomes), err)
	}
	if got := listing(t, f); !slices.Equal(got, ids(entries[:20]...)) {
		t.Errorf("%d entries stored", len(got))
	}
	if outcomes, err := f.AddAll(context.Background(), nil, neighbour, start); len(outcomes) != 0 || err != nil {
		t.Errorf("none: %v, %v", outcomes, err)
	}
}

func TestCancelledAddAndAppendWriteNothing(t *testing.T) {
	f, e := inMemory(t), history(t, 1)[0]
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, addErr := f.Add(ctx, e, neighbour, start)
	_, appendErr := f.Append(ctx, room, author(1), nil, start)
	if fault.KindOf(addErr) != fault.Cancelled || fault.KindOf(appendErr) != fault.Cancelled || len(listing(t, f)) != 0 {
		t.Errorf("%v, %v, %d entries", addErr, appendErr, len(listing(t, f)))
	}
}
