package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"intercom/agent"
)

// The tests named W63 to W72 show that a weak point of upstream (upstream 8.5)
// is none here.

func TestW63WrongTokensAreLimited(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{})
	c := connect(t, addr)
	c.expect("hello")
	for i := range 10 {
		if frame := c.ask(fmt.Sprintf(`{"type":"auth","token":"guess %d"}`, i)); frame["error"] != "Unauthorized." {
			t.Fatalf("attempt %d: %v", i, frame)
		}
	}
	if code := c.ended(); code != websocket.StatusPolicyViolation {
		t.Errorf("the connection ended with %v", code)
	}
}

func TestStrangersMayErrButNotForEver(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{})
	c := connect(t, addr)
	c.expect("hello")
	for range 50 {
		c.ask(`{"type":"ping"}`)
	}
	c.ask(`{"type":"auth","token":"` + token + `"}`)
	if frame := c.ask(`{"type":"ping"}`); frame["type"] != "pong" {
		t.Errorf("got %v", frame)
	}
	d := connect(t, addr)
	d.expect("hello")
	for range 100 {
		d.send(`{"type":"ping"}`)
	}
	if code := d.ended(); code != websocket.StatusPolicyViolation {
		t.Errorf("the connection ended with %v", code)
	}
}

func TestW63RightTokenIsNeverLockedOut(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{Limits: agent.Limits{AuthTime: time.Minute}})
	c := connect(t, addr)
	c.expect("hello")
	for range 5 {
		guesser := connect(t, addr)
		for i := range 9 {
			guesser.send(fmt.Sprintf(`{"type":"auth","token":"%d"}`, i))
		}
	}
	login(t, addr).ask(`{"type":"ping"}`)
	c.ask(`{"type":"auth","token":"a right toke"}`)
	if frame := c.ask(`{"type":"auth","token":"a right token"}`); frame["type"] != "auth_ok" {
		t.Errorf("got %v", frame)
	}
}

func TestW63NoTokenMeansNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { agent.New(agent.Config{}, newFake(t), hello, quiet()).Run(ctx, listener) })
	defer wg.Wait()
	defer cancel()
	c := connect(t, listener.Addr().String())
	c.expect("hello")
	for _, request := range []string{`{"type":"auth","token":""}`, `{"type":"auth"}`, `{"type":"auth","token":"x"}`} {
		if frame := c.ask(request); frame["error"] != "Auth not enabled." {
			t.Errorf("%s: %v", request, frame)
		}
	}
}

func TestW63TokenIsNeverToldToAnyone(t *testing.T) {
	cfg := agent.Config{Token: "s3cr3t-token", CLI: true}
	encoded, err := json.Marshal(map[string]any{"token": cfg.Token})
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	logger.Info("config", "cfg", cfg, "token", cfg.Token)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { agent.New(cfg, newFake(t), hello, logger).Run(ctx, listener) })
	c := connect(t, listener.Addr().String())
	c.expect("hello")
	c.ask(`{"type":"auth","token":"s3cr3t-tokem"}`)
	c.ask(`{"type":"auth","token":"s3cr3t-token"}`)
	info := fmt.Sprint(c.ask(`{"type":"info"}`), c.ask(`{"type":"cli","command":"/help"}`))
	cancel()
	wg.Wait()
	for where, text := range map[string]string{
		"print": fmt.Sprintf("%v %+v %#v %s %q %x", cfg, cfg, cfg, cfg.Token, cfg.Token, cfg.Token),
		"json":  string(encoded), "log": log.String(), "replies": info,
	} {
		if strings.Contains(text, "s3cr3t") || strings.Contains(text, fmt.Sprintf("%x", "s3cr3t")) {
			t.Errorf("%s tells the token: %s", where, text)
		}
	}
}

// With Debug the log tells who comes and goes; without it, nothing of that.
func TestDebugTellsTheComingAndGoing(t *testing.T) {
	for _, debug := range []bool{true, false} {
		var log bytes.Buffer
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		bridge := agent.New(agent.Config{Token: token, Debug: debug}, newFake(t), hello, slog.New(slog.NewTextHandler(&log, nil)))
		wg.Go(func() { bridge.Run(ctx, listener) })
		login(t, listener.Addr().String())
		cancel()
		wg.Wait()
		for _, what := range []string{"a connection", "let in", "gone"} {
			if strings.Contains(log.String(), what) != debug {
				t.Errorf("debug %v, %q: %s", debug, what, &log)
			}
		}
	}
}

func TestW63FramesBeforeAuthAreSmall(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{})
	c := connect(t, addr)
	c.expect("hello")
	c.send(`{"type":"auth","token":"` + strings.Repeat("x", 4096) + `"}`)
	if code := c.ended(); code != websocket.StatusMessageTooBig {
		t.Errorf("the connection ended with %v", code)
	}
	login(t, addr)
}

func TestW63FramesAreBounded(t *testing.T) {
	peer := newFake(t)
	addr := serve(t, peer, agent.Config{})
	other := login(t, addr)
	// A message of a million bytes passes however it is escaped.
	if frame := other.ask(`{"type":"send","channel":"trip","message":"` + strings.Repeat(`\u00e9`, 500_000) + `"}`); frame["type"] != "sent" {
		t.Fatalf("got %v", frame)
	}
	// 100 MB are cut off without being kept.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	c := login(t, addr)
	head := append([]byte{0x81, 0x80 | 127, 0, 0, 0, 0}, 0x06, 0x40, 0, 0, 0, 0, 0, 0) // 104 857 600 bytes, masked with zeros
	raw := rawClient(t, addr)
	raw.Write(head)
	raw.SetDeadline(time.Now().Add(patience))
	chunk := bytes.Repeat([]byte("x"), 1<<20)
	wrote := 0
	for ; wrote < 100; wrote++ {
		if _, err := raw.Write(chunk); err != nil {
			break
		}
	}
	if wrote == 100 {
		t.Error("100 MB were taken")
	}
	runtime.ReadMemStats(&after)
	if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 64<<20 {
		t.Errorf("%d MB were allocated for it", grown>>20)
	}
	c.ask(`{"type":"ping"}`)
	other.ask(`{"type":"ping"}`)
}

