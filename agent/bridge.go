package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/coder/websocket"

	"intercom/core/op"
)

// pageOrigins are where the peer's own page is served by default.
var pageOrigins = []string{"http://127.0.0.1:5070", "http://localhost:5070"}

// Bridge serves one peer to WebSocket clients.
type Bridge struct {
	caller  op.Caller
	log     *slog.Logger
	detail  slog.Level // of what Config.Debug asks for
	limits  Limits
	grant   op.Access
	cli     bool
	guard   *guard
	hello   []byte
	entry   string // the entry channel
	filter  filter
	scope   map[string]bool
	origins []string
	release func(client string)
	clients atomic.Uint64 // for their names
	warned  atomic.Bool   // whether a refused origin was reported

	mu       sync.Mutex
	ended    bool
	sessions sync.WaitGroup
}

// New makes a bridge to a peer. It starts nothing.
func New(cfg Config, caller op.Caller, hello Hello, log *slog.Logger) *Bridge {
	b := &Bridge{
		caller: caller, log: log, limits: cfg.Limits.or(), grant: op.Write, cli: cfg.CLI,
		guard: newGuard(cfg.Token), filter: parseFilter(cfg.Filter), entry: hello.EntryChannel, release: cfg.Release,
	}
	b.detail = slog.LevelDebug
	if cfg.Debug {
		b.detail = slog.LevelInfo
	}
	b.hello = encode(helloFrame{
		Type: "hello", Peer: hello.Peer, Address: hello.Address, EntryChannel: hello.EntryChannel,
		Filter: cfg.Filter, RequiresAuth: true,
	})
	if cfg.CLI {
		b.grant = op.Admin
	}
	for _, origin := range slices.Concat(pageOrigins, cfg.Origins) {
		b.origins = append(b.origins, strings.ToLower(strings.TrimSuffix(origin, "/")))
	}
	for _, channel := range cfg.FilterChannels {
		if b.scope == nil {
			b.scope = map[string]bool{}
		}
		b.scope[channel] = true
	}
	return b
}

type visitorKey struct{}

// Run serves on the listener until the context ends, which is no error, or the
// listener fails. When it returns the listener is closed and every client and
// call has ended. It runs once.
func (b *Bridge) Run(ctx context.Context, listener net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	server := &http.Server{
		Handler:           http.HandlerFunc(b.serve),
		ReadHeaderTimeout: b.limits.AuthTime,
		WriteTimeout:      b.limits.AuthTime, // of plain answers; an upgrade lifts it
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(b.log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			return context.WithValue(ctx, visitorKey{}, conn)
		},
	}
	server.SetKeepAlivesEnabled(false)
	unhook := context.AfterFunc(ctx, func() { server.Close() })
	defer unhook()

	err := server.Serve(&gate{Listener: listener, limits: b.limits})
	stopped := ctx.Err() != nil
	cancel()
	server.Close()
	b.end()
	if stopped || errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("sc-bridge: %w", err)
}

// begin counts a session in, unless the bridge has ended.
func (b *Bridge) begin() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended {
		return false
	}
	b.sessions.Add(1)
	return true
}

// end lets no more sessions begin and waits for those that have.
func (b *Bridge) end() {
	b.mu.Lock()
	b.ended = true
	b.mu.Unlock()
	b.sessions.Wait()
}

// serve answers one HTTP request: any path and query is taken, and becomes a
// session when it asks for a WebSocket from an allowed origin.
func (b *Bridge) serve(w http.ResponseWriter, r *http.Request) {
	if !upgrades(r) {
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "Upgrade Required", http.StatusUpgradeRequired)
		return
	}
	if !b.allowed(r.Header.Values("Origin")) {
		b.reportOrigin(shorten(r.Header.Get("Origin")))
		http.Error(w, "Origin not allowed. Name it in --sc-bridge-origins.", http.StatusForbidden)
		return
	}
	if !b.begin() {
		http.Error(w, "The peer is stopping.", http.StatusServiceUnavailable)
		return
	}
	defer b.sessions.Done()
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		InsecureSkipVerify: true, // origins were checked above, more strictly
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		b.log.Log(r.Context(), b.detail, "sc-bridge: no handshake", "err", err)
		return
	}
	visitor := r.Context().Value(visitorKey{}).(*visitor)
	newSession(b, conn, visitor).run(r.Context())
}

// reportOrigin tells the operator of the first page that was refused. A page
// that keeps trying must not fill the log.
func (b *Bridge) reportOrigin(origin string) {
	level := slog.LevelDebug
	if !b.warned.Swap(true) {
		level = slog.LevelWarn
	}
	b.log.Log(context.Background(), level, "sc-bridge: a page of another origin was refused", "origin", origin)
}

// upgrades tells whether a request asks for a WebSocket.
func upgrades(r *http.Request) bool {
	for value := range strings.SplitSeq(strings.Join(r.Header.Values("Upgrade"), ","), ",") {
		if strings.EqualFold(strings.TrimSpace(value), "websocket") {
			return true
		}
	}
	return false
}

// allowed tells whether requests with these Origin headers are served. Only
// browsers send one; it is the only proof that a page on the web does not reach
// for this machine.
func (b *Bridge) allowed(origins []string) bool {
	switch len(origins) {
	case 0:
		return true
	case 1:
		return slices.Contains(b.origins, strings.ToLower(origins[0]))
	default:
		return false
	}
}
