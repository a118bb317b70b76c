package p2p

import (
	"time"

	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/crypto"
	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	rcmgr "github.com/libp2p/go-libp2p/p2p/host/resource-manager"
	"github.com/libp2p/go-libp2p/p2p/net/connmgr"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	quic "github.com/libp2p/go-libp2p/p2p/transport/quic"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
	"github.com/libp2p/go-libp2p/x/rate"
	ma "github.com/multiformats/go-multiaddr"
)

// Connections are trimmed down to the low mark when they pass the high one.
// Pubsub protects those that carry a topic.
const (
	connectionsLow   = 160
	connectionsHigh  = 224
	connectionsGrace = 20 * time.Second
)

// newStack builds the libp2p host: identity, transports, limits. It does not
// listen yet, so that every protocol is in place before the first neighbour
// asks which ones there are.
func newStack(s settings, gate *gater, traffic *traffic) (host.Host, error) {
	key, err := crypto.UnmarshalEd25519PrivateKey(s.identity.PrivateKey())
	if err != nil {
		return nil, err
	}
	resources, err := newResources()
	if err != nil {
		return nil, err
	}
	connections, err := connmgr.NewConnManager(connectionsLow, connectionsHigh, connmgr.WithGracePeriod(connectionsGrace))
	if err != nil {
		return nil, err
	}
	options := []libp2p.Option{
		libp2p.Identity(key),
		libp2p.NoListenAddrs,
		libp2p.Security(noise.ID, noise.New),
		// Without SO_REUSEPORT: otherwise two processes could hold one port, the
		// entry port above all, and each would get half of the callers.
		libp2p.Transport(tcp.NewTCPTransport, tcp.DisableReuseport()),
		libp2p.ResourceManager(resources),
		libp2p.ConnectionManager(connections),
		libp2p.ConnectionGater(gate),
		libp2p.BandwidthReporter(traffic),
		libp2p.SwarmOpts(swarm.WithDialRanker(rankDials)),
		libp2p.EnableRelay(),
		libp2p.EnableHolePunching(),
		libp2p.UserAgent("intercom"),
		libp2p.ProtocolVersion("intercom/1"),
		libp2p.DisableMetrics(),
	}
	if s.psk != nil {
		options = append(options, libp2p.PrivateNetwork(s.psk))
	} else {
		options = append(options, libp2p.Transport(quic.NewTransport))
	}
	if s.entryPort != 0 {
		options = append(options, libp2p.AddrsFactory(hideEntry(s)))
	}
	return libp2p.New(options...)
}

// Connections and file descriptors of one host. Those that have not proven a key
// yet (transient) time out after 15 s: there is room for junk that long.
const (
	maxConnections = 1024
	maxTransient   = 1024
	maxFiles       = 2048
)

// newResources is libp2p's resource manager with its own limits for memory and
// streams, and wider ones for connections: several peers may share an address (a
// LAN, a NAT, one machine that is reached by its outer address).
func newResources() (network.ResourceManager, error) {
	defaults := rcmgr.DefaultLimits
	libp2p.SetDefaultServiceLimits(&defaults)
	limits := rcmgr.PartialLimitConfig{
		System:    rcmgr.ResourceLimits{Conns: maxConnections, ConnsInbound: maxConnections, FD: maxFiles},
		Transient: rcmgr.ResourceLimits{Conns: maxTransient, ConnsInbound: maxTransient, FD: maxTransient},
	}.Build(defaults.AutoScale())
	rates := &rate.Limiter{
		NetworkPrefixLimits: []rate.PrefixLimit{
			{Prefix: loopback4, Limit: rate.Limit{}},
			{Prefix: loopback6, Limit: rate.Limit{}},
		},
		SubnetRateLimiter: rate.SubnetLimiter{
			IPv4SubnetLimits: []rate.SubnetLimit{{PrefixLength: 32, Limit: rate.Limit{RPS: 4, Burst: 128}}},
			IPv6SubnetLimits: []rate.SubnetLimit{{PrefixLength: 56, Limit: rate.Limit{RPS: 4, Burst: 128}}},
			GracePeriod:      time.Minute,
		},
	}
	return rcmgr.NewResourceManager(rcmgr.NewFixedLimiter(limits),
		rcmgr.WithMetricsDisabled(),
		rcmgr.WithConnRateLimiters(rates),
		rcmgr.WithLimitPerSubnet(
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 32, ConnCount: 64}},
			[]rcmgr.ConnLimitPerSubnet{{PrefixLength: 56, ConnCount: 64}, {PrefixLength: 48, ConnCount: 256}},
		))
}

// hideEntry keeps the entry port out of the addresses that we sign: it belongs
// to whoever holds it, not to us. A port that was also named by Listen stays.
func hideEntry(s settings) func([]ma.Multiaddr) []ma.Multiaddr {
	entry := entryAddr(s.entryPort)
	for _, l := range s.listen {
		if port, err := l.addr.ValueForProtocol(ma.P_TCP); err == nil && port == entry[1].Value() {
			return func(addrs []ma.Multiaddr) []ma.Multiaddr { return addrs }
		}
	}
	return func(addrs []ma.Multiaddr) []ma.Multiaddr {
		return ma.FilterAddrs(addrs, func(a ma.Multiaddr) bool { return !a.Equal(entry) })
	}
}
