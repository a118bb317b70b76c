package p2p

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/pnet"
	ma "github.com/multiformats/go-multiaddr"
)

const (
	entryEvery   = time.Second      // how often a free entry port is tried
	entryConfirm = 15 * time.Second // how often it is asked anew who holds it
)

// entryPort is where the peers of one machine meet: a TCP port of 127.0.0.1 that
// one of them holds as a further listener. Everyone else asks there who that is
// and connects; a port that became free is taken by whoever comes first.
type entryPort struct {
	port   int
	addr   ma.Multiaddr
	dialer *dialer
	psk    pnet.PSK
	log    *slog.Logger

	held   atomic.Bool
	holder peer.ID   // who proved to hold it
	asked  time.Time // when it did
}

func entryAddr(port int) ma.Multiaddr {
	return ma.StringCast(fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port))
}

// run keeps the machine together until ctx is done.
func (e *entryPort) run(ctx context.Context) {
	for {
		if e.step(ctx, time.Now()) {
			return // held until the host closes
		}
		if !pause(ctx, jitter(entryEvery)) {
			return
		}
	}
}

// step takes the port when it is free, otherwise meets its holder. It is true
// once the port is ours.
func (e *entryPort) step(ctx context.Context, now time.Time) bool {
	if e.held.Load() {
		return true
	}
	if err := e.dialer.swarm.AddListenAddr(e.addr); err == nil {
		e.held.Store(true)
		e.log.Info("this peer is the machine's entry point", "port", e.port)
		return true
	}
	self := e.dialer.net.ID() // our own Listen may cover the port
	if (e.holder == self || e.dialer.connected(e.holder)) && now.Sub(e.asked) < entryConfirm {
		return false
	}
	info, err := prove(ctx, fmt.Sprintf("127.0.0.1:%d", e.port), e.psk)
	if err != nil {
		// Not a peer of ours, or one that goes or comes just now.
		e.log.Debug("the entry port does not answer", "port", e.port, "error", err)
		return false
	}
	e.holder, e.asked = info.ID, now
	if info.ID != self && !e.dialer.connected(info.ID) {
		if err := e.dialer.connect(ctx, info); err != nil {
			e.log.Debug("the holder of the entry port was not reached", "peer", info.ID, "error", err)
		}
	}
	return false
}

// pause sleeps; false when ctx ended it.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
