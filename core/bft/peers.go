package bft

import (
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/cometbft/cometbft/p2p"

	"intercom/core/fault"
)

// peers keeps a node connected with those it was told of. The engine's own way
// gives up after a while; this one does not.
type peers struct {
	self string
	log  *slog.Logger

	carried sync.WaitGroup // streams that run through a forwarder

	mu   sync.Mutex
	list map[string]*target
}

// target is one node to be connected with.
type target struct {
	peer    Peer
	missing time.Time     // since when it is not connected
	next    time.Time     // not dialled before
	pause   time.Duration // before the dial after the next
	busy    bool          // being dialled
}

// The pace of dialling. Of two nodes the one with the lower id dials; the other
// waits a moment first, or both would drop what the other has built.
const (
	dialTick  = 100 * time.Millisecond
	dialPause = 2 * time.Second // the longest between two attempts
	dialGrace = time.Second
)

func newPeers(self string, log *slog.Logger) *peers {
	return &peers{self: self, log: log, list: map[string]*target{}}
}

func (p Peer) check() error {
	if raw, err := hex.DecodeString(p.ID); err != nil || len(raw) != p2p.IDByteLength {
		return fault.New(fault.Invalid, "peer id %.80q", p.ID).WithHint("an id is the 40 hex digits that the other node shows")
	}
	if p.Dial != nil {
		return nil
	}
	if _, _, err := net.SplitHostPort(p.Addr); err != nil {
		return fault.New(fault.Invalid, "peer address %.200q is not host:port", p.Addr).WithHint("name it as host:port")
	}
	return nil
}

func (ps *peers) set(list []Peer) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	old := ps.list
	ps.list = map[string]*target{}
	for _, p := range list {
		if p.ID == ps.self {
			continue
		}
		t := old[p.ID]
		if t == nil {
			t = &target{missing: time.Now()}
		}
		t.peer = p
		ps.list[p.ID] = t
	}
}

func (ps *peers) knows(id string) bool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	return ps.list[id] != nil
}

// run dials whoever is missing until ctx is done.
func (ps *peers) run(ctx context.Context, sw *p2p.Switch) {
	var dials sync.WaitGroup
	defer dials.Wait()
	tick := time.NewTicker(dialTick)
	defer tick.Stop()
	for {
		for _, t := range ps.due(sw, time.Now()) {
			dials.Go(func() {
				err := ps.dial(ctx, sw, t.peer)
				ps.mu.Lock()
				defer ps.mu.Unlock()
				t.busy = false
				if err != nil && ctx.Err() == nil {
					ps.log.Debug("node out of reach", "peer", t.peer.ID, "err", err)
				}
			})
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// due picks whom to dial now.
func (ps *peers) due(sw *p2p.Switch, now time.Time) (out []*target) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for id, t := range ps.list {
		if sw.Peers().Has(p2p.ID(id)) {
			t.missing, t.next, t.pause = now, time.Time{}, 0
			continue
		}
		if t.busy || now.Before(t.next) || (ps.self > id && now.Sub(t.missing) < dialGrace) {
			continue
		}
		t.pause = min(max(2*t.pause, dialTick), dialPause)
		t.next, t.busy = now.Add(t.pause), true
		out = append(out, t)
	}
	return out
}

func (ps *peers) dial(ctx context.Context, sw *p2p.Switch, peer Peer) error {
	addr := peer.Addr
	if peer.Dial != nil {
		stream, err := peer.Dial(ctx)
		if err != nil {
			return err
		}
		at, done, err := ps.forward(stream)
		if err != nil {
			return errors.Join(err, stream.Close())
		}
		defer done()
		addr = at
	}
	to, err := p2p.NewNetAddressString(p2p.IDAddressString(p2p.ID(peer.ID), addr))
	if err != nil {
		return err
	}
	return sw.DialPeerWithAddress(to)
}
