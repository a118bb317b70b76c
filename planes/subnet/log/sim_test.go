package log_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/bft"
	"intercom/core/feed"
)

// round is one try to make a block: whoever's turn it is proposes, those who
// reach it vote, and with more than 2/3 of the votes the block is decided.
func (w *world) round() {
	height := len(w.chain.blocks)
	set := w.sets[height]
	proposer, _ := strconv.Atoi(set[w.turn%len(set)])
	w.turn++
	if w.down[proposer] {
		return
	}
	w.catchUp(proposer)
	p := w.chain.next()
	p.Time = time.Now()
	if proposer == w.liar {
		w.lie(p, set)
		return
	}
	if !w.peers[proposer].log.Pending() && w.random.IntN(4) > 0 {
		return
	}
	p.Txs = w.peers[proposer].log.Propose(p)
	w.vote(p, proposer, set)
}

// vote decides a block if enough accept it.
func (w *world) vote(p bft.Proposal, proposer int, set []string) bool {
	votes := 0
	for _, name := range set {
		i, _ := strconv.Atoi(name)
		if i != proposer && !w.reach(proposer, i) {
			continue
		}
		w.catchUp(i)
		switch {
		case i == w.liar && i != proposer:
			votes += w.random.IntN(2)
		case i == w.liar || w.peers[i].log.Accept(p):
			votes++
		case proposer != w.liar:
			w.t.Fatalf("peer %d refuses an honest block %d", i, p.Height)
		}
	}
	if 3*votes <= 2*len(set) {
		return false
	}
	if proposer == w.liar && w.random.IntN(2) == 0 {
		p.Guilty = nil
	}
	w.chain.blocks = append(w.chain.blocks, p)
	w.blocks++
	for i := range w.peers {
		if i == proposer || w.reach(proposer, i) {
			w.catchUp(i)
		}
	}
	if height := w.peers[proposer].log.Status().Height; height != p.Height {
		w.t.Fatalf("the proposer is at %d", height)
	}
	return true
}

// lie is the turn of the lying indexer: it is silent, proposes what must not
// stand, or shows different blocks to different ones.
func (w *world) lie(p bft.Proposal, set []string) {
	log := w.peers[w.liar].log
	good := log.Propose(p)
	w.lies++
	switch w.random.IntN(6) {
	case 0: // silent
	case 1: // an entry that nobody signed
		e := on(0, "put forged 1", w.peers[0].first)
		e.Sig[1] ^= 1
		p.Txs = append(good, e.Encode())
		w.refused(p, set)
	case 2: // children before their parents, if there are any
		p.Txs = slices.Clone(good)
		slices.Reverse(p.Txs)
		if len(p.Txs) > 1 && !log.Accept(p) {
			w.refused(p, set)
		}
	case 3: // something twice
		if len(good) > 0 {
			p.Txs = append(slices.Clone(good), good[0])
			w.refused(p, set)
		}
	case 4: // junk
		p.Txs = [][]byte{[]byte("junk")}
		w.refused(p, set)
	case 5: // a good block of which others see only a part
		p.Txs = good[:w.random.IntN(len(good)+1)]
		if len(p.Txs) > 0 || w.random.IntN(4) == 0 {
			w.vote(p, w.liar, set)
		}
	}
}

// refused checks that no honest indexer votes for a block.
func (w *world) refused(p bft.Proposal, set []string) {
	for _, name := range set {
		if i, _ := strconv.Atoi(name); i != w.liar && w.reach(w.liar, i) && w.peers[i].log.Accept(p) {
			w.t.Fatalf("peer %d accepts a lie at %d", i, p.Height)
		}
	}
}

// hostile is a turn of the hostile writer, peer 6: it forks, withholds, floods
// and sends what is malformed.
func (w *world) hostile() {
	p := w.peers[worldSize-1]
	id, ok, err := p.feeds.Latest(subnet, author(p.n).PublicKey())
	if err != nil || !ok || w.down[p.n] {
		return
	}
	last, _, err := p.feeds.Get(subnet, id)
	if err != nil {
		w.t.Fatal(err)
	}
	dated := func(e *feed.Entry) *feed.Entry { e.TS = time.Now().UnixMilli(); return sign(p.n, e) }
	one, two := dated(on(p.n, "put x fork1", last)), dated(on(p.n, "put x fork2", last))
	to, other := w.random.IntN(worldSize), w.random.IntN(worldSize)
	switch w.random.IntN(5) {
	case 0: // different ones to different peers
		w.deliver(p.n, to, []*feed.Entry{one})
		w.deliver(p.n, other, []*feed.Entry{two})
	case 1: // a child of what it keeps to itself
		w.deliver(p.n, to, []*feed.Entry{dated(on(p.n, "put x child", one))})
	case 2: // malformed
		one.Sig[0] ^= 1
		w.deliver(p.n, to, []*feed.Entry{one})
		w.deliver(p.n, to, []*feed.Entry{dated(&feed.Entry{Height: 9, Seq: 1, Parents: last.Parents, Body: []byte("put x 1")})})
		w.deliver(p.n, to, []*feed.Entry{dated(&feed.Entry{Height: 1, Body: []byte("begin 6")})})
	case 3: // many at once
		for range 40 {
			w.say(p.n, "put flood x")
		}
	case 4:
		w.say(p.n, "nonsense")
	}
}

