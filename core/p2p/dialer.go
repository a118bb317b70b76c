package p2p

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"
)

const (
	dialWorkers = 8
	dialQueue   = 256
	dialTimeout = 10 * time.Second
)

// dialer connects to peers that discovery found: a bounded queue, a few
// workers, no peer twice at once.
type dialer struct {
	net   host.Host
	swarm *swarm.Swarm
	log   *slog.Logger
	queue chan peer.AddrInfo

	mu      sync.Mutex
	pending map[peer.ID]bool
}

func newDialer(net host.Host, sw *swarm.Swarm, log *slog.Logger) *dialer {
	return &dialer{
		net: net, swarm: sw, log: log,
		queue: make(chan peer.AddrInfo, dialQueue), pending: map[peer.ID]bool{},
	}
}

// offer queues a peer unless it is ourselves, connected, queued already, or the
// queue is full: discovery finds it again.
func (d *dialer) offer(info peer.AddrInfo) {
	if info.ID == d.net.ID() || d.connected(info.ID) || len(info.Addrs) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pending[info.ID] {
		return
	}
	select {
	case d.queue <- info:
		d.pending[info.ID] = true
	default:
	}
}

func (d *dialer) connected(id peer.ID) bool {
	return d.swarm.Connectedness(id) == network.Connected
}

// work dials what is queued until ctx is done.
func (d *dialer) work(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case info := <-d.queue:
			if err := d.connect(ctx, info); err != nil {
				d.log.Debug("peer not reached", "peer", info.ID, "error", err)
			}
			d.mu.Lock()
			delete(d.pending, info.ID)
			d.mu.Unlock()
		}
	}
}

// connect dials now. libp2p holds back peers that failed before, up to minutes;
// our callers pace themselves, so that is cleared first.
func (d *dialer) connect(ctx context.Context, info peer.AddrInfo) error {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	d.swarm.Backoff().Clear(info.ID)
	return d.net.Connect(ctx, info)
}
