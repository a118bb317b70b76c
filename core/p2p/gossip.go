package p2p

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"log/slog"
	"sync"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
)

// MaxMessage is the greatest frame that a topic carries, in bytes.
const MaxMessage = 1_200_000

// maxTopic is the longest name of a topic, in bytes.
const maxTopic = 256

// Limits of the pubsub engine. Queues are deep so that a burst is not lost; the
// bytes that may wait are bounded by the intake.
const (
	wireSlack     = 4096 // a frame's topic and framing on the wire
	outboundQueue = 4096 // messages towards one neighbour
	checkQueue    = 4096 // messages that wait for Check
	heartbeat     = 500 * time.Millisecond
)

// gossipProtocol is ours: the public gossipsub networks allow smaller messages.
const gossipProtocol = protocol.ID("/intercom/gossip/1")

// gossip is the pubsub engine of a host and the topics that it has joined.
type gossip struct {
	ctx    context.Context // of the host: when it ends, the engine ends
	self   peer.ID
	engine *pubsub.PubSub
	intake *intake
	subs   *subscriptions
	count  frameCounters
	log    *slog.Logger
	loops  *sync.WaitGroup // the host's: it waits for the goroutines of topics

	mu     sync.Mutex
	joined map[string]*Topic
	ended  bool
}

// newGossip starts the engine; it ends with ctx. Frames carry no signature of
// pubsub's: ours are signed inside, and a second signature costs five times the
// latency.
func newGossip(ctx context.Context, net host.Host, loops *sync.WaitGroup, log *slog.Logger) (*gossip, error) {
	g := &gossip{ctx: ctx, self: net.ID(), log: log, loops: loops, subs: newSubscriptions(), joined: map[string]*Topic{}}
	g.intake = newIntake(&g.count)
	var err error
	g.engine, err = pubsub.NewGossipSub(ctx, net,
		pubsub.WithGossipSubProtocols([]protocol.ID{gossipProtocol}, hasFeature),
		pubsub.WithGossipSubParams(gossipParams()),
		pubsub.WithMessageSignaturePolicy(pubsub.StrictNoSign),
		pubsub.WithNoAuthor(),
		pubsub.WithMessageIdFn(messageID),
		pubsub.WithFloodPublish(true),
		pubsub.WithMaxMessageSize(MaxMessage+wireSlack),
		pubsub.WithPeerOutboundQueueSize(outboundQueue),
		pubsub.WithValidateQueueSize(checkQueue),
		pubsub.WithValidateWorkers(1), // one: frames keep their order
		pubsub.WithAppSpecificRpcInspector(g.intake.inspect),
		pubsub.WithSubscriptionFilter(g.subs),
		pubsub.WithRawTracer(g.intake),
	)
	return g, err
}

// hasFeature: our protocol has all of gossipsub 1.2, without peer exchange
// (signed records are exchanged on a protocol of their own).
func hasFeature(feature pubsub.GossipSubFeature, id protocol.ID) bool {
	return id == gossipProtocol &&
		(feature == pubsub.GossipSubFeatureMesh || feature == pubsub.GossipSubFeatureIdontwant)
}

// gossipParams are gossipsub's own with a heartbeat of half a second, so that a
// newcomer becomes part of the mesh sooner. What counts heartbeats is doubled.
func gossipParams() pubsub.GossipSubParams {
	p := pubsub.DefaultGossipSubParams()
	p.HeartbeatInterval = heartbeat
	p.HistoryLength *= 2
	p.HistoryGossip *= 2
	p.IDontWantMessageTTL *= 2
	// Who leaves a topic and joins again must not stay out of the mesh for long.
	p.UnsubscribeBackoff = time.Second
	return p
}

// messageID names a frame by its topic and bytes. The topic belongs to it: a
// frame thrown at another topic, where it is refused, must not make the real one
// look like a repetition.
func messageID(m *pb.Message) string {
	hash := sha256.New()
	var size [4]byte
	binary.BigEndian.PutUint32(size[:], uint32(len(m.GetTopic())))
	hash.Write(size[:])
	hash.Write([]byte(m.GetTopic()))
	hash.Write(m.GetData())
	return string(hash.Sum(nil))
}

// end refuses topics from now on; a join under way has ended when it returns.
func (g *gossip) end() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ended = true
}

// forget drops what a lost neighbour announced.
func (g *gossip) forget(id peer.ID) { g.subs.forget(id) }

// topics counts those that the host is a member of, and those that it relays.
func (g *gossip) topics() (joined, relayed int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, t := range g.joined {
		if t.queue == nil {
			relayed++
		}
	}
	return len(g.joined) - relayed, relayed
}

func (g *gossip) isMember(topic string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.joined[topic]
	return t != nil && t.queue != nil
}
