package msb

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/core/p2p"
)

// servers are the peers that a light client asks: whoever is connected and
// speaks the protocol, those who answered before first. Nobody has to be
// trusted; one that lies is asked no more while this process lives.
type servers struct {
	net    Network
	always []identity.PublicKey // asked also while not connected

	mu    sync.Mutex
	known map[identity.PublicKey]server
}

// server is what is known of one peer.
type server struct {
	speaks bool
	later  time.Time // not to be asked before, unless there is nobody else
	lied   bool
	places chan struct{} // taken by the questions under way
}

const (
	// deferral is how long a peer that did not open a stream is not asked again: it
	// does not speak the protocol, or went. One that comes back is asked at once.
	deferral = 5 * time.Minute
	// maxTried is how many peers of whom nothing is known are asked at a time, when
	// others are known to answer.
	maxTried = 2
	// maxQuestions is how many questions one peer is asked at a time: a host answers
	// 32 streams of one peer, and other protocols need some.
	maxQuestions = 16
	// maxServers bounds what is remembered; peers come and go.
	maxServers = 1024
)

func newServers(net Network) *servers {
	return &servers{net: net, known: map[identity.PublicKey]server{}}
}

// list gives the servers to ask now, the best first.
func (s *servers) list() []bft.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	var speak, fresh, rest []identity.PublicKey
	for _, key := range s.candidates() {
		switch at := s.known[key]; {
		case at.lied:
		case at.speaks:
			speak = append(speak, key)
		case time.Now().Before(at.later):
			rest = append(rest, key)
		default:
			fresh = append(fresh, key)
		}
	}
	if len(speak) > 0 { // those who may speak it are tried beside those who do
		fresh = fresh[:min(len(fresh), maxTried)]
	}
	ask := slices.Concat(speak, fresh)
	if len(ask) == 0 {
		ask = rest
	}
	list := []bft.Server{}
	for _, key := range ask {
		list = append(list, s.server(key))
	}
	return list
}

func (s *servers) candidates() []identity.PublicKey {
	keys := s.net.Peers()
	for _, key := range s.always {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// server opens a stream for each question, and learns from how that goes.
func (s *servers) server(key identity.PublicKey) bft.Server {
	return bft.Server{Name: key.String(), Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
		places := s.places(key)
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		leave := sync.OnceFunc(func() { <-places })
		stream, err := s.net.Open(ctx, key, ChainProtocol)
		s.note(key, func(at *server) {
			if at.speaks = err == nil; err != nil {
				at.later = time.Now().Add(deferral)
			}
		})
		if err != nil {
			leave()
			return nil, err
		}
		if end, ok := ctx.Deadline(); ok {
			_ = stream.SetDeadline(end)
		}
		return question{stream, leave}, nil
	}}
}

// question is a stream that holds a place until it is closed.
type question struct {
	p2p.Stream
	leave func()
}

// Close closes the stream and gives the place to another question.
func (q question) Close() error {
	defer q.leave()
	return q.Stream.Close()
}

// places are those of the questions to one peer.
func (s *servers) places(key identity.PublicKey) (places chan struct{}) {
	s.note(key, func(at *server) {
		if at.places == nil {
			at.places = make(chan struct{}, maxQuestions)
		}
		places = at.places
	})
	return places
}

// drop asks a peer no more.
func (s *servers) drop(name string) {
	if key, err := identity.ParsePublicKey(name); err == nil {
		s.note(key, func(at *server) { at.lied = true })
	}
}

func (s *servers) note(key identity.PublicKey, change func(*server)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, known := s.known[key]
	if !known && len(s.known) >= maxServers {
		s.forget()
	}
	change(&at)
	s.known[key] = at
}

// forget drops one that need not be remembered: not a liar, if there is another.
func (s *servers) forget() {
	var last identity.PublicKey
	for key, at := range s.known {
		if last = key; !at.lied {
			break
		}
	}
	delete(s.known, last)
}

// speaking counts the connected peers that answered.
func (s *servers) speaking() (count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, key := range s.net.Peers() {
		if at := s.known[key]; at.speaks && !at.lied {
			count++
		}
	}
	return count
}

// back asks a peer that has connected again at once.
func (s *servers) back(key identity.PublicKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, known := s.known[key]; known {
		at.later = time.Time{}
		s.known[key] = at
	}
}
