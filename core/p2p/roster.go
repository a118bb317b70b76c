package p2p

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/host/eventbus"
)

// roster knows which neighbours of our network are connected: those that
// proved an Ed25519 key and speak our protocols. It tells callbacks per
// neighbour, not per connection.
//
// What is not told yet is remembered once per neighbour, so the backlog is
// bounded by their number: a neighbour that went and came back is told as gone
// and as connected; one that came and went may not be told at all.
type roster struct {
	net host.Host
	log *slog.Logger

	// Called from the roster's loop; they must be quick.
	arrived    func(id peer.ID)
	identified func(ev event.EvtPeerIdentificationCompleted) // with each connection, and when something changed
	gone       func(id peer.ID)

	mu     sync.Mutex
	peers  map[peer.ID]*presence
	untold []peer.ID
	wake   chan struct{} // holds a token while something is untold

	telling   sync.Mutex // held while callbacks run
	callbacks []func(identity.PublicKey, bool)
	told      map[identity.PublicKey]bool // what callbacks believe to be connected
}

type presence struct {
	up, told bool
	flapped  bool // was down since it was told as up
	queued   bool
}

func newRoster(net host.Host, log *slog.Logger) *roster {
	return &roster{
		net: net, log: log, peers: map[peer.ID]*presence{},
		wake: make(chan struct{}, 1), told: map[identity.PublicKey]bool{},
	}
}

// watch subscribes to libp2p's events. The loop that it returns reads them
// until ctx is done.
func (r *roster) watch(ctx context.Context) (loop func(), err error) {
	kinds := []any{new(event.EvtPeerIdentificationCompleted), new(event.EvtPeerConnectednessChanged)}
	// libp2p waits for a reader whose buffer is full.
	events, err := r.net.EventBus().Subscribe(kinds, eventbus.BufSize(1024))
	if err != nil {
		return nil, err
	}
	return func() {
		defer events.Close()
		for {
			select {
			case <-ctx.Done():
				return
			case ev := <-events.Out():
				r.see(ev)
			}
		}
	}, nil
}

func (r *roster) see(ev any) {
	switch ev := ev.(type) {
	case event.EvtPeerIdentificationCompleted:
		_, ed25519 := keyOf(ev.Peer)
		if !ed25519 || !slices.Contains(ev.Protocols, recordsProtocol) {
			return
		}
		// It may be gone again; then its going was seen, or will be.
		if r.net.Network().Connectedness(ev.Peer) == network.Connected {
			r.identified(ev)
			if r.set(ev.Peer, true) {
				r.arrived(ev.Peer)
			}
		}
	case event.EvtPeerConnectednessChanged:
		if ev.Connectedness != network.Connected {
			r.set(ev.Peer, false)
			r.gone(ev.Peer)
		}
	}
}

// set records a state and queues the neighbour when there is something to tell.
// It is false when that was its state before.
func (r *roster) set(id peer.ID, up bool) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.peers[id]
	if p == nil {
		if !up {
			return false
		}
		p = &presence{}
		r.peers[id] = p
	}
	if p.up == up {
		return false
	}
	p.up = up
	p.flapped = p.flapped || !up && p.told
	if !p.queued {
		p.queued = true
		r.untold = append(r.untold, id)
	}
	select {
	case r.wake <- struct{}{}:
	default:
	}
	return true
}

// next takes one neighbour off the backlog and says what is to be told of it.
func (r *roster) next() (id peer.ID, down, up, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.untold) == 0 {
		return "", false, false, false
	}
	id, r.untold = r.untold[0], r.untold[1:]
	p := r.peers[id]
	down = p.told && (!p.up || p.flapped)
	up = p.up && (!p.told || p.flapped)
	p.told, p.flapped, p.queued = p.up, false, false
	if !p.up {
		delete(r.peers, id)
	}
	return id, down, up, true
}

// dispatch runs the callbacks until ctx is done.
func (r *roster) dispatch(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.wake:
		}
		for ctx.Err() == nil {
			id, down, up, ok := r.next()
			if !ok {
				break
			}
			if key, ed25519 := keyOf(id); ed25519 {
				r.announce(key, down, up)
			}
		}
	}
}

func (r *roster) announce(key identity.PublicKey, down, up bool) {
	r.telling.Lock()
	defer r.telling.Unlock()
	if down {
		delete(r.told, key)
		r.call(key, false)
	}
	if up {
		r.told[key] = true
		r.call(key, true)
	}
}

func (r *roster) call(key identity.PublicKey, connected bool) {
	for _, f := range r.callbacks {
		r.guard(f, key, connected)
	}
}

func (r *roster) guard(f func(identity.PublicKey, bool), key identity.PublicKey, connected bool) {
	defer func() {
		if cause := recover(); cause != nil {
			r.log.Error("callback of a neighbour's state panicked", "peer", key, "panic", cause)
		}
	}()
	f(key, connected)
}

// connected lists who is up.
func (r *roster) connected() []peer.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]peer.ID, 0, len(r.peers))
	for id, p := range r.peers {
		if p.up {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// Peers lists the connected neighbours, in a stable order.
func (h *Host) Peers() []identity.PublicKey { return keysOf(h.roster.connected()) }

// OnPeer registers a callback for neighbours that connect or are lost; those
// already connected are told first. Calls come one at a time and may be late: a
// slow callback delays the others, not the network. It must not call OnPeer or
// Close.
func (h *Host) OnPeer(f func(key identity.PublicKey, connected bool)) {
	r := h.roster
	r.telling.Lock()
	defer r.telling.Unlock()
	for key := range r.told {
		r.guard(f, key, true)
	}
	r.callbacks = append(r.callbacks, f)
}
