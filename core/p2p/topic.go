package p2p

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"intercom/core/fault"
	"intercom/core/identity"

	"github.com/libp2p/go-libp2p/core/peer"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
)

// Topic is a joined topic.
type Topic struct {
	name    string
	gossip  *gossip
	handler Handler
	topic   *pubsub.Topic
	members *pubsub.TopicEventHandler // nil without Handler.Member
	unrelay func()
	queue   *deliveries     // nil for a topic that is only relayed
	ctx     context.Context // ends with Leave
	stop    context.CancelFunc
	left    atomic.Bool
}

// Join makes the host a member of a topic: it gets the topic's frames and
// forwards what it accepts. A topic that is joined already is a conflict. The
// name has 1 to 256 bytes.
func (h *Host) Join(topic string, hd Handler) (*Topic, error) {
	if topic == "" || len(topic) > maxTopic {
		return nil, fault.New(fault.Invalid, "a topic's name has 1 to %d bytes, not %d", maxTopic, len(topic))
	}
	return h.gossip.join(topic, hd)
}

// join makes the host a member, also of a topic that it has only relayed.
func (g *gossip) join(name string, hd Handler) (*Topic, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if old := g.joined[name]; old != nil && old.queue == nil && !old.left.Swap(true) {
		delete(g.joined, name)
		if err := old.leave(); err != nil {
			return nil, err
		}
	}
	return g.enter(&Topic{name: name, gossip: g, handler: hd, queue: newDeliveries()})
}

// relay forwards a topic's frames without being a member. Its handler delivers
// nothing.
func (g *gossip) relay(name string, hd Handler) (*Topic, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.enter(&Topic{name: name, gossip: g, handler: hd})
}

// enter begins a topic. The caller holds mu.
func (g *gossip) enter(t *Topic) (*Topic, error) {
	if g.joined[t.name] != nil {
		return nil, fault.New(fault.Conflict, "topic %q is joined already", t.name)
	}
	if g.ended {
		return nil, errClosed()
	}
	t.ctx, t.stop = context.WithCancel(g.ctx)
	if err := t.enter(); err != nil {
		t.leave()
		return nil, fmt.Errorf("topic %q: %w", t.name, err)
	}
	g.joined[t.name] = t
	if t.queue != nil {
		g.loops.Go(t.deliver)
	}
	if t.members != nil {
		g.loops.Go(t.watchMembers)
	}
	return t, nil
}

// enter registers the topic with pubsub: first the check, then the membership,
// so that no frame passes unchecked. It is a relay and no subscriber, because
// frames go to our own queue straight from the check.
func (t *Topic) enter() (err error) {
	engine := t.gossip.engine
	if t.topic, err = engine.Join(t.name); err != nil {
		return err
	}
	if err = engine.RegisterTopicValidator(t.name, t.check, pubsub.WithValidatorInline(true)); err != nil {
		return err
	}
	if t.handler.Member != nil {
		if t.members, err = t.topic.EventHandler(); err != nil {
			return err
		}
	}
	cancel, err := t.topic.Relay()
	t.unrelay = cancel
	return err
}

// leave undoes enter, as far as it came, in the opposite order.
func (t *Topic) leave() error {
	t.stop()
	if t.unrelay != nil {
		t.unrelay()
	}
	if t.members != nil {
		t.members.Cancel()
	}
	if t.topic == nil || t.gossip.ctx.Err() != nil {
		return nil // the engine is gone, and everything with it
	}
	t.gossip.engine.UnregisterTopicValidator(t.name) // fails only if enter stopped before
	if err := t.topic.Close(); err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("leaving topic %q: %w", t.name, err)
	}
	return nil
}

// Leave ends the membership; frames that wait for Deliver are dropped. A Check
// or Deliver that is running may end after Leave returns, and may itself call
// Leave. Leaving twice does nothing. The topic can be joined again.
func (t *Topic) Leave() error {
	t.gossip.mu.Lock()
	defer t.gossip.mu.Unlock()
	if t.left.Swap(true) {
		return nil
	}
	delete(t.gossip.joined, t.name)
	return t.leave()
}

