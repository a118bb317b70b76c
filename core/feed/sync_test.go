package feed_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/store"
)

func always(feed.FeedID) bool { return true }

// session is an open session with a peer.
func session(n byte) feed.Session {
	return feed.Session{Remote: author(n).PublicKey(), May: always}
}

// serve runs one stream between two peers: ask on one end, Serve on the other.
func serve(here, there *feed.Feeds, served feed.Session, ask func(net.Conn) (feed.Result, error)) (feed.Result, error, error) {
	near, far := net.Pipe()
	done := make(chan error, 1)
	go func() {
		done <- there.Serve(context.Background(), far, served)
		far.Close()
	}()
	result, err := ask(near)
	near.Close()
	return result, err, <-done
}

// syncRoom syncs the room of two peers and reports both ends' errors.
func syncRoom(here, there *feed.Feeds, near, far feed.Session) (feed.Result, error, error) {
	return serve(here, there, far, func(stream net.Conn) (feed.Result, error) {
		return here.Sync(context.Background(), stream, room, near)
	})
}

func mustSync(t tester, here, there *feed.Feeds) feed.Result {
	t.Helper()
	result, err, far := syncRoom(here, there, session(200), session(201))
	if err != nil || far != nil {
		t.Fatalf("%v; the other end: %v", err, far)
	}
	return result
}

// same checks that two peers have the same room.
func same(t tester, here, there *feed.Feeds) {
	t.Helper()
	consistent(t, here)
	consistent(t, there)
	if one, two := fmt.Sprint(pictureOf(t, here)), fmt.Sprint(pictureOf(t, there)); one != two {
		t.Errorf("one peer has\n%s\nthe other\n%s", one, two)
	}
}

func give(t tester, f *feed.Feeds, entries []*feed.Entry) {
	t.Helper()
	if _, err := f.AddAll(context.Background(), entries, neighbour, start); err != nil {
		t.Fatal(err)
	}
}

func TestSyncOfPeersInStepIsOneTurn(t *testing.T) {
	entries := history(t, 500)
	here, there := inMemory(t), inMemory(t)
	if got := mustSync(t, here, there); got.Turns != 1 || got.Received+got.Sent != 0 {
		t.Errorf("two empty feeds: %+v", got)
	}
	give(t, here, entries)
	give(t, there, entries)
	if got := mustSync(t, here, there); got.Turns != 1 || got.Overhead > 200 || got.Received+got.Sent != 0 {
		t.Errorf("two equal feeds: %+v", got)
	}
}

func TestSyncFillsAnEmptyPeerEitherWay(t *testing.T) {
	entries := history(t, 3000)
	for _, pull := range []bool{true, false} {
		here, there := inMemory(t), inMemory(t)
		var heard []*feed.Entry
		if pull {
			give(t, there, entries)
			here.OnStored(func(e *feed.Entry) { heard = append(heard, e) })
		} else {
			give(t, here, entries)
			there.OnStored(func(e *feed.Entry) { heard = append(heard, e) })
		}
		got := mustSync(t, here, there)
		if got.Received+got.Sent != len(entries) || (got.Received > 0) != pull || got.Waiting != 0 || got.More {
			t.Errorf("pull %v: %+v", pull, got)
		}
		causal(t, heard, len(entries))
		same(t, here, there)
	}
}

func TestSyncGivesBothTheUnionWhateverEachHad(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		entries := anyHistory(t)
		var peers [2]*feed.Feeds
		for i := range peers {
			s, err := store.OpenMemory()
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			peers[i] = openFor(t, s)
			give(t, peers[i], closedUnder(entries, rapid.SliceOfN(rapid.Bool(), len(entries), len(entries)).Draw(t, "has")))
		}
		before := len(pictureOf(t, peers[0]).Order)
		got := mustSync(t, peers[0], peers[1])
		if got.Waiting != 0 || got.More || before+got.Received != int(pictureOf(t, peers[0]).Count) {
			t.Errorf("%+v", got)
		}
		same(t, peers[0], peers[1])
		if again := mustSync(t, peers[1], peers[0]); again.Turns != 1 {
			t.Errorf("the other way round afterwards: %+v", again)
		}
	})
}

