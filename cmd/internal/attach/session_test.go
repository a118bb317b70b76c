package attach_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/cmd/internal/attach"
	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/rpc"
)

func TestLocksExcludeEachOther(t *testing.T) {
	dir := storeDir(t)
	first, taken, err := attach.TryLock(dir)
	if err != nil || !taken {
		t.Fatal(taken, err)
	}
	if _, taken, err := attach.TryLock(dir); taken || err != nil {
		t.Error("two hold the lock")
	}
	first.Release()
	second, taken, err := attach.TryLock(dir)
	if err != nil || !taken {
		t.Fatal("the lock is not free again", err)
	}
	second.Release()
}

func TestFirstSessionEmbedsAndOthersAttach(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	a, _ := session(t, dir, peers.start)
	b, _ := session(t, dir, peers.start)
	if !a.Embedded() || b.Embedded() {
		t.Fatalf("embedded: %v and %v", a.Embedded(), b.Embedded())
	}
	if one, other := ask(t, a, "who", "x"), ask(t, b, "who", "x"); !strings.Contains(one, "run1") || !strings.Contains(other, "run1") || one == other {
		t.Errorf("answers %s and %s", one, other)
	}
	if len(a.Ops()) == 0 || len(a.Ops()) != len(b.Ops()) {
		t.Errorf("%d and %d operations", len(a.Ops()), len(b.Ops()))
	}
}

func TestManySessionsMakeOnePeer(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	var wg sync.WaitGroup
	sessions := make(chan *attach.Session, 10)
	for range 10 {
		wg.Go(func() {
			s, _ := session(t, dir, peers.start)
			sessions <- s
		})
	}
	wg.Wait()
	close(sessions)
	embedded := 0
	for s := range sessions {
		if s.Embedded() {
			embedded++
		}
	}
	if embedded != 1 || peers.n.Load() != 1 {
		t.Errorf("%d of 10 hold the peer, %d were started", embedded, peers.n.Load())
	}
}

func TestAttachedSessionTakesOver(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	_, stop := session(t, dir, peers.start)
	first := <-peers.peers
	b, _ := session(t, dir, peers.start)
	c, _ := session(t, dir, peers.start)
	cursor, err := b.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	inFlight := make(chan error, 1)
	go func() {
		_, err := b.Call(context.Background(), op.Request{Name: "wait", Grant: op.Read})
		inFlight <- err
	}()
	<-first.Waiting
	stop()
	if err := <-inFlight; fault.KindOf(err) != fault.Unavailable || fault.Of(err).Hint == "" {
		t.Errorf("the call in flight got %v", err)
	}
	for _, s := range []*attach.Session{b, c} {
		askUntil(t, s, "run2")
	}
	if b.Embedded() == c.Embedded() {
		t.Errorf("embedded: %v and %v", b.Embedded(), c.Embedded())
	}
	batch, err := b.Events(t.Context(), cursor, 10)
	if err != nil || len(batch.Events) == 0 || batch.Events[0].Kind != event.Gap {
		t.Errorf("the old cursor gives %+v, %v", batch, err)
	}
}

// TestCallsGoOnThroughManyTakeOvers: every call is answered, by a peer or with
// `unavailable`, while one host after the other ends.
func TestCallsGoOnThroughManyTakeOvers(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	stops := map[*attach.Session]func(){}
	for range 4 {
		s, stop := session(t, dir, peers.start)
		stops[s] = stop
	}
	last, _ := session(t, dir, peers.start)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, err := last.Call(ctx, op.Request{Name: "who", Grant: op.Read})
				if kind := fault.KindOf(err); kind != "" && kind != fault.Unavailable && ctx.Err() == nil {
					t.Errorf("a call got %v", err)
				}
			}
		})
	}
	for run := 1; len(stops) > 0 && !last.Embedded(); run++ {
		askUntil(t, last, fmt.Sprintf("run%d", run))
		for s, stop := range stops {
			if s.Embedded() {
				stop()
				delete(stops, s)
			}
		}
	}
	cancel()
	wg.Wait()
}

// TestSubscribersHearOfATakeOver: an agent that spawned JSON-RPC beside a peer
// keeps its subscription, and is told that events may be missing.
func TestSubscribersHearOfATakeOver(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	_, stop := session(t, dir, peers.start)
	first := <-peers.peers
	s, _ := session(t, dir, peers.start)
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- rpc.Serve(t.Context(), inR, outW, s, rpc.Options{}) }()
	lines := bufio.NewScanner(outR)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.Contains(lines.Text(), want) {
			t.Fatalf("%q does not tell %s", lines.Text(), want)
		}
	}
	io.WriteString(inW, `{"jsonrpc":"2.0","id":1,"method":"subscribe"}`+"\n")
	next(`"subscribed":true`)
	first.Hub.Publish("peer_joined", 1)
	next(`"peer_joined"`)
	stop()
	next(`"gap"`)
	second := <-peers.peers
	second.Hub.Publish("peer_left", 1)
	next(`"peer_left"`)
	inW.Close()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestKilledHostIsReplaced kills a process that holds the peer.
