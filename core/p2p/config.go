package p2p

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/pnet"
)

// maxSeeds bounds Config.DHTBootstrap: each entry is watched by a loop of its own.
const maxSeeds = 64

// maxBackbone bounds Config.Backbone: as many topics as neighbours can announce.
const maxBackbone = allTopics

// Config says who a host is and where it looks for others. Only Identity is
// required; the zero rest is a peer that listens on all interfaces and finds
// nobody by itself.
type Config struct {
	// Identity is the key of the host: other peers know it by its public part.
	Identity *identity.Identity

	// Listen lists where to listen: a multiaddr (/ip4/0.0.0.0/tcp/4001,
	// /ip4/0.0.0.0/udp/4001/quic-v1) or host:port, which means TCP and QUIC on
	// that port; an empty host means every interface. Empty: every interface,
	// ports chosen by the system.
	Listen []string

	// EntryPort is the TCP port of 127.0.0.1 where the peers of one machine
	// meet: one of them holds it, the others ask there. 0 turns this off.
	EntryPort int

	// MDNS looks for peers on the local network by multicast.
	MDNS bool

	// DHTBootstrap names entry points of the network: host:port (the key is
	// asked for) or a multiaddr, with or without /p2p/<peer id>. They are
	// dialled until they answer, and again whenever they are lost.
	DHTBootstrap []string

	// PublicDHT also meets peers over the public IPFS DHT, which shows them
	// this peer's addresses. Off: nothing beyond the entry points is dialled.
	PublicDHT bool

	// SwarmKey makes a private network: 32 bytes, or the text of a swarm.key
	// file. Only peers with the same key connect. QUIC is off then.
	SwarmKey []byte

	// Only connects to the entry points of DHTBootstrap and to nobody else, neither
	// way: EntryPort, MDNS and PublicDHT are off then.
	Only bool

	// Backbone is how many topics the host forwards of which it is no member,
	// learned from what its neighbours announce. 0: none.
	Backbone int

	// Log receives what goes on. nil: nothing is logged.
	Log *slog.Logger
}

// settings is a Config after parsing.
type settings struct {
	identity  *identity.Identity
	listen    []listenAddr
	entryPort int
	mdns      bool
	seeds     []seedAddr
	publicDHT bool
	only      bool
	backbone  int
	psk       pnet.PSK
	log       *slog.Logger
}

// settings parses all fields and reports all problems at once.
func (cfg Config) settings() (settings, error) {
	s := settings{
		identity: cfg.Identity, entryPort: cfg.EntryPort, mdns: cfg.MDNS,
		publicDHT: cfg.PublicDHT, only: cfg.Only, backbone: cfg.Backbone, log: cfg.Log,
	}
	if cfg.Only {
		s.entryPort, s.mdns, s.publicDHT = 0, false, false
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var problems []string
	note := func(err error) {
		if err != nil {
			problems = append(problems, err.Error())
		}
	}
	if cfg.Identity == nil {
		note(fmt.Errorf("a host needs an identity"))
	}
	if cfg.EntryPort < 0 || cfg.EntryPort > 65535 {
		note(fmt.Errorf("entry port %d is not between 0 and 65535", cfg.EntryPort))
	}
	if cfg.Only && len(cfg.DHTBootstrap) == 0 {
		note(fmt.Errorf("a host that connects only to its entry points needs one"))
	}
	if cfg.Backbone < 0 || cfg.Backbone > maxBackbone {
		note(fmt.Errorf("a backbone of %d topics is not between 0 and %d", cfg.Backbone, maxBackbone))
	}
	var err error
	s.psk, err = parseSwarmKey(cfg.SwarmKey)
	note(err)
	private := len(cfg.SwarmKey) > 0

	s.listen = defaultListen(private)
	if len(cfg.Listen) > 0 {
		s.listen = nil
	}
	for _, text := range cfg.Listen {
		addrs, err := parseListen(text, private)
		note(err)
		s.listen = append(s.listen, addrs...)
	}
	if len(cfg.DHTBootstrap) > maxSeeds {
		note(fmt.Errorf("%d bootstrap entries are more than %d", len(cfg.DHTBootstrap), maxSeeds))
	}
	for _, text := range cfg.DHTBootstrap {
		seed, err := parseSeed(text, private)
		note(err)
		s.seeds = append(s.seeds, seed)
	}
	if len(problems) > 0 {
		return settings{}, fault.New(fault.Invalid, "%s", strings.Join(problems, "; ")).
			WithHint("addresses are host:port or a multiaddr such as /ip4/127.0.0.1/tcp/4001")
	}
	return s, nil
}

// parseSwarmKey takes the 32 bytes themselves or the text of a swarm.key file.
func parseSwarmKey(raw []byte) (pnet.PSK, error) {
	switch {
	case len(raw) == 0:
		return nil, nil
	case len(raw) == 32:
		return bytes.Clone(raw), nil
	}
	psk, err := pnet.DecodeV1PSK(bytes.NewReader(raw))
	if err != nil || len(psk) != 32 {
		// The value is a secret: it is not shown.
		return nil, fmt.Errorf("the swarm key is neither 32 bytes nor the text of a swarm.key file")
	}
	return psk, nil
}
