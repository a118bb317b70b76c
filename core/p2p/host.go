package p2p

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"

	dht "github.com/libp2p/go-libp2p-kad-dht"
	"github.com/libp2p/go-libp2p/core/event"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

// Host is one peer on the network. Many in one process do not disturb each
// other.
type Host struct {
	key     identity.PublicKey
	log     *slog.Logger
	net     host.Host
	gater   *gater
	traffic *traffic

	gossip     *gossip
	roster     *roster
	dht        *dht.IpfsDHT
	rendezvous *rendezvous
	dialer     *dialer // for peers that we know
	hints      *dialer // for peers that others tell of: they may be false, and slow
	exchange   *exchange
	lookout    *lookout
	entry      *entryPort // nil without an entry port
	seeds      []*seed
	backbone   *backbone // nil when nothing is relayed for others
	streams    streamGate

	mdns, publicDHT bool

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	loops   sync.WaitGroup // what Listen, Join, Handle and Run have started
	closing sync.Mutex     // held to start something, and to begin closing
	running bool
	close   func() error
}

// Listen makes a host: it binds its addresses and answers who calls. It looks
// for nobody until [Host.Run]. All problems of cfg come as one invalid fault; an
// address that cannot be bound is unavailable and named.
func Listen(cfg Config) (*Host, error) {
	s, err := cfg.settings()
	if err != nil {
		return nil, err
	}
	h := &Host{
		key: s.identity.PublicKey(), log: s.log, traffic: &traffic{},
		mdns: s.mdns, publicDHT: s.publicDHT,
		streams: streamGate{running: map[peer.ID]int{}},
	}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.close = sync.OnceValue(h.shut)
	if err := h.build(s); err != nil {
		return nil, errors.Join(err, h.Close())
	}
	if err := h.bind(s.listen); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

// build puts the parts together, before the first address is bound: who calls
// finds all protocols in place.
func (h *Host) build(s settings) (err error) {
	h.gater = &gater{self: peerOf(h.key), anyKeyOut: s.publicDHT, only: s.only}
	if h.net, err = newStack(s, h.gater, h.traffic); err != nil {
		return err
	}
	sw, ok := h.net.Network().(*swarm.Swarm)
	if !ok {
		return fmt.Errorf("libp2p's network is a %T", h.net.Network())
	}
	known := newBook()
	h.dialer, h.hints = newDialer(h.net, sw, h.log), newDialer(h.net, sw, h.log)
	h.roster = newRoster(h.net, h.log)
	h.exchange = newExchange(h.net, known, h.hints, h.roster, h.log)
	h.lookout = newLookout(h.net, known, h.dialer, h.log)
	h.net.SetStreamHandler(recordsProtocol, h.exchange.serve)
	if h.gossip, err = newGossip(h.ctx, h.net, &h.loops, h.log); err != nil {
		return err
	}
	if s.backbone > 0 {
		h.backbone = newBackbone(h.gossip, s.backbone)
	}
	if h.dht, err = newDHT(h.net); err != nil {
		return err
	}
	h.rendezvous = newRendezvous(h.dht, h.hints, h.log)
	if s.entryPort != 0 {
		h.entry = &entryPort{port: s.entryPort, addr: entryAddr(s.entryPort), dialer: h.dialer, psk: s.psk, log: h.log}
	}
	for _, at := range s.seeds {
		h.seeds = append(h.seeds, &seed{at: at, dialer: h.dialer, gater: h.gater, psk: s.psk, log: h.log})
		if at.id != "" {
			h.gater.allow(at.id)
		}
	}

	h.roster.arrived = h.exchange.arrived
	h.roster.identified = func(ev event.EvtPeerIdentificationCompleted) {
		known.arrived(ev.Peer, h.net.Peerstore().Addrs(ev.Peer), recordOf(ev))
		h.lookout.arrived(ev.Conn, ev.Peer)
	}
	h.roster.gone = func(id peer.ID) {
		known.gone(id, time.Now())
		h.gossip.forget(id)
	}
	watch, err := h.roster.watch(h.ctx)
	if err != nil {
		return err
	}
	h.loops.Go(watch)
	h.loops.Go(func() { h.roster.dispatch(h.ctx) })
	return nil
}

// recordOf is the signed record that a neighbour sent of itself, or nil.
func recordOf(ev event.EvtPeerIdentificationCompleted) []byte {
	if ev.SignedPeerRecord == nil {
		return nil
	}
	raw, err := ev.SignedPeerRecord.Marshal()
	if err != nil || len(raw) > maxRecordBytes {
		return nil
	}
	return raw
}

// bind listens at every address. Optional ones may be missing on the machine.
func (h *Host) bind(addrs []listenAddr) error {
	bound := 0
	for _, a := range addrs {
		err := h.dialer.swarm.AddListenAddr(a.addr)
		switch {
		case err == nil:
			bound++
		case a.optional && !errors.Is(err, syscall.EADDRINUSE):
			h.log.Debug("not listening", "address", a.addr, "error", err)
		case errors.Is(err, syscall.EADDRINUSE):
			return fault.New(fault.Unavailable, "listen address %s is taken by another program", a.addr).
				WithHint("choose another port, or port 0 for a free one")
		default:
			return fault.New(fault.Unavailable, "cannot listen on %s: %w", a.addr, err).
				WithHint("choose an address of this machine")
		}
	}
	if bound == 0 {
		return fault.New(fault.Unavailable, "no address to listen on")
	}
	return nil
}

// Close leaves the network: connections and ports are closed, every topic is
// left, Run returns, and handlers of streams have ended when it returns. It may
// be called more than once, but not by a callback of this host.
func (h *Host) Close() error { return h.close() }

func (h *Host) shut() error {
	h.closing.Lock()
	h.cancel()
	h.closing.Unlock()
	var err error
	if h.gossip != nil {
		h.gossip.end()
	}
	if h.dht != nil {
		err = h.dht.Close()
	}
	if h.net != nil {
		err = errors.Join(err, h.net.Close())
	}
	h.loops.Wait()
	return err
}

func errClosed() error {
	return fault.New(fault.Unavailable, "the peer's network is closed").WithHint("start the peer again")
}

// Key is the public key of this host: who it is to others.
func (h *Host) Key() identity.PublicKey { return h.key }

// Addrs lists where others can reach this host, as multiaddrs that end in its
// peer id and can be given to another peer as bootstrap entries.
func (h *Host) Addrs() []string {
	addrs := make([]string, 0, 8)
	for _, a := range h.net.Addrs() {
		addrs = append(addrs, a.String()+"/p2p/"+h.net.ID().String())
	}
	return addrs
}
