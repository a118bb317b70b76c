package p2p

import (
	"context"
	"log/slog"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/discovery/mdns"
)

// mdnsService is the name under which peers look for each other by multicast.
const mdnsService = "_intercom._udp"

// mdnsFinder hands to the dialer whom multicast DNS finds on the local network.
type mdnsFinder struct{ dialer *dialer }

// HandlePeerFound is called by libp2p's mDNS service. Names are not resolved:
// an announcement is not signed.
func (f mdnsFinder) HandlePeerFound(info peer.AddrInfo) {
	info.Addrs = dialable(info.Addrs)
	f.dialer.offer(info)
}

// runMDNS announces and looks for peers until ctx is done. A machine without
// multicast is no error.
func runMDNS(ctx context.Context, net host.Host, d *dialer, log *slog.Logger) {
	service := mdns.NewMdnsService(net, mdnsService, mdnsFinder{d})
	defer service.Close()
	if err := service.Start(); err != nil {
		log.Warn("no peers are looked for on the local network", "error", err)
		return
	}
	<-ctx.Done()
}
