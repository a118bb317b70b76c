package p2p

import (
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/metrics"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
)

// Stats is a snapshot of a host. Counters begin at zero with [Listen].
type Stats struct {
	Peers       int    `json:"peers"`       // connected neighbours of our network
	Connections int    `json:"connections"` // open connections; a neighbour may have two
	BytesIn     uint64 `json:"bytes_in"`    // on all streams, before encryption
	BytesOut    uint64 `json:"bytes_out"`
	EntryPort   bool   `json:"entry_port"` // this host holds the entry port
	Topics      int    `json:"topics"`     // joined
	Backbone    int    `json:"backbone"`   // topics relayed for others
	Frames      Frames `json:"frames"`
}

// Frames counts what happened to the frames of all topics.
type Frames struct {
	Published uint64 `json:"published"` // handed to the network by us
	Delivered uint64 `json:"delivered"` // handed to Deliver
	Ignored   uint64 `json:"ignored"`   // by Check's verdict
	Rejected  uint64 `json:"rejected"`  // by Check's verdict
	Relayed   uint64 `json:"relayed"`   // on topics of which this host is no member
	Panicked  uint64 `json:"panicked"`  // in Check or Deliver: a bug of ours
	Malformed uint64 `json:"malformed"` // with a pubsub signature or author, which we do not use

	DroppedIn      uint64 `json:"dropped_in"`      // before Check: the queue of the host, or of one neighbour, was full
	DroppedDeliver uint64 `json:"dropped_deliver"` // after Accept: Deliver was too slow
	DroppedOut     uint64 `json:"dropped_out"`     // the queue towards a neighbour was full; one per neighbour
}

// frameCounters is Frames while it counts.
type frameCounters struct {
	published, delivered, ignored, rejected, relayed, panicked, malformed atomic.Uint64
	droppedIn, droppedDeliver, droppedOut                                 atomic.Uint64
}

func (c *frameCounters) snapshot() Frames {
	return Frames{
		Published: c.published.Load(), Delivered: c.delivered.Load(),
		Ignored: c.ignored.Load(), Rejected: c.rejected.Load(), Relayed: c.relayed.Load(),
		Panicked: c.panicked.Load(), Malformed: c.malformed.Load(),
		DroppedIn: c.droppedIn.Load(), DroppedDeliver: c.droppedDeliver.Load(), DroppedOut: c.droppedOut.Load(),
	}
}

// Stats counts what the host holds and what it did.
func (h *Host) Stats() Stats {
	joined, relayed := h.gossip.topics()
	return Stats{
		Peers:       len(h.Peers()),
		Connections: len(h.net.Network().Conns()),
		BytesIn:     h.traffic.in.Load(),
		BytesOut:    h.traffic.out.Load(),
		EntryPort:   h.entry != nil && h.entry.held.Load(),
		Topics:      joined,
		Backbone:    relayed,
		Frames:      h.gossip.count.snapshot(),
	}
}

// traffic counts bytes. libp2p's own counter keeps a global sweeping goroutine
// for rates that nobody asks for; this one is two numbers.
type traffic struct{ in, out atomic.Uint64 }

var _ metrics.Reporter = (*traffic)(nil)

func (t *traffic) LogSentMessage(size int64)                             { t.out.Add(uint64(size)) }
func (t *traffic) LogRecvMessage(size int64)                             { t.in.Add(uint64(size)) }
func (t *traffic) LogSentMessageStream(int64, protocol.ID, peer.ID)      {}
func (t *traffic) LogRecvMessageStream(int64, protocol.ID, peer.ID)      {}
func (t *traffic) GetBandwidthForPeer(peer.ID) metrics.Stats             { return metrics.Stats{} }
func (t *traffic) GetBandwidthForProtocol(protocol.ID) metrics.Stats     { return metrics.Stats{} }
func (t *traffic) GetBandwidthByPeer() map[peer.ID]metrics.Stats         { return nil }
func (t *traffic) GetBandwidthByProtocol() map[protocol.ID]metrics.Stats { return nil }
func (t *traffic) Reset()                                                {}
func (t *traffic) TrimIdle(time.Time)                                    {}

func (t *traffic) GetBandwidthTotals() metrics.Stats {
	return metrics.Stats{TotalIn: int64(t.in.Load()), TotalOut: int64(t.out.Load())}
}
