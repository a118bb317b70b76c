package p2p

import (
	"sync"

	"github.com/libp2p/go-libp2p/core/peer"

	pubsub "github.com/libp2p/go-libp2p-pubsub"
	pb "github.com/libp2p/go-libp2p-pubsub/pb"
)

// Bounds of what neighbours may make us remember about their topics.
const (
	neighbourTopics = 2048
	allTopics       = 1 << 16
)

// subscriptions bounds the topics that neighbours announce: pubsub remembers
// each of them, joined by us or not, because we may join it later. It keeps a
// count of its own, which forgets a neighbour when its announcements end.
//
// It implements pubsub.SubscriptionFilter.
type subscriptions struct {
	mu    sync.Mutex
	of    map[peer.ID]map[string]bool
	total int
}

func newSubscriptions() *subscriptions {
	return &subscriptions{of: map[peer.ID]map[string]bool{}}
}

// CanSubscribe is asked for our own topics, which [Host.Join] has checked.
func (s *subscriptions) CanSubscribe(string) bool { return true }

// FilterIncomingSubscriptions drops announcements beyond the bounds. It returns
// no error: pubsub would throw away the whole packet, frames included.
func (s *subscriptions) FilterIncomingSubscriptions(from peer.ID, subs []*pb.RPC_SubOpts) ([]*pb.RPC_SubOpts, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := subs[:0]
	for _, sub := range subs {
		topic := sub.GetTopicid()
		if topic == "" || len(topic) > maxTopic {
			continue
		}
		if sub.GetSubscribe() && !s.add(from, topic) {
			continue
		}
		if !sub.GetSubscribe() {
			s.remove(from, topic)
		}
		kept = append(kept, sub)
	}
	return kept, nil
}

func (s *subscriptions) add(from peer.ID, topic string) bool {
	topics := s.of[from]
	if topics[topic] {
		return true
	}
	if len(topics) >= neighbourTopics || s.total >= allTopics {
		return false
	}
	if topics == nil {
		topics = map[string]bool{}
		s.of[from] = topics
	}
	topics[topic] = true
	s.total++
	return true
}

func (s *subscriptions) remove(from peer.ID, topic string) {
	topics := s.of[from]
	if !topics[topic] {
		return
	}
	delete(topics, topic)
	s.total--
	if len(topics) == 0 {
		delete(s.of, from)
	}
}

// announced tells how many neighbours have each topic.
func (s *subscriptions) announced() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	counts := map[string]int{}
	for _, topics := range s.of {
		for topic := range topics {
			counts[topic]++
		}
	}
	return counts
}

// forget drops a neighbour that is gone; pubsub forgets its topics as well.
func (s *subscriptions) forget(id peer.ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.total -= len(s.of[id])
	delete(s.of, id)
}

var _ pubsub.SubscriptionFilter = (*subscriptions)(nil)
