package bft

import (
	"crypto/ed25519"

	cometed "github.com/cometbft/cometbft/crypto/ed25519"
	"github.com/cometbft/cometbft/p2p"
)

// Rename gives a node another name among nodes than the one that belongs to its
// validator key.
func (n *Node) Rename(seed [32]byte) {
	n.keys.node = &p2p.NodeKey{PrivKey: cometed.PrivKey(ed25519.NewKeyFromSeed(seed[:]))}
	n.peers.self = n.ID()
}
