package p2p

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
)

// listenAddr is one place to listen at.
type listenAddr struct {
	addr     ma.Multiaddr
	given    string // as the user wrote it
	optional bool   // the machine may lack it (IPv6)
}

// defaultListen is every interface, ports chosen by the system. Private
// networks have no QUIC: libp2p cannot protect it with a swarm key.
func defaultListen(private bool) []listenAddr {
	addrs, err := parseListen(":0", private)
	if err != nil {
		panic(err) // a constant of ours does not parse
	}
	return addrs
}

// parseListen reads one entry of Config.Listen.
func parseListen(text string, private bool) ([]listenAddr, error) {
	if strings.HasPrefix(text, "/") {
		return parseListenMultiaddr(text, private)
	}
	host, port, err := splitHostPort(text)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %v", text, err)
	}
	switch host {
	case "":
		v4 := listenOn(netip.IPv4Unspecified(), port, text, private)
		v6 := listenOn(netip.IPv6Unspecified(), port, text, private)
		for i := range v6 {
			v6[i].optional = true
		}
		return append(v4, v6...), nil
	case "localhost":
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || ip.Zone() != "" {
		return nil, fmt.Errorf("listen address %q: %q is not an IP address of this machine", text, host)
	}
	return listenOn(ip.Unmap(), port, text, private), nil
}

// listenOn gives TCP and, where it is possible, QUIC on one address and port.
func listenOn(ip netip.Addr, port uint16, given string, private bool) []listenAddr {
	family := "ip4"
	if ip.Is6() {
		family = "ip6"
	}
	addrs := []listenAddr{{addr: ma.StringCast(fmt.Sprintf("/%s/%s/tcp/%d", family, ip, port)), given: given}}
	if !private {
		quic := ma.StringCast(fmt.Sprintf("/%s/%s/udp/%d/quic-v1", family, ip, port))
		addrs = append(addrs, listenAddr{addr: quic, given: given})
	}
	return addrs
}

func parseListenMultiaddr(text string, private bool) ([]listenAddr, error) {
	addr, err := ma.NewMultiaddr(text)
	if err != nil {
		return nil, fmt.Errorf("listen address %q: %v", text, err)
	}
	switch kind := transportOf(addr); {
	case kind == "quic" && private:
		return nil, fmt.Errorf("listen address %q: QUIC is off in a private network", text)
	case kind != "tcp" && kind != "quic", !startsWithIP(addr):
		return nil, fmt.Errorf("listen address %q is neither /ip…/tcp/… nor /ip…/udp/…/quic-v1", text)
	}
	return []listenAddr{{addr: addr, given: text}}, nil
}

// seedAddr is one entry of Config.DHTBootstrap: a known peer at an address, or
// a TCP endpoint whose key is asked for.
type seedAddr struct {
	given    string
	id       peer.ID      // "" = ask
	addr     ma.Multiaddr // with id
	hostport string       // without id
}

// parseSeed reads one entry of Config.DHTBootstrap.
func parseSeed(text string, private bool) (seedAddr, error) {
	seed := seedAddr{given: text}
	if !strings.HasPrefix(text, "/") {
		host, port, err := splitHostPort(text)
		if err == nil && (host == "" || port == 0) {
			err = fmt.Errorf("both host and port are needed")
		}
		if err != nil {
			return seed, fmt.Errorf("bootstrap entry %q: %v", text, err)
		}
		seed.hostport = net.JoinHostPort(host, strconv.Itoa(int(port)))
		return seed, nil
	}
	addr, err := ma.NewMultiaddr(text)
	if err != nil {
		return seed, fmt.Errorf("bootstrap entry %q: %v", text, err)
	}
	seed.addr, seed.id = peer.SplitAddr(addr)
	if seed.id != "" {
		if _, ok := keyOf(seed.id); !ok {
			return seed, fmt.Errorf("bootstrap entry %q: %s is not the id of an ed25519 key", text, seed.id)
		}
	}
	kind := transportOf(seed.addr)
	switch {
	case kind == "quic" && private:
		return seed, fmt.Errorf("bootstrap entry %q: QUIC is off in a private network", text)
	case kind == "quic" && seed.id == "":
		return seed, fmt.Errorf("bootstrap entry %q needs /p2p/<peer id>: a key can be asked for over TCP only", text)
	case kind != "tcp" && kind != "quic":
		return seed, fmt.Errorf("bootstrap entry %q is neither …/tcp/… nor …/udp/…/quic-v1", text)
	case seed.id != "":
		return seed, nil
	}
	if _, seed.hostport, err = manet.DialArgs(seed.addr); err != nil {
		return seed, fmt.Errorf("bootstrap entry %q: %v", text, err)
	}
	return seed, nil
}

// splitHostPort is net.SplitHostPort with a numeric port.
func splitHostPort(text string) (string, uint16, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return "", 0, fmt.Errorf("it is not host:port")
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("port %q is not between 0 and 65535", port)
	}
	return host, uint16(number), nil
}

// transportOf names what a multiaddr without peer id leads over: "tcp", "quic",
// or "" for anything else (relays, browser transports, broken ones).
func transportOf(addr ma.Multiaddr) string {
	names := make([]string, 0, 4)
	for _, part := range addr {
		names = append(names, part.Protocol().Name)
	}
	if len(names) == 0 {
		return ""
	}
	switch names[0] {
	case "ip4", "ip6", "dns", "dns4", "dns6":
	default:
		return ""
	}
	switch strings.Join(names[1:], "/") {
	case "tcp":
		return "tcp"
	case "udp/quic-v1":
		return "quic"
	}
	return ""
}

// startsWithIP is false for names.
func startsWithIP(addr ma.Multiaddr) bool {
	code := addr[0].Protocol().Code
	return code == ma.P_IP4 || code == ma.P_IP6
}
