package agent_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/coder/websocket"

	"intercom/agent"
	"intercom/core/op"
)

// patience bounds every wait of these tests; no outcome depends on it.
const patience = 20 * time.Second

const token = "a right token"

var hello = agent.Hello{Peer: "c0ffee", Address: "trac1test", EntryChannel: "0000intercom"}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// serve runs a bridge until the test ends and gives its address.
func serve(t testing.TB, c op.Caller, cfg agent.Config) string {
	t.Helper()
	addr, stop := serveUntil(t, c, cfg)
	t.Cleanup(stop)
	return addr
}

// serveUntil runs a bridge until stop is called, which waits for its end.
func serveUntil(t testing.TB, c op.Caller, cfg agent.Config) (addr string, stop func()) {
	t.Helper()
	if cfg.Token == "" {
		cfg.Token = token
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- agent.New(cfg, c, hello, quiet()).Run(ctx, listener) }()
	return listener.Addr().String(), func() {
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Run: %v", err)
			}
		case <-time.After(patience):
			t.Error("Run does not end")
		}
	}
}

// client is a WebSocket client of a bridge.
type client struct {
	t    testing.TB
	conn *websocket.Conn
}

// connect opens a connection and does not read yet.
func connect(t testing.TB, addr string) *client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws://"+addr+"/any/path?and=query", nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	t.Cleanup(func() { conn.CloseNow() })
	return &client{t, conn}
}

// login opens a connection and authenticates.
func login(t testing.TB, addr string) *client {
	t.Helper()
	c := connect(t, addr)
	c.send(`{"type":"auth","token":"` + token + `"}`)
	if frame := c.expect("hello"); frame["requiresAuth"] != true {
		t.Errorf("hello: %v", frame)
	}
	c.expect("auth_ok")
	return c
}

func (c *client) send(frame string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
		c.t.Fatalf("send %.100s: %v", frame, err)
	}
}

// read gives the next frame as it came.
func (c *client) read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, frame, err := c.conn.Read(ctx)
	if err == nil && kind != websocket.MessageText {
		c.t.Errorf("a frame that is not text: %.100s", frame)
	}
	return string(frame), err
}

// next gives the next frame.
func (c *client) next() map[string]any {
	c.t.Helper()
	text, err := c.read()
	if err != nil {
		c.t.Fatalf("read: %v", err)
	}
	var frame map[string]any
	if err := json.Unmarshal([]byte(text), &frame); err != nil {
		c.t.Fatalf("frame %.100q: %v", text, err)
	}
	return frame
}

// expect gives the next frame, which must be of a type.
func (c *client) expect(kind string) map[string]any {
	c.t.Helper()
	frame := c.next()
	if frame["type"] != kind {
		c.t.Fatalf("got %v, want a frame of type %q", frame, kind)
	}
	return frame
}

// ask sends a request and gives the next frame.
func (c *client) ask(frame string) map[string]any {
	c.t.Helper()
	c.send(frame)
	return c.next()
}

// ended waits for the end of the connection and gives the status of the close
// frame, -1 without one.
func (c *client) ended() websocket.StatusCode {
	c.t.Helper()
	for {
		if _, err := c.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// eventually waits for a condition.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
