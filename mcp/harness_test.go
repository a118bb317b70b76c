package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
	"go.uber.org/goleak"

	"intercom/core/fault"
	"intercom/core/op"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m)
}

const testToken = "correct horse battery staple"

// The revisions that the tests speak: the oldest, the last with a handshake, and
// the one without.
var revisions = []string{"2024-11-05", "2025-11-25", "2026-07-28"}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func newServer(t testing.TB, caller op.Caller, cfg Config) *Server {
	t.Helper()
	s, err := New(caller, cfg, quiet())
	if err != nil {
		t.Fatal(err)
	}
	s.grace = 100 * time.Millisecond
	return s
}

// transport opens a way to a server for an official client, and a means to cut
// it: closing the client itself would wait for its calls. What it starts ends
// with the test.
type transport func(t testing.TB, s *Server) (tr mcp.Transport, cut func())

var transports = map[string]transport{"stdio": overStdio, "http": overHTTP}

func overStdio(t testing.TB, s *Server) (mcp.Transport, func()) {
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	serveUntilEnd(t, func(ctx context.Context) error { defer out.Close(); return s.ServeStdio(ctx, in, out) })
	return &mcp.IOTransport{Reader: fromServer, Writer: toServer}, func() { toServer.Close(); fromServer.Close() }
}

func overHTTP(t testing.TB, s *Server) (mcp.Transport, func()) {
	var mu sync.Mutex
	var conns []net.Conn
	isCut := false
	tr := newTransport(t)
	tr.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		mu.Lock()
		defer mu.Unlock()
		if conn != nil {
			conns = append(conns, conn)
		}
		if conn != nil && isCut {
			conn.Close()
		}
		return conn, err
	}
	client := &http.Client{Transport: bearer{tr, testToken}}
	return &mcp.StreamableClientTransport{Endpoint: startHTTP(t, s), HTTPClient: client, MaxRetries: -1}, func() {
		mu.Lock()
		defer mu.Unlock()
		isCut = true
		for _, conn := range conns {
			conn.Close()
		}
	}
}

// startHTTP serves on a free port and gives the URL.
func startHTTP(t testing.TB, s *Server) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	serveUntilEnd(t, func(ctx context.Context) error { return s.HTTP(ctx, listener, testToken) })
	return "http://" + listener.Addr().String() + Path
}

func serveUntilEnd(t testing.TB, serve func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil && !errors.Is(err, io.ErrClosedPipe) && !errors.Is(err, os.ErrClosed) {
				t.Errorf("serving ended with %v", err)
			}
		case <-time.After(20 * time.Second):
			t.Error("serving does not end")
		}
	})
}

func newTransport(t testing.TB) *http.Transport {
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// bearer adds the token to every request.
type bearer struct {
	next  http.RoundTripper
	token string
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return b.next.RoundTrip(r)
}

// connect opens an official client in one revision.
func connect(t testing.TB, s *Server, way transport, revision string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	tr, _ := way(t, s)
	return dial(t, tr, revision, opts)
}

func dial(t testing.TB, tr mcp.Transport, revision string, opts *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	c := mcp.NewClient(&mcp.Implementation{Name: "official", Version: "1"}, opts)
	cs, err := c.Connect(t.Context(), tr, &mcp.ClientSessionOptions{ProtocolVersion: revision})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cs.Close() })
	return cs
}

// everyWay runs a test over each transport in each revision.
func everyWay(t *testing.T, test func(t *testing.T, way transport, revision string)) {
	for name, way := range transports {
		for _, revision := range revisions {
			t.Run(name+"/"+revision, func(t *testing.T) { test(t, way, revision) })
		}
	}
}

// adapter passes the conformance suite through the official client.
type adapter struct {
	t   *testing.T
	cs  *mcp.ClientSession
	cut func()
}

func (a *adapter) Call(ctx context.Context, name, params string) (json.RawMessage, *fault.Error) {
	result, err := a.cs.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(params)})
	var refused *jsonrpc.Error
	switch {
	case ctx.Err() != nil:
		return nil, fault.Of(ctx.Err())
	case errors.As(err, &refused):
		return nil, fault.New(fault.Invalid, "%s", refused.Message)
	case err != nil:
		return nil, fault.New(fault.Unavailable, "%v", err)
	}
	text := result.Content[0].(*mcp.TextContent).Text
	var same any
	if json.Unmarshal([]byte(text), &same) != nil || !reflect.DeepEqual(same, result.StructuredContent) {
		a.t.Errorf("%s: the text %.80s is not the structured content", name, text)
	}
	if !result.IsError {
		return json.RawMessage(text), nil
	}
	var f fault.Error
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		a.t.Errorf("%s: the error %q is not a fault: %v", name, text, err)
	}
	return nil, &f
}

func (a *adapter) Close() error {
	a.cut()
	return nil
}
