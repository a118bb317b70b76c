package sidechannel

import (
	"context"
	"time"

	"intercom/core/identity"
	"intercom/core/p2p"
)

// Network is what the plane needs of the network between peers. [Over] makes one
// of a host.
type Network interface {
	// Join subscribes to a topic. The handler's Check is called with one message
	// at a time, its Deliver after an Accept, in the same order; neither for this
	// peer's own. The bytes of a message are the plane's from then on.
	Join(topic string, h p2p.Handler) (Topic, error)
	// Rendezvous looks for others that look for the same, until stop is called.
	Rendezvous(ns [32]byte) (stop func())
	// Peers lists the connected peers.
	Peers() []identity.PublicKey
	// Address tells where a connected peer comes from, "" when that is this machine
	// or not known. Peers of one address share a limit.
	Address(key identity.PublicKey) string
	// Mute drops what a peer hands over, unseen, until a moment.
	Mute(key identity.PublicKey, until time.Time)
	// Handle answers streams of a protocol, and Open opens one to a peer.
	Handle(protocol string, f func(ctx context.Context, remote identity.PublicKey, s p2p.Stream))
	Open(ctx context.Context, peer identity.PublicKey, protocol string) (p2p.Stream, error)
}

// Topic is a subscription.
type Topic interface {
	Publish(data []byte) error
	Peers() []identity.PublicKey // connected peers that have joined it too
	Leave() error
}

// Over makes a host the plane's network.
func Over(h *p2p.Host) Network { return host{h} }

type host struct{ *p2p.Host }

func (h host) Join(topic string, hd p2p.Handler) (Topic, error) {
	t, err := h.Host.Join(topic, hd)
	if err != nil {
		return nil, err // and no Topic that holds a nil pointer
	}
	return t, nil
}
