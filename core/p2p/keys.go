package p2p

import (
	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/peer"
)

// ed25519ID begins every peer id of an Ed25519 key: an identity multihash of 36
// bytes that holds the protobuf {type: Ed25519, data: 32 bytes}. What follows is
// the key itself, so that key and peer id are two spellings of one thing (libp2p
// specification, peer-ids).
const ed25519ID = "\x00\x24\x08\x01\x12\x20"

// peerOf spells a public key as a peer id.
func peerOf(key identity.PublicKey) peer.ID {
	return peer.ID(ed25519ID + string(key[:]))
}

// keyOf gives the public key that a peer id stands for, and false when it is
// not the id of an Ed25519 key.
func keyOf(id peer.ID) (identity.PublicKey, bool) {
	var key identity.PublicKey
	if len(id) != len(ed25519ID)+len(key) || string(id[:len(ed25519ID)]) != ed25519ID {
		return key, false
	}
	copy(key[:], id[len(ed25519ID):])
	return key, true
}

// keysOf keeps the ids that are Ed25519 keys. The list is never nil.
func keysOf(ids []peer.ID) []identity.PublicKey {
	keys := make([]identity.PublicKey, 0, len(ids))
	for _, id := range ids {
		if key, ok := keyOf(id); ok {
			keys = append(keys, key)
		}
	}
	return keys
}