// step is one random thing that happens.
func (w *world) step() {
	i := w.random.IntN(worldSize)
	switch n := w.random.IntN(100); {
	case n < 30:
		if !w.down[i] {
			w.say(i, fmt.Sprint("put k", w.random.IntN(6), " ", w.random.IntN(1000)))
		}
	case n < 55:
		w.round()
	case n < 60:
		w.say(0, fmt.Sprint("writer ", w.random.IntN(worldSize)))
	case n < 63:
		w.say(0, fmt.Sprint("unwriter ", 1+w.random.IntN(worldSize-1)))
	case n < 66:
		w.say(0, "indexers "+[]string{"0,1,2,3", "0,1,2,4", "1,2,3,5", "0,1,2,3,4", "0,1,2,3,4,5,6", "0,2,4,5"}[w.random.IntN(6)])
	case n < 72:
		w.hostile()
	case n < 78:
		if j := w.random.IntN(worldSize); w.reach(i, j) {
			w.sync(i, j)
		}
	case n < 82:
		w.connect(func(int) int { return w.random.IntN(2) })
	case n < 86:
		w.connect(func(int) int { return 0 })
	case n < 89:
		if !w.down[i] {
			w.restart(i)
		}
	case n < 91:
		w.turnOff(i, w.random.IntN(3) == 0)
	case n < 94:
		if !w.down[i] {
			w.catchUp(i)
		}
	case n < 97:
		if _, err := w.peers[i].log.Local(context.Background()); err != nil {
			w.t.Fatal(err)
		}
	default:
		w.settle(time.Duration(w.random.IntN(2000)) * time.Millisecond)
	}
}

// heal lets everybody reach everybody, the liar apart, until nothing waits.
func (w *world) heal() {
	w.connect(func(int) int { return 0 })
	for i := range w.peers {
		w.turnOff(i, false)
	}
	for range 200 {
		w.settle(time.Second)
		for i := range w.peers {
			w.catchUp(i)
			w.sync(i, w.random.IntN(worldSize))
		}
		for range 8 {
			w.round()
			synctest.Wait()
		}
		if !slices.ContainsFunc(w.peers, func(p *peer) bool { return p.log.Status().Waiting > 0 }) && w.same() {
			return
		}
	}
	for i, p := range w.peers {
		w.t.Logf("peer %d: %+v", i, p.log.Status())
	}
	w.t.Fatal("the peers do not come to rest")
}

// same tells whether all feeds have the same heads.
func (w *world) same() bool {
	want, err := w.peers[0].feeds.Heads(subnet)
	for _, p := range w.peers[1:] {
		heads, headErr := p.feeds.Heads(subnet)
		if err != nil || headErr != nil || !slices.Equal(heads, want) {
			return false
		}
	}
	return true
}

// agree checks that everybody ends with the same.
func (w *world) agree() {
	want := w.roots[len(w.chain.blocks)]
	for i, p := range w.peers {
		w.catchUp(i)
		view, err := p.log.Local(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		root, err := view.Root()
		if err != nil || bft.Hash(root) != want || p.root() != want {
			w.t.Fatalf("peer %d: local %s, confirmed %s, want %s: %v", i, root, p.root(), want, err)
		}
	}
}

// simulate runs one seed and tells how many entries were confirmed in how many
// blocks, beside how many lies.
func simulate(t *testing.T, seed uint64, steps int) (entries uint64, blocks, lies int) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, seed)
		defer func() {
			for i := range w.peers {
				w.cancel[i]()
				w.loops[i].Wait()
			}
			w.arrived()
			for _, p := range w.peers {
				_ = p.store.Close()
			}
			if t.Failed() {
				t.Logf("replay with seed %d", seed)
			}
		}()
		for n := range worldSize {
			w.say(0, fmt.Sprint("writer ", n))
		}
		for range steps {
			w.step()
			synctest.Wait()
		}
		w.heal()
		w.agree()
		entries, blocks, lies = w.peers[0].log.Status().Confirmed, w.blocks, w.lies
	})
	return entries, blocks, lies
}

func TestSevenPeersWithALiarAndAHostileWriterAgree(t *testing.T) {
	seeds := uint64(5)
	if testing.Short() {
		seeds = 2
	}
	for seed := range seeds {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			entries, blocks, lies := simulate(t, seed, 150)
			t.Logf("%d entries in %d blocks, %d turns of the liar", entries, blocks, lies)
		})
	}
}

func TestProofThousandSeeds(t *testing.T) {
	if !proving() {
		return
	}
	var entries, blocks, lies int
	for seed := range uint64(1000) {
		e, b, l := simulate(t, seed, 250)
		entries, blocks, lies = entries+int(e), blocks+b, lies+l
	}
	figure(t, "1000 seeds, 7 peers, 4 indexers: %d entries in %d blocks, %d turns of a lying indexer; confirmed states equal at every height, local views equal at the end", entries, blocks, lies)
}
