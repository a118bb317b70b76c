package feed_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/feed"
	"intercom/core/store"
)

// tester is what testing.TB and rapid.T have in common.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// anyHistory draws entries of several authors that did not always know of each
// other, with forks, parents before children.
func anyHistory(t *rapid.T) []*feed.Entry {
	var all []*feed.Entry
	latest := map[byte][]*feed.Entry{} // of each author, with forks
	for i := range rapid.IntRange(1, 25).Draw(t, "entries") {
		who := rapid.ByteRange(1, 4).Draw(t, "author")
		e := feed.Entry{Feed: room, Height: 1, TS: start.UnixMilli(), Body: []byte(fmt.Sprint(i))}
		parents := []*feed.Entry{}
		if own := latest[who]; len(own) > 0 && rapid.IntRange(0, 9).Draw(t, "again from 0") > 0 {
			previous := rapid.SampledFrom(own[max(0, len(own)-2):]).Draw(t, "previous")
			e.Seq = previous.Seq + 1
			parents = append(parents, previous)
		}
		if len(all) > 0 {
			parents = append(parents, rapid.SliceOfN(rapid.SampledFrom(all), 0, 4).Draw(t, "others")...)
		}
		for _, parent := range parents {
			if id := parent.ID(); !slices.Contains(e.Parents, id) {
				e.Parents = append(e.Parents, id)
				e.Height = max(e.Height, parent.Height+1)
			}
		}
		made := sign(author(who), e)
		all = append(all, made)
		latest[who] = append(latest[who], made)
	}
	return all
}

// deliver gives entries to a peer in a drawn order, some twice, in groups.
func deliver(t *rapid.T, f *feed.Feeds, entries []*feed.Entry) {
	queue := rapid.Permutation(append(slices.Clone(entries), rapid.SliceOf(rapid.SampledFrom(entries)).Draw(t, "again")...)).Draw(t, "order")
	for len(queue) > 0 {
		n := rapid.IntRange(1, len(queue)).Draw(t, "group")
		if _, err := f.AddAll(context.Background(), queue[:n], neighbour, start); err != nil {
			t.Fatal(err)
		}
		queue = queue[n:]
	}
}

// picture is all that a peer says of the room.
type picture struct {
	Order, Heads []feed.ID
	Forks        []feed.Fork
	Count, Bytes uint64
	Repeats      uint64
}

func pictureOf(t tester, f *feed.Feeds) picture {
	t.Helper()
	var p picture
	var errs [5]error
	errs[0] = f.Scan(room, feed.Position{}, func(e *feed.Entry) bool {
		p.Order = append(p.Order, e.ID())
		return true
	})
	p.Heads, errs[1] = f.Heads(room)
	p.Forks, p.Repeats, errs[2] = f.Forks(room)
	p.Count, errs[3] = f.Count(room)
	p.Bytes, errs[4] = f.Bytes(room)
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// consistent checks the indexes against the entries themselves.
func consistent(t tester, f *feed.Feeds) {
	t.Helper()
	var want picture
	covered, seqs := map[feed.ID]bool{}, map[string]int{}
	var entries []*feed.Entry
	if err := f.Scan(room, feed.Position{}, func(e *feed.Entry) bool {
		entries = append(entries, e)
		return true
	}); err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if i > 0 && entries[i-1].Position().Compare(e.Position()) >= 0 {
			t.Errorf("entries %d and %d are out of order", i-1, i)
		}
		for _, parent := range e.Parents {
			covered[parent] = true
			if ok, err := f.Has(room, parent); !ok || err != nil {
				t.Errorf("a parent is missing, %v", err)
			}
		}
		slot := fmt.Sprint(e.Author, e.Seq)
		if seqs[slot]++; seqs[slot] > 1 {
			want.Repeats++
		}
		want.Bytes += uint64(len(e.Encode()))
	}
	for _, e := range slices.Backward(entries) {
		if id := e.ID(); !covered[id] {
			want.Heads = append(want.Heads, id)
		}
	}
	got := pictureOf(t, f)
	if !slices.Equal(got.Heads, want.Heads) {
		t.Errorf("heads are %s, want %s", got.Heads, want.Heads)
	}
	if got.Count != uint64(len(entries)) || got.Bytes != want.Bytes || got.Repeats != want.Repeats {
		t.Errorf("%d entries, %d bytes, %d repeats; want %d, %d, %d",
			got.Count, got.Bytes, got.Repeats, len(entries), want.Bytes, want.Repeats)
	}
}

