package p2p

import (
	"maps"
	"sync"
	"time"

	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
)

// Bytes of frames that may wait for Check.
const (
	intakeTotal     = 64 << 20 // in one host
	intakeNeighbour = 16 << 20 // from one neighbour, so that it cannot crowd out the others
	frameOverhead   = 512      // what a waiting frame costs beside its data
)

// intake bounds the bytes that wait for Check; pubsub itself bounds only their
// number. It sees every frame before pubsub does, and is told what became of it:
// each admitted frame is later reported exactly once as a duplicate, as refused
// before validation, or as entering validation. Frames of topics that are not
// joined are never reported and therefore taken out first.
//
// It implements pubsub.RawTracer.
type intake struct {
	count *frameCounters

	mu      sync.Mutex
	joined  map[string]bool // as pubsub's own loop sees it
	total   int
	waiting map[peer.ID]int
	muted   map[peer.ID]time.Time // until when
}

var _ pubsub.RawTracer = (*intake)(nil)

func newIntake(count *frameCounters) *intake {
	return &intake{count: count, joined: map[string]bool{}, waiting: map[peer.ID]int{}, muted: map[peer.ID]time.Time{}}
}

// maxMuted bounds the neighbours that are muted at once; more are heard.
const maxMuted = 4096

// Mute drops the frames of a neighbour unseen until a moment, before anything of
// them is looked at. It says so to nobody, and other protocols go on.
func (h *Host) Mute(key identity.PublicKey, until time.Time) {
	h.gossip.intake.mute(peerOf(key), time.Now(), until)
}

func (in *intake) mute(id peer.ID, now, until time.Time) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if len(in.muted) >= maxMuted {
		maps.DeleteFunc(in.muted, func(_ peer.ID, until time.Time) bool { return !now.Before(until) })
	}
	if len(in.muted) < maxMuted {
		in.muted[id] = until
	}
}

// isMuted forgets what is over; the caller holds mu.
func (in *intake) isMuted(id peer.ID) bool {
	until, muted := in.muted[id]
	if muted && !time.Now().Before(until) {
		delete(in.muted, id)
		return false
	}
	return muted
}

func frameCost(m *pb.Message) int { return len(m.GetData()) + frameOverhead }

// inspect takes out of an arriving packet what there is no room for. It runs in
// pubsub's loop and never refuses the packet: that would lose its control part.
func (in *intake) inspect(from peer.ID, packet *pubsub.RPC) error {
	if len(packet.Publish) == 0 {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.isMuted(from) {
		in.count.droppedIn.Add(uint64(len(packet.Publish)))
		packet.Publish = nil
		return nil
	}
	admitted := packet.Publish[:0]
	for _, m := range packet.Publish {
		if !in.joined[m.GetTopic()] {
			continue
		}
		cost := frameCost(m)
		if in.total+cost > intakeTotal || in.waiting[from]+cost > intakeNeighbour {
			in.count.droppedIn.Add(1)
			continue
		}
		in.total += cost
		in.waiting[from] += cost
		admitted = append(admitted, m)
	}
	packet.Publish = admitted
	return nil
}

// settle gives back the room of a frame that waits no longer.
func (in *intake) settle(m *pubsub.Message) {
	in.mu.Lock()
	defer in.mu.Unlock()
	cost := frameCost(m.Message)
	in.total -= cost
	if in.waiting[m.ReceivedFrom] -= cost; in.waiting[m.ReceivedFrom] <= 0 {
		delete(in.waiting, m.ReceivedFrom)
	}
}

// Join and Leave follow pubsub's own view of what is joined.
func (in *intake) Join(topic string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.joined[topic] = true
}

// Leave is the opposite of Join.
func (in *intake) Leave(topic string) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.joined, topic)
}

// ValidateMessage: the frame leaves the queue and goes to Check.
func (in *intake) ValidateMessage(m *pubsub.Message) { in.settle(m) }

// DuplicateMessage: the frame was known already.
func (in *intake) DuplicateMessage(m *pubsub.Message) { in.settle(m) }

// RejectMessage: the frame was refused, by Check (then ValidateMessage came
// before) or earlier.
func (in *intake) RejectMessage(m *pubsub.Message, reason string) {
	switch reason {
	case pubsub.RejectValidationFailed, pubsub.RejectValidationIgnored, pubsub.RejectValidationThrottled:
		return
	case pubsub.RejectValidationQueueFull:
		in.count.droppedIn.Add(1)
	default:
		in.count.malformed.Add(1)
	}
	in.settle(m)
}

// DropRPC: the queue towards a neighbour was full.
func (in *intake) DropRPC(packet *pubsub.RPC, _ peer.ID) {
	in.count.droppedOut.Add(uint64(len(packet.Publish)))
}

func (in *intake) OnNewOutboundStream(peer.ID, protocol.ID) {}
func (in *intake) OnClosedOutboundStream(peer.ID)           {}
func (in *intake) Graft(peer.ID, string)                    {}
func (in *intake) Prune(peer.ID, string)                    {}
func (in *intake) DeliverMessage(*pubsub.Message)           {}
func (in *intake) ThrottlePeer(peer.ID)                     {}
func (in *intake) RecvRPC(*pubsub.RPC)                      {}
func (in *intake) SendRPC(*pubsub.RPC, peer.ID)             {}
func (in *intake) UndeliverableMessage(*pubsub.Message)     {}
