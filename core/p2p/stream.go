package p2p

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/multiformats/go-multistream"
)

// Inbound streams of all protocols that handlers may work on at once.
const (
	streamsPerPeer = 32
	streamsTotal   = 512
)

// Stream is a reliable, ordered, encrypted byte stream with one peer. It has no
// deadline of its own: who opens or handles it sets one.
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	Reset() error // end both directions at once; the other side's reads fail
	SetDeadline(time.Time) error
}

// streamGate bounds the handlers that run at once.
type streamGate struct {
	mu      sync.Mutex
	running map[peer.ID]int
	total   int
}

func (g *streamGate) enter(id peer.ID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.total >= streamsTotal || g.running[id] >= streamsPerPeer {
		return false
	}
	g.total++
	g.running[id]++
	return true
}

func (g *streamGate) exit(id peer.ID) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.total--
	if g.running[id]--; g.running[id] == 0 {
		delete(g.running, id)
	}
}

// Handle answers streams of a protocol, each in a goroutine of its own. One peer
// has at most 32 at once, all together at most 512; more are reset. When f
// returns the stream is closed; when it panics, reset. ctx ends when the host
// closes, which waits for f. A second call for a protocol replaces the first.
func (h *Host) Handle(proto string, f func(ctx context.Context, remote identity.PublicKey, s Stream)) {
	h.net.SetStreamHandler(protocol.ID(proto), func(s network.Stream) {
		id := s.Conn().RemotePeer()
		key, ok := keyOf(id)
		if !ok || !h.enterStream(id) {
			s.Reset()
			return
		}
		defer h.loops.Done()
		defer h.streams.exit(id)
		defer s.Close()
		defer func() {
			if cause := recover(); cause != nil {
				h.log.Error("handler of a stream panicked", "protocol", proto, "peer", key, "panic", cause)
				s.Reset()
			}
		}()
		f(h.ctx, key, s)
	})
}

// enterStream takes a place and makes Close wait for it.
func (h *Host) enterStream(id peer.ID) bool {
	h.closing.Lock()
	defer h.closing.Unlock()
	if h.ctx.Err() != nil || !h.streams.enter(id) {
		return false
	}
	h.loops.Add(1)
	return true
}

// Open opens a stream to a peer, connecting first if need be: at addresses that
// are known, else at those the DHT knows. It fails with unavailable when the peer
// cannot be reached or does not speak the protocol.
func (h *Host) Open(ctx context.Context, remote identity.PublicKey, proto string) (Stream, error) {
	if remote == h.key {
		return nil, fault.New(fault.Invalid, "%s is this peer itself", remote)
	}
	if h.ctx.Err() != nil {
		return nil, errClosed()
	}
	id := peerOf(remote)
	if err := h.reach(ctx, id); err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fault.New(fault.Unavailable, "peer %s cannot be reached: %w", remote, err).
			WithHint("it may be offline; try again later")
	}
	s, err := h.net.NewStream(ctx, id, protocol.ID(proto))
	var unknown multistream.ErrNotSupported[protocol.ID]
	switch {
	case err == nil:
		return s, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.As(err, &unknown):
		return nil, fault.New(fault.Unavailable, "peer %s does not speak %s", remote, proto).
			WithHint("it may run another version")
	default:
		return nil, fault.New(fault.Unavailable, "no stream to peer %s: %w", remote, err).WithHint("try again")
	}
}

// reach makes sure that there is a connection.
func (h *Host) reach(ctx context.Context, id peer.ID) error {
	if h.dialer.connected(id) {
		return nil
	}
	info := peer.AddrInfo{ID: id, Addrs: h.net.Peerstore().Addrs(id)}
	if len(info.Addrs) > 0 {
		if err := h.dialer.connect(ctx, info); err == nil {
			return nil
		}
	}
	found, err := h.dht.FindPeer(ctx, id)
	if err != nil {
		return err
	}
	h.net.Peerstore().AddAddrs(id, found.Addrs, peerstore.TempAddrTTL)
	return h.dialer.connect(ctx, found)
}
