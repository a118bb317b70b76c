package sealed

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"intercom/core/identity"
	"intercom/core/p2p"
	"intercom/core/store"
)

// Bounds of a keeper.
const (
	keeperTick = 500 * time.Millisecond
	meetSlots  = 12 // handovers with connected peers at a time
	dialSlots  = 4  // with inviters that must be dialled first, which may take long
)

// Network is what a keeper needs of the network between peers.
type Network interface {
	Peers() []identity.PublicKey
	Handle(protocol string, f func(ctx context.Context, remote identity.PublicKey, s p2p.Stream))
	Open(ctx context.Context, peer identity.PublicKey, protocol string) (p2p.Stream, error)
}

// Keeper hands keys over for all channels of a peer. Its methods may be called
// from any goroutine.
type Keeper struct {
	net    Network
	signer Signer
	shelf  *Shelf
	log    *slog.Logger
	poke   chan struct{}
	meets  chan struct{} // slots
	dials  chan struct{}
	gauge  *gauge

	starved atomic.Bool // a meeting was put off for want of a slot

	mu      sync.Mutex
	circles map[Channel]*Circle
	talks   map[*talk]struct{}
}

// talk is a handover under way.
type talk struct {
	circle *Circle
	remote identity.PublicKey
	stream p2p.Stream
}

// NewKeeper makes a keeper that answers who greets. It greets nobody before
// [Keeper.Run].
func NewKeeper(net Network, signer Signer, space *store.Space, log *slog.Logger) *Keeper {
	k := &Keeper{
		net: net, signer: signer, shelf: NewShelf(space), log: log, poke: make(chan struct{}, 1),
		meets: make(chan struct{}, meetSlots), dials: make(chan struct{}, dialSlots), gauge: newGauge(),
		circles: map[Channel]*Circle{}, talks: map[*talk]struct{}{},
	}
	net.Handle(Protocol, k.serve)
	return k
}

// Open makes the circle of a channel. changed is called, from any goroutine,
// when [Circle.Keys] gives others. The only inviter of a channel makes its first
// key at once, one of several waits a moment for another's.
func (k *Keeper) Open(name string, gate Gate, changed func()) (*Circle, error) {
	c, err := newCircle(name, k.signer, gate, k.shelf, func() { changed(); k.wake() }, k.log)
	if err != nil {
		return nil, err
	}
	c.unwatch = gate.Watch(func() {
		c.stale.Store(true)
		k.wake()
	})
	if err := c.tend(time.Now()); err != nil {
		c.unwatch()
		return nil, err
	}
	k.mu.Lock()
	k.circles[c.ch] = c
	k.mu.Unlock()
	k.wake()
	return c, nil
}

// Close forgets a circle. Its keys stay on the shelf for when it is opened again.
func (k *Keeper) Close(c *Circle) {
	c.unwatch()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.circles[c.ch] == c {
		delete(k.circles, c.ch)
	}
	k.hangUp(func(t *talk) bool { return t.circle == c })
}

func (k *Keeper) wake() {
	select {
	case k.poke <- struct{}{}:
	default:
	}
}

// Run meets members until ctx ends. What it started has ended when it returns.
func (k *Keeper) Run(ctx context.Context) error {
	var meetings sync.WaitGroup
	defer meetings.Wait()
	tick := time.NewTicker(keeperTick)
	defer tick.Stop()
	for {
		begin := time.Now()
		k.round(ctx, &meetings)
		select { // with many channels, meetings that end must not mean rounds without end
		case <-ctx.Done():
			return nil
		case <-time.After(4 * time.Since(begin)):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-k.poke:
		}
	}
}

// round does what is due for every circle.
func (k *Keeper) round(ctx context.Context, meetings *sync.WaitGroup) {
	peers := k.net.Peers()
	connected := make(map[identity.PublicKey]bool, len(peers))
	for _, key := range peers {
		connected[key] = true
	}
	for _, c := range k.list() {
		k.tend(ctx, c, connected, meetings)
	}
	k.expel()
}

func (k *Keeper) list() []*Circle {
	k.mu.Lock()
	defer k.mu.Unlock()
	list := make([]*Circle, 0, len(k.circles))
	for _, c := range k.circles {
		list = append(list, c)
	}
	return list
}

// tend does what is due for one circle.
func (k *Keeper) tend(ctx context.Context, c *Circle, connected map[identity.PublicKey]bool, meetings *sync.WaitGroup) {
	now := time.Now()
	if err := c.tend(now); err != nil {
		k.log.Error("the keys of a channel cannot be kept", "channel", c.name, "err", err)
	}
	if !c.gate.Belongs(k.signer.PublicKey(), now) {
		return // nobody would answer
	}
	for _, peer := range c.company(connected, now) {
		slots := k.meets
		if !peer.connected {
			slots = k.dials
		}
		select {
		case slots <- struct{}{}:
		default:
			k.starved.Store(true)
			continue
		}
		c.appoint(peer, now)
		meetings.Go(func() {
			k.meet(ctx, c, peer.key)
			<-slots
			if k.starved.Swap(false) {
				k.wake()
			}
		})
	}
}

// meet opens a handover with a peer.
func (k *Keeper) meet(ctx context.Context, c *Circle, remote identity.PublicKey) {
	ctx, cancel := context.WithTimeout(ctx, meetTimeout)
	defer cancel()
	s, err := k.net.Open(ctx, remote, Protocol)
	if err != nil {
		return
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { s.Reset() })()
	if err := k.talk(c, remote, s, func() error { return c.offer(s, remote) }); err != nil {
		s.Reset()
	}
}

// serve answers a peer that greets. One that does not belong, and one that means
// a channel this peer is not in, see the same: the stream is reset.
func (k *Keeper) serve(_ context.Context, remote identity.PublicKey, s p2p.Stream) {
	if !k.gauge.pass(remote, time.Now()) || s.SetDeadline(time.Now().Add(meetTimeout)) != nil {
		s.Reset()
		return
	}
	wire, err := readMessage(s, maxGreeting)
	if err != nil {
		s.Reset()
		return
	}
	c := k.find(wire)
	if c == nil {
		s.Reset()
		return
	}
	if err := k.talk(c, remote, s, func() error { return c.answer(s, remote, wire) }); err != nil {
		s.Reset()
	}
}

// find gives the circle that a greeting is for, or nil.
func (k *Keeper) find(wire []byte) *Circle {
	tag, nonce, err := splitGreeting(wire)
	if err != nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for ch, c := range k.circles {
		if meant(tag, nonce, ch) {
			return c
		}
	}
	return nil
}

// talk runs one end of a handover and notes how it went.
func (k *Keeper) talk(c *Circle, remote identity.PublicKey, s p2p.Stream, run func() error) error {
	t := &talk{c, remote, s}
	k.mu.Lock()
	k.talks[t] = struct{}{}
	k.mu.Unlock()
	err := run()
	k.mu.Lock()
	delete(k.talks, t)
	k.mu.Unlock()
	if err != nil {
		if !errors.Is(err, errStranger) {
			k.log.Debug("no handover", "peer", remote, "err", err)
		}
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.diary.met(remote, time.Now())
	return nil
}

// expel ends the handovers with peers that do not belong any more.
func (k *Keeper) expel() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	k.hangUp(func(t *talk) bool {
		p := t.circle.page(t.remote)
		return p.member && !t.circle.gate.Belongs(t.remote, now)
	})
}

// hangUp resets handovers. The caller holds mu.
func (k *Keeper) hangUp(which func(*talk) bool) {
	for t := range k.talks {
		if which(t) {
			t.stream.Reset()
		}
	}
}