// Publish hands a frame to every connected member of the topic. nil means that
// it was handed to the queues of those that [Topic.Peers] lists, not that anyone
// has it. The bytes must not be changed afterwards; equal bytes within two
// minutes are one frame and not sent again. More than [MaxMessage] bytes are
// refused.
func (t *Topic) Publish(data []byte) error {
	if len(data) > MaxMessage {
		return fault.New(fault.Invalid, "a frame of %d bytes is longer than %d", len(data), MaxMessage).
			WithHint("send less at once, or send a reference")
	}
	if t.left.Load() {
		return fault.New(fault.NotFound, "topic %q is not joined any more", t.name).WithHint("join it again")
	}
	if err := t.topic.Publish(t.ctx, data); err != nil {
		switch {
		case t.gossip.ctx.Err() != nil:
			return errClosed()
		case t.ctx.Err() != nil:
			return fault.New(fault.NotFound, "topic %q is not joined any more", t.name).WithHint("join it again")
		}
		return fmt.Errorf("publishing on %q: %w", t.name, err)
	}
	t.gossip.count.published.Add(1)
	return nil
}

// Peers lists the connected neighbours that are members of the topic.
func (t *Topic) Peers() []identity.PublicKey {
	if t.left.Load() {
		return keysOf(nil)
	}
	return keysOf(t.topic.ListPeers())
}

// check runs Check in pubsub's only validation worker.
func (t *Topic) check(_ context.Context, from peer.ID, msg *pubsub.Message) pubsub.ValidationResult {
	if from == t.gossip.self {
		return pubsub.ValidationAccept
	}
	key, ok := keyOf(from)
	if !ok || t.left.Load() {
		return pubsub.ValidationIgnore
	}
	m := &Message{From: key, Data: msg.GetData()}
	switch t.judge(m) {
	case Accept:
		if t.queue != nil && !t.queue.put(m) {
			t.gossip.count.droppedDeliver.Add(1)
		}
		return pubsub.ValidationAccept
	case Reject:
		t.gossip.count.rejected.Add(1)
		return pubsub.ValidationReject
	default:
		t.gossip.count.ignored.Add(1)
		return pubsub.ValidationIgnore
	}
}

func (t *Topic) judge(m *Message) (v Verdict) {
	if len(m.Data) > MaxMessage {
		return Reject
	}
	if t.handler.Check == nil {
		return Accept
	}
	defer t.contain("check", func() { v = Ignore })
	return t.handler.Check(m)
}

// deliver runs Deliver until the topic is left.
func (t *Topic) deliver() {
	for {
		m, ok := t.queue.next(t.ctx)
		if !ok {
			return
		}
		t.hand(m)
	}
}

func (t *Topic) hand(m *Message) {
	defer t.contain("deliver", nil)
	if t.handler.Deliver != nil {
		t.handler.Deliver(m)
	}
	t.gossip.count.delivered.Add(1)
}

// watchMembers runs Member until the topic is left.
func (t *Topic) watchMembers() {
	for {
		event, err := t.members.NextPeerEvent(t.ctx)
		if err != nil {
			return
		}
		if key, ok := keyOf(event.Peer); ok {
			t.tellMember(key, event.Type == pubsub.PeerJoin)
		}
	}
}

func (t *Topic) tellMember(key identity.PublicKey, joined bool) {
	defer t.contain("member", nil)
	t.handler.Member(key, joined)
}

// contain stops a panic of a handler at the frame that caused it.
func (t *Topic) contain(where string, then func()) {
	if cause := recover(); cause != nil {
		t.gossip.count.panicked.Add(1)
		t.gossip.log.Error("handler of a topic panicked", "topic", t.name, "in", where, "panic", cause)
		if then != nil {
			then()
		}
	}
}
