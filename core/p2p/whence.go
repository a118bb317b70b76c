package p2p

import (
	"intercom/core/identity"

	manet "github.com/multiformats/go-multiaddr/net"
)

// Address gives the IP address that a connected peer comes from; "" for one that
// is not connected, or that runs on this machine. Peers behind one router share
// it.
func (h *Host) Address(key identity.PublicKey) string {
	for _, conn := range h.net.Network().ConnsToPeer(peerOf(key)) {
		ip, err := manet.ToIP(conn.RemoteMultiaddr())
		if err != nil || ip.IsLoopback() {
			continue
		}
		return ip.String()
	}
	return ""
}
