package mcp

import (
	"crypto/rand"
	"errors"
	"sync"
	"time"
)

// sessions are those of the HTTP clients that speak a revision before
// 2026-07-28. It is mcp-go's SessionIdManager.
type sessions struct {
	updates *updates

	mu   sync.Mutex
	byID map[string]*webSession
}

// webSession is one of them: when it was used last, and what its client is to be
// told as soon as it holds a stream open.
type webSession struct {
	news chan struct{} // holds one token when something is pending

	mu      sync.Mutex
	used    time.Time
	pending map[string]bool // URIs that changed
	replace func()          // ends the stream that is open; nil if none is
}

func newSessions(u *updates) *sessions {
	return &sessions{updates: u, byID: map[string]*webSession{}}
}

// room tells whether one more session may begin. It first ends those that were
// not used for long.
func (l *sessions) room() bool {
	l.mu.Lock()
	var stale []string
	for id, s := range l.byID {
		if s.stale(time.Now()) {
			stale = append(stale, id)
		}
	}
	full := len(l.byID)-len(stale) >= maxSessions
	l.mu.Unlock()
	for _, id := range stale {
		l.end(id)
	}
	return !full
}

// Generate begins a session, for initialize.
func (l *sessions) Generate() string {
	id := rand.Text()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.byID[id] = &webSession{news: make(chan struct{}, 1), used: time.Now(), pending: map[string]bool{}}
	return id
}

// Validate admits the requests of a session.
func (l *sessions) Validate(id string) (isTerminated bool, err error) {
	if l.get(id) == nil {
		return false, errors.New("no such session")
	}
	return false, nil
}

// Terminate is called when mcp-go clears away its own part of a session, after
// long without a request. Ours lasts while its client holds a stream open.
func (l *sessions) Terminate(id string) (isNotAllowed bool, err error) {
	l.mu.Lock()
	s := l.byID[id]
	l.mu.Unlock()
	if s != nil && s.stale(time.Now()) {
		l.end(id)
	}
	return false, nil
}

// get finds a session and notes that it is used.
func (l *sessions) get(id string) *webSession {
	l.mu.Lock()
	s := l.byID[id]
	l.mu.Unlock()
	if s == nil {
		return nil
	}
	if now := time.Now(); !s.use(now) {
		l.end(id)
		return nil
	}
	return s
}

// end drops a session with its stream and subscriptions.
func (l *sessions) end(id string) {
	l.mu.Lock()
	s := l.byID[id]
	delete(l.byID, id)
	l.mu.Unlock()
	if s != nil {
		s.detach()
		l.updates.forget(id)
	}
}

// close ends all of them.
func (l *sessions) close() {
	l.mu.Lock()
	var ids []string
	for id := range l.byID {
		ids = append(ids, id)
	}
	l.mu.Unlock()
	for _, id := range ids {
		l.end(id)
	}
}

// inbox gives the way to tell a session of a change.
func (l *sessions) inbox(id string) func(uri string) bool {
	if s := l.get(id); s != nil {
		return s.tell
	}
	return nil
}

func (s *webSession) stale(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.replace == nil && now.Sub(s.used) > sessionTime
}

// use notes a use, unless it comes too late.
func (s *webSession) use(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replace == nil && now.Sub(s.used) > sessionTime {
		return false
	}
	s.used = now
	return true
}

// tell notes a change; it never waits. There are no more of them than
// subscriptions.
func (s *webSession) tell(uri string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending[uri] = true
	s.wake()
	return true
}

func (s *webSession) wake() {
	select {
	case s.news <- struct{}{}:
	default:
	}
}

// take gives what is pending.
func (s *webSession) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var uris []string
	for uri := range s.pending {
		uris = append(uris, uri)
	}
	clear(s.pending)
	return uris
}

// attach makes a stream the one that is told. An earlier one ends: a client that
// reconnects must not wait for the old connection to be noticed dead.
func (s *webSession) attach() (replaced <-chan struct{}, leave func()) {
	ended := make(chan struct{})
	end := sync.OnceFunc(func() { close(ended) })
	s.detach()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replace = end
	if len(s.pending) > 0 {
		s.wake()
	}
	return ended, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		select {
		case <-ended: // another one has taken over
		default:
			s.replace, s.used = nil, time.Now()
		}
	}
}

// detach ends the stream that is open.
func (s *webSession) detach() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replace != nil {
		s.replace()
		s.replace = nil
	}
}