func TestAnyOrderDuplicationAndGroupingGivesTheSameFeed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := anyHistory(t)
		var pictures [2]picture
		for i := range pictures {
			s, err := store.OpenMemory()
			if err != nil {
				t.Fatal(err)
			}
			f := openFor(t, s)
			var heard []*feed.Entry
			f.OnStored(func(e *feed.Entry) { heard = append(heard, e) })
			deliver(t, f, entries)
			consistent(t, f)
			causal(t, heard, len(entries))
			pictures[i] = pictureOf(t, f)
			if got := f.Stats(); got.Parked != 0 {
				t.Errorf("%d entries are still parked", got.Parked)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if one, two := fmt.Sprint(pictures[0]), fmt.Sprint(pictures[1]); one != two {
			t.Errorf("one peer has\n%s\nanother has\n%s", one, two)
		}
		if got := pictures[0].Count; got != uint64(len(entries)) {
			t.Errorf("%d of %d entries are there", got, len(entries))
		}
	})
}

// causal checks that each entry was heard once, behind its parents.
func causal(t tester, heard []*feed.Entry, want int) {
	t.Helper()
	seen := map[feed.ID]bool{}
	for _, e := range heard {
		for _, parent := range e.Parents {
			if !seen[parent] {
				t.Errorf("%s was heard before its parent %s", e.ID(), parent)
			}
		}
		if seen[e.ID()] {
			t.Errorf("%s was heard twice", e.ID())
		}
		seen[e.ID()] = true
	}
	if len(heard) != want {
		t.Errorf("%d entries were heard, not %d", len(heard), want)
	}
}

func TestCutOfPowerKeepsWhatWasAcknowledgedAndTheIndexes(t *testing.T) {
	foreign := history(t, 60)
	for seed := range uint64(12) {
		disk := store.NewDisk()
		s, err := disk.Open()
		if err != nil {
			t.Fatal(err)
		}
		f := open(t, s)
		var mu sync.Mutex
		var acknowledged []feed.ID
		var done atomic.Int64
		keep := func(id feed.ID) {
			mu.Lock()
			defer mu.Unlock()
			acknowledged = append(acknowledged, id)
			done.Add(1)
		}
		var writers sync.WaitGroup
		for n := range byte(4) {
			writers.Go(func() {
				for range 40 {
					e, err := f.Append(context.Background(), room, author(10+n), []byte("own"), start)
					if err != nil {
						t.Error(err)
						return
					}
					keep(e.ID())
				}
			})
		}
		writers.Go(func() {
			for _, e := range foreign {
				if outcome, err := f.Add(context.Background(), e, neighbour, start); err != nil || outcome != feed.Stored {
					t.Errorf("%s, %v", outcome, err)
				}
				keep(e.ID())
			}
		})
		for done.Load() < int64(15*seed) {
			runtime.Gosched()
		}
		mu.Lock()
		must := slices.Clone(acknowledged)
		mu.Unlock()
		after, err := disk.Crash(seed).Open()
		if err != nil {
			t.Fatal(err)
		}
		writers.Wait()
		left := open(t, after)
		for _, id := range must {
			if e, ok, err := left.Get(room, id); !ok || err != nil || e.ID() != id {
				t.Fatalf("seed %d: an acknowledged entry is gone, %v", seed, err)
			}
		}
		consistent(t, left)
		if e := say(t, left, author(10), "after"); e.Height < 1 {
			t.Errorf("seed %d: %+v", seed, e)
		}
		if _, err := left.AddAll(context.Background(), foreign, neighbour, start); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		consistent(t, left)
		for _, closed := range []*store.Store{s, after} {
			if err := closed.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}