// closedUnder is the chosen entries with all their ancestors.
func closedUnder(entries []*feed.Entry, chosen []bool) []*feed.Entry {
	wanted := map[feed.ID]bool{}
	var all []*feed.Entry
	for i, e := range slices.Backward(entries) {
		if id := e.ID(); chosen[i] || wanted[id] {
			all = append(all, e)
			for _, parent := range e.Parents {
				wanted[parent] = true
			}
		}
	}
	slices.Reverse(all)
	return all
}

// wide is n entries without parents of as many seqs 0: all at one height.
func wide(n int) []*feed.Entry {
	all := make([]*feed.Entry, n)
	for i := range all {
		all[i] = sign(author(byte(i)), feed.Entry{Feed: room, Height: 1, Body: fmt.Append(nil, i)})
	}
	return all
}

func TestSyncFindsAFewDifferencesCheaply(t *testing.T) {
	for name, common := range map[string][]*feed.Entry{"a chain": history(t, 5000), "one height": wide(5000)} {
		here, there := inMemory(t), inMemory(t)
		give(t, here, common)
		give(t, there, common)
		for i := range 10 { // scattered over the order, five on each side
			on := common[i*len(common)/10]
			e := sign(author(byte(100+i)), feed.Entry{
				Feed: room, Height: on.Height + 1, Parents: ids(on), TS: start.UnixMilli(), Body: []byte("new"),
			})
			give(t, []*feed.Feeds{here, there}[i%2], []*feed.Entry{e})
		}
		got := mustSync(t, here, there)
		if got.Received != 5 || got.Sent != 5 || got.Turns > 6 || got.Overhead > 64<<10 {
			t.Errorf("%s: %+v", name, got)
		}
		same(t, here, there)
	}
}

func TestSyncGoesOnInTheNextSession(t *testing.T) {
	entries := history(t, 2000)
	here, there := inMemory(t), inMemory(t)
	give(t, there, entries[:1500])
	give(t, here, wide(300))
	near, sessions := session(200), 0
	near.MaxBytes = 1
	for more := true; more; sessions++ {
		got, err, far := syncRoom(here, there, near, session(201))
		if err != nil || far != nil || got.More && got.Received+got.Sent == 0 {
			t.Fatalf("session %d: %+v, %v, %v", sessions, got, err, far)
		}
		more = got.More
	}
	if sessions < 2 {
		t.Errorf("%d sessions", sessions)
	}
	same(t, here, there)
}

func TestSyncEndsWhenTheRightIsTakenAway(t *testing.T) {
	entries := history(t, 8000) // more than one batch
	for name, gates := range map[string]func(gate func(feed.FeedID) bool) (near, far func(feed.FeedID) bool){
		"here":  func(gate func(feed.FeedID) bool) (_, _ func(feed.FeedID) bool) { return gate, always },
		"there": func(gate func(feed.FeedID) bool) (_, _ func(feed.FeedID) bool) { return always, gate },
	} {
		for allowed := range 3 {
			here, there := inMemory(t), inMemory(t)
			give(t, there, entries)
			asked := 0
			near, far := session(200), session(201)
			near.May, far.May = gates(func(f feed.FeedID) bool {
				asked++
				return f == room && asked <= allowed
			})
			got, err, _ := syncRoom(here, there, near, far)
			if fault.KindOf(err) != fault.Denied || asked != allowed+1 {
				t.Errorf("%s, %d times allowed: %+v, %v, asked %d times", name, allowed, got, err, asked)
			}
			if n, err := here.Count(room); n > uint64(max(0, allowed-1)*4000) || err != nil {
				t.Errorf("%s, %d times allowed: %d entries came, %v", name, allowed, n, err)
			}
		}
	}
	never := session(200)
	never.May = nil
	if _, err, _ := syncRoom(inMemory(t), inMemory(t), never, session(201)); fault.KindOf(err) != fault.Denied {
		t.Errorf("no gate: %v", err)
	}
}

