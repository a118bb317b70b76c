package mcp

import (
	"crypto/rand"
	"sync"
	"sync/atomic"

	protocol "github.com/mark3labs/mcp-go/mcp"
	engine "github.com/mark3labs/mcp-go/server"
)

// session is the stdio client as the protocol machine sees it.
type session struct {
	id          string
	notices     chan protocol.JSONRPCNotification // bounded; who finds it full tries again later
	initialized atomic.Bool

	mu       sync.Mutex
	revision string
}

var (
	_ engine.ClientSession              = (*session)(nil)
	_ engine.SessionWithProtocolVersion = (*session)(nil)
)

func newSession() *session {
	return &session{id: rand.Text(), notices: make(chan protocol.JSONRPCNotification, maxURIs)}
}

func (s *session) SessionID() string { return s.id }

func (s *session) NotificationChannel() chan<- protocol.JSONRPCNotification { return s.notices }

func (s *session) Initialize() { s.initialized.Store(true) }

func (s *session) Initialized() bool { return s.initialized.Load() }

// ProtocolVersion is the revision that initialize agreed on, "" before.
func (s *session) ProtocolVersion() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.revision
}

// SetProtocolVersion is called by initialize.
func (s *session) SetProtocolVersion(revision string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.revision = revision
}
