package p2p

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/control"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
)

// gater refuses connections under a key that is no Ed25519 key, and under our
// own key: a copy of this store on another machine, or ourselves seen through
// another address. It implements libp2p's connmgr.ConnectionGater.
type gater struct {
	self      peer.ID
	anyKeyOut bool // servers of the public DHT have keys of all kinds
	only      bool // connect to the allowed alone
	allowed   sync.Map
	shunned   sync.Map
}

// allow admits a peer although only some are admitted.
func (g *gater) allow(id peer.ID) { g.allowed.Store(id, true) }

// shun refuses a peer from now on. Tests draw topologies with it.
func (g *gater) shun(id peer.ID) { g.shunned.Store(id, true) }

func (g *gater) admits(dir network.Direction, id peer.ID) bool {
	if _, shunned := g.shunned.Load(id); shunned || id == g.self {
		return false
	}
	if _, allowed := g.allowed.Load(id); g.only && !allowed {
		return false
	}
	_, ok := keyOf(id)
	return ok || g.anyKeyOut && dir == network.DirOutbound
}

func (g *gater) InterceptPeerDial(id peer.ID) bool {
	return g.admits(network.DirOutbound, id)
}

func (g *gater) InterceptAddrDial(peer.ID, ma.Multiaddr) bool { return true }

func (g *gater) InterceptAccept(network.ConnMultiaddrs) bool { return true }

// InterceptSecured is the first moment when the key of a caller is proven.
func (g *gater) InterceptSecured(dir network.Direction, id peer.ID, _ network.ConnMultiaddrs) bool {
	return g.admits(dir, id)
}

func (g *gater) InterceptUpgraded(network.Conn) (bool, control.DisconnectReason) { return true, 0 }
