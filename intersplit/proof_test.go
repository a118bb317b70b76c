package intersplit

import (
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// proving says that the long forms of the tests are to run: see make proof.
func proving() bool { return os.Getenv("INTERCOM_PROOF") != "" }

// figure reports a number that a proof is about.
func figure(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Logf("PROOF "+format, args...)
}

// onDisk is a store in a real directory.
func onDisk(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// dozen makes n bodies of expenses among 12 members.
func dozen(tb testing.TB, n int) []ledger.Body {
	tb.Helper()
	bodies := make([]ledger.Body, n)
	for i := range bodies {
		name := func(k int) ledger.Name { return ledger.Name(fmt.Sprint("member", (i*7+k*5)%12)) }
		amount := money.Minor(100 + i%9973)
		body, err := ledger.NewExpense(ledger.Expense{
			Amount: amount, Payers: []ledger.Part{{Member: name(0), Amount: amount}}, Note: fmt.Sprint("number ", i),
			Split: []ledger.Portion{{Member: name(0)}, {Member: name(1)}, {Member: name(2)}},
		})
		if err != nil {
			tb.Fatal(err)
		}
		bodies[i] = body
	}
	return bodies
}

// verifyAll checks the signatures of a room, on all cores, and does nothing else.
func verifyAll(t *testing.T, rm *room) time.Duration {
	t.Helper()
	var all []*feed.Entry
	if err := rm.feeds.Scan(rm.id, feed.Position{}, func(e *feed.Entry) bool { all = append(all, e); return true }); err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var running sync.WaitGroup
	cores := runtime.GOMAXPROCS(0)
	for core := range cores {
		running.Go(func() {
			for i := core; i < len(all); i += cores {
				if !identity.Verify(all[i].Author, all[i].Preimage(), all[i].Sig[:]) {
					t.Error("a signature does not hold")
				}
			}
		})
	}
	running.Wait()
	return time.Since(begun)
}

// A great room is fetched about as fast as its signatures can be checked, is
// compared for little, answers at once and opens fast.
func TestProofAGreatRoom(t *testing.T) {
	n := 5_000
	switch {
	case proving():
		n = 100_000
	case testing.Short():
		n = 1_000
	}
	w := newWorld(t)
	w.refresh = time.Hour
	alice := w.joinWith(1, onDisk(t, t.TempDir()))
	rm := alice.room("trip", true)
	if _, _, err := alice.recordAll(t.Context(), rm, dozen(t, n)); err != nil {
		t.Fatal(err)
	}
	alice.must("expense_list", `{"channel":"trip","limit":1}`)
	bare := verifyAll(t, rm)

	dir := t.TempDir()
	late := w.joinWith(2, onDisk(t, dir))
	begun := time.Now()
	late.must("expense_list", `{"channel":"trip","limit":1}`)
	for deadline := begun.Add(5 * time.Minute); late.entries("trip") < n; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the late joiner is not complete after 5 minutes")
		}
	}
	took := time.Since(begun)
	figure(t, "late joiner of %d entries: %v, %.0f entries/s, %.2f of bare verification on %d cores (%v)",
		n, took.Round(time.Millisecond), float64(n)/took.Seconds(), bare.Seconds()/took.Seconds(), runtime.GOMAXPROCS(0), bare.Round(time.Millisecond))
	if proving() && took > 2*bare {
		t.Errorf("it took %v, bare verification %v", took, bare)
	}
	if late.export("trip") != alice.export("trip") {
		t.Error("the late joiner says something else")
	}

	proveAFewDifferences(t, alice, late, rm.id)
	proveBalance(t, late, n)
	late.leave()
	proveOpening(t, late.store, n)
}

// entries is how many entries the peer shows.
func (p *peer) entries(channel string) int {
	n := 0
	if err := p.room(channel, true).look(func(l *ledger.Ledger) { n = l.Len() }); err != nil {
		p.world.t.Fatal(err)
	}
	return n
}

func proveAFewDifferences(t *testing.T, alice, late *peer, id feed.FeedID) {
	t.Helper()
	for _, p := range []*peer{alice, late} {
		p.setOnline(false)
		for range 5 {
			p.must("expense_add", expense("alice", "30"))
		}
		p.setOnline(true)
	}
	s, err := late.Open(t.Context(), alice.id.PublicKey(), syncProtocol)
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	result, err := late.feeds.Sync(t.Context(), s, id, late.session(alice.id.PublicKey(), late.reporter(alice.id.PublicKey())))
	if err != nil {
		t.Fatal(err)
	}
	figure(t, "10 differing entries: %d round trips, %d bytes beside the entries, %v", result.Turns, result.Overhead, time.Since(begun).Round(time.Millisecond))
	if result.Turns > 6 || result.Overhead > 64<<10 || result.Received != 5 || result.Sent != 5 {
		t.Errorf("%+v", result)
	}
}

// proveBalance times the operation as a surface calls it, each time after a
// change.
func proveBalance(t *testing.T, p *peer, n int) {
	t.Helper()
	var fastest, slowest time.Duration = time.Hour, 0
	for range 20 {
		p.must("expense_add", expense("member1", "1"))
		begun := time.Now()
		p.must("expense_balance", `{"channel":"trip"}`)
		took := time.Since(begun)
		fastest, slowest = min(fastest, took), max(slowest, took)
	}
	figure(t, "expense_balance with 14 members at %d entries, after a change: %v to %v", n, fastest, slowest)
	if fastest > 5*time.Millisecond {
		t.Errorf("expense_balance took %v at best", fastest)
	}
}

func proveOpening(t *testing.T, s *store.Store, n int) {
	t.Helper()
	fastest := time.Hour
	for range 3 {
		feeds, err := feed.Open(s.Space("feed"), slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		rm := newRoom("trip", feeds, &peer{}, quota{1 << 40})
		if err := rm.look(func(l *ledger.Ledger) {}); err != nil {
			t.Fatal(err)
		}
		fastest = min(fastest, time.Since(begun))
	}
	figure(t, "opening a room of %d entries: %v", n, fastest.Round(time.Millisecond))
	if proving() && fastest > 500*time.Millisecond {
		t.Errorf("opening took %v", fastest)
	}
}