// rawClient is an authenticated connection without a library in the way.
func rawClient(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", addr)
	auth := []byte(`{"type":"auth","token":"` + token + `"}`)
	conn.Write(append([]byte{0x81, 0x80 | byte(len(auth)), 0, 0, 0, 0}, auth...))
	said := make([]byte, 0, 4096)
	for !bytes.Contains(said, []byte("auth_ok")) {
		conn.SetReadDeadline(time.Now().Add(patience))
		n, err := conn.Read(said[len(said):cap(said)])
		if err != nil {
			t.Fatalf("after %q: %v", said, err)
		}
		said = said[:len(said)+n]
	}
	return conn
}

func TestW63ClientsAreCounted(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{Limits: agent.Limits{Clients: 2}})
	a, b := login(t, addr), login(t, addr)
	c := connect(t, addr)
	c.expect("hello")
	if frame := c.ask(`{"id":1,"type":"auth","token":"` + token + `"}`); frame["error"] != "Too many clients." || frame["kind"] != "limited" || frame["id"] != 1.0 {
		t.Errorf("got %v", frame)
	}
	if code := c.ended(); code != websocket.StatusTryAgainLater {
		t.Errorf("the connection ended with %v", code)
	}
	a.conn.CloseNow()
	eventually(t, "the place of a client that went", func() bool {
		d := connect(t, addr)
		d.expect("hello")
		return d.ask(`{"type":"auth","token":"` + token + `"}`)["type"] == "auth_ok"
	})
	b.ask(`{"type":"ping"}`)
}

func TestW64StrangersAreTimedOut(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{Limits: agent.Limits{AuthTime: 50 * time.Millisecond}})
	c := connect(t, addr)
	c.expect("hello")
	if code := c.ended(); code != websocket.StatusPolicyViolation {
		t.Errorf("the connection ended with %v", code)
	}
	silent, err := net.Dial("tcp", addr) // not even a request
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	silent.SetReadDeadline(time.Now().Add(patience))
	if n, err := silent.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("a silent connection got %d bytes, %v", n, err)
	}
}

func TestW64ThousandStrangersDoNotDisturbAClient(t *testing.T) {
	peer := newFake(t)
	addr := serve(t, peer, agent.Config{})
	c := login(t, addr)
	var strangers []net.Conn
	defer func() {
		for _, conn := range strangers {
			conn.Close()
		}
	}()
	for i := range 1000 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		strangers = append(strangers, conn)
		if i%2 == 0 { // the others never ask
			fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
		}
		if i%100 == 0 {
			if frame := c.ask(`{"id":1,"type":"ping"}`); frame["type"] != "pong" {
				t.Fatalf("among %d strangers: %v", i, frame)
			}
		}
	}
	peer.message("trip", `"still heard"`)
	c.expect("sidechannel_message")
	login(t, addr).ask(`{"type":"ping"}`)
	alive := 0
	for _, conn := range strangers {
		conn.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
			alive++
		}
	}
	if alive > 256 {
		t.Errorf("%d strangers were kept", alive)
	}
}

func TestGarbageIsAnsweredOrCutOff(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{})
	c := login(t, addr)
	deep := strings.Repeat(`[`, 200_000) + strings.Repeat(`]`, 200_000)
	for _, frame := range []string{
		"", " ", "\x00", "{", `{"type":`, `{"type":"ping",}`, "\xff\xfe", deep, `{"a":` + deep + `}`, `{"type":"ping"}{"type":"ping"}`, "\ufeff{}",
	} {
		if reply := c.ask(frame); reply["error"] != "Invalid JSON." {
			t.Errorf("%.40q: %v", frame, reply)
		}
	}
	nested := strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000)
	for _, frame := range []string{
		`{"type":` + nested + `}`, `{"type":"subscribe","channels":` + nested + `}`, `{"type":"set_filter","filter":` + nested + `}`,
		`{"type":"send","channel":` + nested + `,"message":1}`, `{"type":"join","channel":"x","invite":` + nested + `}`,
		`{"type":"help","params":` + nested + `}`, `{"id":` + nested + `,"type":"ping"}`, `{"type":"set_filter","filter":"` + strings.Repeat("x", 5000) + `"}`,
		`{"type":"subscribe","channels":[` + strings.Repeat(`"x",`, 100) + `"` + strings.Repeat("x", 2000) + `"]}`,
	} {
		if reply := c.ask(frame); reply["type"] == nil {
			t.Errorf("%.60q: %v", frame, reply)
		}
	}
	for _, noise := range []string{"\x00\x01\x02\r\n\r\n", "GET / HTTP/1.1\r\n" + strings.Repeat("X: y\r\n", 10000) + "\r\n", "\x16\x03\x01\x02\x00"} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		conn.Write([]byte(noise))
		conn.Close()
	}
	raw := rawClient(t, addr)
	raw.Write(bytes.Repeat([]byte{0xff}, 16)) // reserved bits, unknown opcode
	raw.SetReadDeadline(time.Now().Add(patience))
	for {
		if _, err := raw.Read(make([]byte, 1024)); err != nil {
			break
		}
	}
	c.ask(`{"type":"ping"}`)
}
