package p2p

import (
	"net/netip"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

var (
	loopback4 = netip.MustParsePrefix("127.0.0.0/8")
	loopback6 = netip.MustParsePrefix("::1/128")
)

// How long a dial to a machine nearby waits for a better one to succeed.
const (
	lanDelay   = 10 * time.Millisecond
	nearQUIC   = 100 * time.Millisecond
	relayDelay = 500 * time.Millisecond
)

// rankDials orders the addresses of a peer. On loopback and in a LAN, TCP goes
// first: it costs a half to a fifth of QUIC there, and a killed process is
// noticed at once instead of after QUIC's idle time. Elsewhere libp2p's own
// order holds, QUIC first.
func rankDials(addrs []ma.Multiaddr) []network.AddrDelay {
	var ranked []network.AddrDelay
	var far, relayed []ma.Multiaddr
	for _, a := range addrs {
		switch {
		case isRelayed(a):
			relayed = append(relayed, a)
		case manet.IsIPLoopback(a):
			ranked = append(ranked, network.AddrDelay{Addr: a, Delay: nearDelay(a, 0)})
		case manet.IsPrivateAddr(a):
			ranked = append(ranked, network.AddrDelay{Addr: a, Delay: nearDelay(a, lanDelay)})
		default:
			far = append(far, a)
		}
	}
	if len(far) > 0 {
		ranked = append(ranked, swarm.DefaultDialRanker(far)...)
	}
	wait := relayDelay
	if len(ranked) == 0 {
		wait = 0
	}
	for _, a := range relayed {
		ranked = append(ranked, network.AddrDelay{Addr: a, Delay: wait})
	}
	slices.SortStableFunc(ranked, func(a, b network.AddrDelay) int { return int(a.Delay - b.Delay) })
	return ranked
}

func nearDelay(a ma.Multiaddr, delay time.Duration) time.Duration {
	if transportOf(a) == "tcp" {
		return delay
	}
	return delay + nearQUIC
}

func isRelayed(a ma.Multiaddr) bool {
	_, err := a.ValueForProtocol(ma.P_CIRCUIT)
	return err == nil
}