func TestPeersThatDoNotAgreeOnTermsExchangeNothing(t *testing.T) {
	here, there := inMemory(t), inMemory(t)
	give(t, there, history(t, 10))
	terms := func(text string) feed.Session {
		s := session(200)
		s.Terms = func(feed.FeedID) []byte { return []byte(text) }
		s.Agree = func(_ feed.FeedID, theirs []byte) error {
			if string(theirs) != text {
				return fault.New(fault.Conflict, "inviters %q here, %q there", text, theirs)
			}
			return nil
		}
		return s
	}
	quiet := terms("a")
	quiet.Agree = nil
	for name, far := range map[string]feed.Session{"the other end minds": terms("b"), "this end minds": quiet} {
		_, err, _ := syncRoom(here, there, terms("c"), far)
		if fault.KindOf(err) != fault.Conflict || len(listing(t, here)) != 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err, far := syncRoom(here, there, terms("a"), terms("a")); err != nil || far != nil {
		t.Errorf("equal terms: %v, %v", err, far)
	}
}

func TestFetchBringsAParkedEntrysAncestorsInOneTurn(t *testing.T) {
	entries := history(t, 400)
	there := inMemory(t)
	give(t, there, entries)
	for _, has := range []int{0, 1, 300, 399} {
		here := inMemory(t)
		give(t, here, entries[:has])
		say(t, here, author(77), "what the other does not know")
		if has < 399 {
			add(t, here, entries[399])
		}
		wanted := here.Missing(room)
		if has == 399 {
			wanted = ids(entries[399])
		}
		got, err, far := serve(here, there, session(201), func(stream net.Conn) (feed.Result, error) {
			return here.Fetch(context.Background(), stream, room, wanted, session(200))
		})
		if err != nil || far != nil || got.Turns != 1 {
			t.Fatalf("has %d: %+v, %v, %v", has, got, err, far)
		}
		if n, err := here.Count(room); n != 401 || err != nil || here.Stats().Parked != 0 {
			t.Errorf("has %d: %d entries, %+v, %v", has, n, here.Stats(), err)
		}
		if has >= 300 && got.Received > 2*(400-has) {
			t.Errorf("has %d: %d received", has, got.Received)
		}
	}
}

func TestFetchOfTooMuchSaysSo(t *testing.T) {
	here, there := inMemory(t), inMemory(t)
	give(t, there, history(t, 6000))
	heads, err := there.Heads(room)
	if err != nil {
		t.Fatal(err)
	}
	fetch := func(ids []feed.ID) error {
		_, err, _ := serve(here, there, session(201), func(stream net.Conn) (feed.Result, error) {
			return here.Fetch(context.Background(), stream, room, ids, session(200))
		})
		return err
	}
	if err := fetch(heads); fault.KindOf(err) != fault.Limited {
		t.Errorf("6000 entries behind: %v", err)
	}
	if err := fetch(make([]feed.ID, feed.MaxWanted+1)); fault.KindOf(err) != fault.Limited {
		t.Errorf("too many ids: %v", err)
	}
	if err := fetch([]feed.ID{{1}}); err != nil {
		t.Errorf("an entry that nobody has: %v", err)
	}
}

func TestSyncEndsWithItsContext(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	f := inMemory(t)
	if _, err := f.Sync(ctx, near, room, session(1)); fault.KindOf(err) != fault.Cancelled {
		t.Errorf("asking: %v", err)
	}
	if err := f.Serve(ctx, far, session(1)); fault.KindOf(err) != fault.Cancelled {
		t.Errorf("serving: %v", err)
	}
}

func TestSilentPeerIsLetGo(t *testing.T) {
	f := inMemory(t)
	synctest.Test(t, func(t *testing.T) {
		near, far := net.Pipe()
		defer near.Close()
		before := time.Now()
		err := f.Serve(context.Background(), far, session(1))
		if waited := time.Since(before); fault.KindOf(err) != fault.Unavailable || waited > 2*time.Minute {
			t.Errorf("after %s: %v", waited, err)
		}
	})
}

func TestSyncOfABrokenStreamIsUnavailable(t *testing.T) {
	near, far := net.Pipe()
	far.Close()
	f := inMemory(t)
	if _, err := f.Sync(context.Background(), near, room, session(1)); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("asking: %v", err)
	}
	if err := f.Serve(context.Background(), near, session(1)); err != nil {
		t.Errorf("a stream that ends before it begins: %v", err)
	}
}

func TestSyncWhileBothPeersWriteLosesNothing(t *testing.T) {
	here, there := inMemory(t), inMemory(t)
	var writers sync.WaitGroup
	for n, f := range []*feed.Feeds{here, there} {
		writers.Go(func() {
			for range 200 {
				say(t, f, author(byte(10+n)), "while syncing")
			}
		})
	}
	for range 10 {
		mustSync(t, here, there)
		mustSync(t, there, here)
	}
	writers.Wait()
	mustSync(t, here, there)
	same(t, here, there)
	if n, err := here.Count(room); n != 400 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}
