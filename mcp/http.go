package mcp

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	engine "github.com/mark3labs/mcp-go/server"

	"intercom/core/fault"
)

// Path is where [Server.HTTP] serves MCP.
const Path = "/mcp"

// Bounds of the HTTP transport. Requests and sessions over them are answered
// with 503, connections are closed, longer bodies are answered with 413.
const (
	maxConnections = 1024
	maxRequests    = 512
	maxSessions    = 256
	maxHeader      = 64 << 10
	headerTime     = 5 * time.Second
	bodyTime       = 30 * time.Second
	writeTime      = 30 * time.Second
	idleTime       = 2 * time.Minute
	sessionTime    = time.Hour // without a request or an open stream
	heartbeat      = 25 * time.Second
)

// web is the streamable HTTP transport of one server.
type web struct {
	token    string
	machine  http.Handler // mcp-go's transport
	sessions *sessions
	updates  *updates
	slots    chan struct{} // one token for each request in work

	mu      sync.Mutex
	closing bool
	running sync.WaitGroup
}

// HTTP speaks MCP with many clients on a listener of the loopback interface, at
// [Path]. Every request must carry the token ("Authorization: Bearer …"), name a
// loopback host, and come from no foreign origin. It returns nil when ctx ends,
// after the requests in flight were answered or, a few seconds later, cancelled.
func (s *Server) HTTP(ctx context.Context, listener net.Listener, token string) error {
	if token == "" {
		return fault.New(fault.Invalid, "the HTTP transport needs a token").WithHint("give one, or let it be generated")
	}
	if addr, ok := listener.Addr().(*net.TCPAddr); !ok || !addr.IP.IsLoopback() {
		return fault.New(fault.Invalid, "%s is not a loopback address", listener.Addr()).
			WithHint("listen on 127.0.0.1 and let an SSH tunnel or a TLS proxy bring clients there")
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	w, streamable := s.web(token)
	pump := together(func() { w.updates.run(life) })
	server := &http.Server{
		Handler: w, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(limit(listener, maxConnections)) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
	}

	w.sessions.close()
	w.updates.hangUp()
	grace, cancel := context.WithTimeout(life, s.grace)
	defer cancel()
	if server.Shutdown(grace) != nil {
		_ = server.Close() // cancels the requests that are left
	}
	w.drain()
	_ = streamable.Shutdown(grace) // only its own goroutine and maps are left
	stop()
	<-pump
	if err == nil {
		err = <-ended
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serving HTTP: %w", err)
}

// web makes the transport; it starts mcp-go's sweeper of idle sessions, which
// the shutdown of the second result ends.
func (s *Server) web(token string) (*web, *engine.StreamableHTTPServer) {
	u := newUpdates(s)
	w := &web{token: token, updates: u, sessions: newSessions(u), slots: make(chan struct{}, maxRequests)}
	u.inbox = w.sessions.inbox
	streamable := engine.NewStreamableHTTPServer(s.engine(u),
		engine.WithSessionIdManager(w.sessions),
		engine.WithSessionIdleTTL(sessionTime),
		engine.WithStreamableHTTPLogger(s.log))
	w.machine = streamable
	return w, streamable
}

// ServeHTTP checks a request, cheapest check first, and hands it on.
func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if !w.enter() {
		busy(rw, "the server is stopping")
		return
	}
	defer w.running.Done()
	if status, text := w.guard(r); status != 0 {
		if status == http.StatusUnauthorized {
			rw.Header().Set("WWW-Authenticate", "Bearer")
		}
		rw.Header().Set("Connection", "close") // its body is not read
		http.Error(rw, text, status)
		return
	}
	select {
	case w.slots <- struct{}{}:
		defer func() { <-w.slots }()
	default:
		busy(rw, "too many requests at a time")
		return
	}
	w.serve(&deadlined{ResponseWriter: rw, control: http.NewResponseController(rw)}, r)
}

// enter counts a request in, until drain.
func (w *web) enter() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closing {
		w.running.Add(1)
	}
	return !w.closing
}

func (w *web) drain() {
	w.mu.Lock()
	w.closing = true
	w.mu.Unlock()
	w.running.Wait()
}

// busy refuses for now.
func busy(rw http.ResponseWriter, text string) {
	rw.Header().Set("Retry-After", "1")
	http.Error(rw, text, http.StatusServiceUnavailable)
}
