package log_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/store"
)

// world is seven peers on a simulated network, with a scripted chain that four
// of them validate. One of the indexers may lie, and one of the writers is
// hostile. Everything that happens follows from the seed: each peer's network has
// dice of its own, no two messages arrive at the same nanosecond, and no step
// begins before all is quiet.
type world struct {
	t      testing.TB
	random *rand.Rand
	peers  []*peer
	cancel []context.CancelFunc
	loops  []*sync.WaitGroup

	mu    sync.Mutex // what messages under way look at
	group []int      // peers of different groups do not reach each other
	down  []bool
	dice  []*rand.Rand
	sent  []int
	away  int // messages under way

	chain chain
	sets  [][]string // the validators of the block of each height, from 1
	roots []bft.Hash // after each height, from 0
	high  []int64    // the greatest height that each peer has confirmed since it was opened
	liar  int        // the lying indexer
	turn  int

	blocks, lies int
}

const worldSize = 7

func newWorld(t testing.TB, seed uint64) *world {
	w := &world{
		t: t, random: rand.New(rand.NewPCG(seed, worldSize)), group: make([]int, worldSize), down: make([]bool, worldSize),
		cancel: make([]context.CancelFunc, worldSize), loops: make([]*sync.WaitGroup, worldSize),
		high: make([]int64, worldSize), sent: make([]int, worldSize), liar: 3,
	}
	w.chain.t = t
	first := firstEntry("0,1,2,3")
	for i := range worldSize {
		p := &peer{t: t, n: i, first: first, disk: store.NewDisk()}
		p.offer = func(_ context.Context, entries []*feed.Entry) { w.send(i, entries) }
		p.open()
		w.peers, w.dice = append(w.peers, p), append(w.dice, rand.New(rand.NewPCG(seed, uint64(i))))
		w.loop(i)
	}
	w.roots = []bft.Hash{w.peers[0].root()}
	w.sets = [][]string{strings.Split("0,1,2,3", ","), strings.Split("0,1,2,3", ",")}
	return w
}

// loop runs a peer's log.
func (w *world) loop(i int) {
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel[i], w.loops[i] = cancel, new(sync.WaitGroup)
	log := w.peers[i].log
	w.loops[i].Go(func() {
		time.Sleep(time.Duration(500+i) * time.Microsecond) // so that no tick meets a step
		_ = log.Run(ctx)
	})
}

func (w *world) reach(a, b int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reaches(a, b)
}

func (w *world) reaches(a, b int) bool {
	return a != b && !w.down[a] && !w.down[b] && w.group[a] == w.group[b]
}

// send carries entries to all who can be reached, each after a while.
func (w *world) send(from int, entries []*feed.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for to := range w.peers {
		if !w.reaches(from, to) || w.dice[from].IntN(4) == 0 {
			continue // lost, or nobody there
		}
		w.sent[from]++
		delay := time.Duration(w.dice[from].IntN(300))*time.Millisecond + time.Duration(w.sent[from]*worldSize+from)
		w.away++
		go func() { // arrived waits for it
			time.Sleep(delay)
			w.deliver(from, to, entries)
			w.mu.Lock()
			defer w.mu.Unlock()
			w.away--
		}()
	}
}

func (w *world) deliver(from, to int, entries []*feed.Entry) {
	w.mu.Lock()
	feeds, down := w.peers[to].feeds, w.down[to]
	w.mu.Unlock()
	if !down {
		_, _ = feeds.AddAll(context.Background(), entries, identity.PublicKey{byte(from)}, time.Now())
	}
}

// connect decides who reaches whom.
func (w *world) connect(group func(i int) int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.group {
		w.group[i] = group(i)
	}
}

func (w *world) turnOff(i int, off bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.down[i] = off
}

// settle lets time pass.
func (w *world) settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// arrived waits until nothing is under way; nobody sends any more.
func (w *world) arrived() {
	for away := 1; away > 0; w.settle(time.Millisecond) {
		w.mu.Lock()
		away = w.away
		w.mu.Unlock()
	}
}

// sync brings two peers together over a stream, as far as both admit: their
// whole feeds, or only their tails.
func (w *world) sync(a, b int) {
	near, far := net.Pipe()
	session := func(n int) feed.Session {
		return feed.Session{Remote: identity.PublicKey{byte(n)}, May: func(feed.FeedID) bool { return true }}
	}
	whole, ctx := w.random.IntN(2) == 0, context.Background()
	var serving sync.WaitGroup
	serving.Go(func() {
		if whole {
			_ = w.peers[b].feeds.Serve(ctx, far, session(a))
		} else {
			_ = w.peers[b].log.ServeExchange(ctx, far, identity.PublicKey{byte(a)})
		}
		_ = far.Close()
	})
	if whole {
		_, _ = w.peers[a].feeds.Sync(ctx, near, subnet, session(b))
	} else {
		_ = w.peers[a].log.Exchange(ctx, near, identity.PublicKey{byte(b)})
	}
	_ = near.Close()
	serving.Wait()
	synctest.Wait()
}

// say has a peer append, if it may.
func (w *world) say(i int, body string) {
	_, _ = w.peers[i].feeds.Append(context.Background(), subnet, author(i), []byte(body), time.Now())
}

// restart ends a peer in good order or by a cut of power.
func (w *world) restart(i int) {
	w.cancel[i]()
	w.loops[i].Wait()
	p := w.peers[i]
	w.mu.Lock()
	if w.random.IntN(2) == 0 {
		p.crash(0) // what the disk may keep of the rest is not for the seed to say
	} else {
		_ = p.store.Close()
		p.open()
	}
	w.mu.Unlock()
	now := p.log.Status()
	if now.Root != w.roots[now.Height] {
		w.t.Fatalf("peer %d opened at %d with root %s, which was %s", i, now.Height, now.Root, w.roots[now.Height])
	}
	w.high[i] = now.Height
	w.loop(i)
}

// catchUp has a peer execute the decided blocks it lacks, and checks each one.
func (w *world) catchUp(i int) {
	p := w.peers[i]
	for height := p.log.Status().Height; height < int64(len(w.chain.blocks)); height++ {
		done, err := execute(p, w.chain.blocks[height])
		if err != nil {
			w.t.Fatalf("peer %d at block %d: %v", i, height+1, err)
		}
		if int(height)+1 == len(w.roots) {
			w.roots = append(w.roots, done.State)
			w.sets = append(w.sets, w.after(done, w.sets[height+1]))
		}
		if w.roots[height+1] != done.State {
			w.t.Fatalf("peer %d has another state after block %d", i, height+1)
		}
	}
	if now := p.log.Status().Height; now < w.high[i] {
		w.t.Fatalf("peer %d went back from %d to %d", i, w.high[i], now)
	} else {
		w.high[i] = now
	}
}

// after is the set in force from the second block after the one that was executed.
func (w *world) after(done bft.Executed, now []string) []string {
	if done.Validators == nil {
		return now
	}
	var names []string
	for _, v := range done.Validators {
		for i := range worldSize {
			if author(i).PublicKey() == v.Key {
				names = append(names, fmt.Sprint(i))
			}
		}
	}
	return names
}
