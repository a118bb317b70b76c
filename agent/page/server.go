package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Config says what the page is let into.
type Config struct {
	// Bridge is the URL of the SC-Bridge that the page speaks to, or "" when the
	// peer has none: the page then serves bridges that its user names.
	Bridge string
	// Issue makes a token of that bridge for one page. Nil when there is none.
	Issue func() string
}

// Server serves the page on one listener.
type Server struct {
	cfg      Config
	log      *slog.Logger
	listener net.Listener
	port     string
	files    map[string]file

	mu    sync.Mutex
	codes codes
}

// New makes a server on a listener of this machine. It starts nothing; Run
// closes the listener.
func New(cfg Config, listener net.Listener, log *slog.Logger) *Server {
	s := &Server{cfg: cfg, log: log, listener: listener, files: assets()}
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	return s
}

// URL is where the page is.
func (s *Server) URL() string { return "http://" + s.listener.Addr().String() + "/" }

// Origins are the origins that the page may be opened under. The bridge must
// let them in.
func Origins(listener net.Listener) []string {
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return []string{"http://127.0.0.1:" + port, "http://localhost:" + port}
}

// Link is the URL with a fresh code, which lets whoever opens it first into the
// peer: it is a secret for [CodeLife]. Without a bridge it is the plain URL.
func (s *Server) Link() string {
	if s.cfg.Issue == nil {
		return s.URL()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.URL() + "#code=" + s.codes.mint(time.Now())
}

// redeem exchanges a code.
func (s *Server) redeem(code string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.codes.redeem(code, time.Now())
}

// Times and sizes that one visitor may take.
const (
	visitTime   = 10 * time.Second
	maxHeader   = 16 << 10
	maxVisitors = 64
)

// Run serves until the context ends, which is no error, or the listener fails.
// When it returns every connection has ended. It runs once.
func (s *Server) Run(ctx context.Context) error {
	var visits sync.WaitGroup
	server := &http.Server{
		Handler:           http.HandlerFunc(s.serve),
		ReadHeaderTimeout: visitTime,
		ReadTimeout:       visitTime,
		WriteTimeout:      visitTime,
		IdleTimeout:       visitTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnState: func(_ net.Conn, state http.ConnState) {
			switch state {
			case http.StateNew: // in Serve, before it returns
				visits.Add(1)
			case http.StateClosed: // the last thing that is done for a connection
				visits.Done()
			}
		},
	}
	unhook := context.AfterFunc(ctx, func() { server.Close() })
	err := server.Serve(newDoor(s.listener, maxVisitors))
	stopped := !unhook() || ctx.Err() != nil
	server.Close()
	visits.Wait()
	if stopped || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("page: %w", err)
}

// own tells whether a request names this machine as its host: a name that
// somebody else pointed here is not ours.
func (s *Server) own(r *http.Request) bool {
	host, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		host, port = r.Host, "80"
	}
	return port == s.port && (host == "127.0.0.1" || host == "localhost")
}