func TestKilledHostIsReplaced(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), hostVariable+"="+dir)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	kill := sync.OnceFunc(func() { child.Process.Kill(); child.Wait() })
	t.Cleanup(kill)
	for begun := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "attach.json")); err == nil {
			break
		}
		if time.Since(begun) > patience {
			t.Fatal("the child does not serve")
		}
	}
	s, _ := session(t, dir, peers.start)
	if got := ask(t, s, "who", ""); !strings.Contains(got, "killed") {
		t.Fatalf("answered by %s", got)
	}
	stale := readFile(t, dir).Socket
	kill()
	t.Logf("taken over after %v", askUntil(t, s, "run1"))
	if !s.Embedded() {
		t.Error("the session did not take over")
	}
	if _, err := os.Lstat(stale); !os.IsNotExist(err) {
		t.Error("the socket of the killed host is left behind")
	}
}

func TestStaleFilesMeanNothing(t *testing.T) {
	for name, content := range map[string]string{
		"of a dead host": `{"socket":"/nowhere/00000000.sock","token":"x","protocol":1}`,
		"broken":         `{"socket":`, "empty": ``,
		"of another version": `{"protocol":99}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir, peers := t.TempDir(), newStarts(t)
			if err := os.WriteFile(filepath.Join(dir, "attach.json"), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			a, _ := session(t, dir, peers.start)
			b, _ := session(t, dir, peers.start)
			if !a.Embedded() || b.Embedded() {
				t.Error("the stale file was believed")
			}
		})
	}
}

func TestStoreInUseByWhomNobodyReachesIsTold(t *testing.T) {
	dir := t.TempDir()
	lock, _, err := attach.TryLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := attach.Decide(ctx, dir); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), dir) {
		t.Errorf("got %v", err)
	}
}

func TestPeerThatDoesNotStartEndsTheSession(t *testing.T) {
	dir := storeDir(t)
	broken := errors.New("the store is broken")
	s := attach.NewSession(dir, func(context.Context) (attach.Embedded, error) { return attach.Embedded{}, broken }, quiet())
	if err := s.Run(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Run gave %v", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, broken) {
		t.Errorf("Ready gave %v", err)
	}
	if _, err := s.Call(t.Context(), op.Request{Name: "ping"}); !errors.Is(err, broken) {
		t.Errorf("a call gave %v", err)
	}
	lock, taken, err := attach.TryLock(dir)
	if err != nil || !taken {
		t.Fatal("the store is not free", err)
	}
	lock.Release()
}

// TestTakeOverIsTriedAgain: the first attempt of the attached session to start
// a peer fails.
func TestTakeOverIsTriedAgain(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	_, stop := session(t, dir, peers.start)
	failures := 2
	b, _ := session(t, dir, func(ctx context.Context) (attach.Embedded, error) {
		if failures--; failures >= 0 {
			return attach.Embedded{}, fault.New(fault.Unavailable, "not yet")
		}
		return peers.start(ctx)
	})
	stop()
	askUntil(t, b, "run2")
}

func TestEndedSessionAnswersUnavailable(t *testing.T) {
	dir, peers := storeDir(t), newStarts(t)
	s, stop := session(t, dir, peers.start)
	stop()
	if _, err := s.Call(t.Context(), op.Request{Name: "who", Grant: op.Read}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	if peers.running.Load() != 0 {
		t.Error("the peer still runs")
	}
}

// BenchmarkTakeOver is the time from the end of a host to the first answer of
// the next, for an empty peer.
func BenchmarkTakeOver(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		b.StopTimer()
		run := func() (*attach.Session, func()) {
			ctx, cancel := context.WithCancel(context.Background())
			s := attach.NewSession(dir, func(context.Context) (attach.Embedded, error) {
				r := op.NewRegistry(event.NewHub("bench", event.Limits{}), quiet())
				r.Add(r.Builtins()...)
				return attach.Embedded{Caller: r, Stop: func() error { r.Close(); return nil }}, nil
			}, quiet())
			ended := make(chan error, 1)
			go func() { ended <- s.Run(ctx) }()
			if err := s.Ready(b.Context()); err != nil {
				b.Fatal(err)
			}
			return s, func() { cancel(); <-ended }
		}
		_, stopFirst := run()
		second, stopSecond := run()
		b.StartTimer()
		stopFirst()
		if _, err := second.Call(b.Context(), op.Request{Name: "ping", Grant: op.Read}); err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		stopSecond()
		b.StartTimer()
	}
}
