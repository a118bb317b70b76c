package msb

import (
	"context"
	"log/slog"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/core/p2p"
)

// ChainProtocol is the protocol of streams on which a node answers light clients,
// one question each.
const ChainProtocol = "/intercom/msb/chain/1"

// Bounds of what a node does for light clients, besides those of the host.
const (
	chainStreams  = 128              // answered at once; the host bounds those of one peer
	chainPatience = 30 * time.Second // for one stream
)

// Network is what the plane needs of the network between peers: a [p2p.Host].
type Network interface {
	// Peers lists the connected peers, and OnPeer tells of those that come and go.
	Peers() []identity.PublicKey
	OnPeer(f func(key identity.PublicKey, connected bool))
	// Handle answers streams of a protocol, and Open opens one to a peer.
	Handle(protocol string, f func(ctx context.Context, remote identity.PublicKey, s p2p.Stream))
	Open(ctx context.Context, peer identity.PublicKey, protocol string) (p2p.Stream, error)
}

// ServeChain answers light clients of a node, from now until the host closes. A
// node that does not run answers that nothing is there.
func ServeChain(net Network, node *bft.Node, log *slog.Logger) {
	places := make(chan struct{}, chainStreams)
	net.Handle(ChainProtocol, func(ctx context.Context, remote identity.PublicKey, s p2p.Stream) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			_ = s.Reset()
			return
		}
		ctx, cancel := context.WithTimeout(ctx, chainPatience)
		defer cancel()
		defer context.AfterFunc(ctx, func() { _ = s.Reset() })()
		_ = s.SetDeadline(time.Now().Add(chainPatience))
		if err := node.Serve(ctx, s); err != nil {
			log.Debug("a light client's stream ended", "peer", remote, "err", err)
		}
	})
}
