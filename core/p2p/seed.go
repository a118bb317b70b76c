package p2p

import (
	"context"
	"log/slog"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	seedFirst = 250 * time.Millisecond
	seedMost  = 5 * time.Second
	seedWatch = time.Second // how often a connected entry point is looked at
)

// seed keeps one entry of Config.DHTBootstrap connected, for as long as the
// host runs. Whoever answers at a bare host:port is the entry point, also when
// that is somebody else after a restart.
type seed struct {
	at     seedAddr
	dialer *dialer
	gater  *gater
	psk    pnet.PSK
	log    *slog.Logger

	last peer.ID // who answered
}

func (s *seed) run(ctx context.Context) {
	failures := 0
	for {
		wait := seedWatch
		if s.last == "" || !s.dialer.connected(s.last) {
			switch err := s.meet(ctx); {
			case err != nil:
				wait = backoff(seedFirst, seedMost, failures)
				failures++
				s.log.Debug("entry point not reached", "entry", s.at.given, "error", err)
			case s.last == "": // ourselves
				wait = seedMost
			default:
				failures = 0
			}
		}
		if !pause(ctx, jitter(wait)) {
			return
		}
	}
}

// meet connects to whoever is there. Finding ourselves is no error: a list of
// entry points may be shared by all of them.
func (s *seed) meet(ctx context.Context) error {
	info := peer.AddrInfo{ID: s.at.id, Addrs: []ma.Multiaddr{s.at.addr}}
	if s.at.id == "" {
		var err error
		if info, err = prove(ctx, s.at.hostport, s.psk); err != nil {
			return err
		}
	}
	if info.ID == s.dialer.net.ID() {
		s.last = ""
		return nil
	}
	s.gater.allow(info.ID)
	if err := s.dialer.connect(ctx, info); err != nil {
		return err
	}
	s.last = info.ID
	return nil
}
