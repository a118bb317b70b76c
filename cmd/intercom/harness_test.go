package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// patience bounds every wait; no outcome depends on it.
const patience = 30 * time.Second

// TestMain lets the test binary be the program: a process that is started with
// these variables runs main, or the echo of the benchmarks, instead of the tests.
func TestMain(m *testing.M) {
	if size := os.Getenv("INTERCOM_TEST_ECHO"); size != "" {
		echo(size)
		return
	}
	if os.Getenv("INTERCOM_TEST_PROGRAM") == "1" {
		main()
		return
	}
	code := m.Run()
	closeBrowser()
	os.Exit(code)
}

// machine is one pretended machine: a home and an entry port of its own, so
// that its peers meet each other and nobody else.
type machine struct {
	home string
	env  []string
}

func newMachine(t testing.TB) machine {
	t.Helper()
	home := t.TempDir()
	runtime, err := os.MkdirTemp("", "ic") // a socket path must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(runtime) })
	return machine{home: home, env: append(os.Environ(),
		"INTERCOM_TEST_PROGRAM=1", "HOME="+home, "INTERCOM_HOME="+filepath.Join(home, "intercom"), "XDG_RUNTIME_DIR="+runtime,
		"INTERCOM_MDNS=0", fmt.Sprintf("INTERCOM_P2P_ENTRY_PORT=%d", freePort(t)), "INTERCOM_P2P_LISTEN=/ip4/127.0.0.1/tcp/0",
		"INTERCOM_LOG_LEVEL=warn", "INTERCOM_UI=0",
	)}
}

func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func (m machine) command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = m.env
	return cmd
}

// run runs a command to its end and gives its output and exit code.
func (m machine) run(t testing.TB, stdin string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := m.command(args...)
	var out, err strings.Builder
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &err
	runErr := cmd.Run()
	if _, exited := runErr.(*exec.ExitError); runErr != nil && !exited {
		t.Fatal(runErr)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// process is a running program that the test started, and ends by its id.
type process struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	once   sync.Once
	mu     sync.Mutex
	log    strings.Builder // standard error
	logged chan struct{}   // one token for each new piece of it
	ended  chan struct{}
}

func (m machine) start(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{cmd: m.command(args...), ended: make(chan struct{}), logged: make(chan struct{}, 1)}
	var err error
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if p.stdout, err = p.cmd.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Stderr = p
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("intercom %s wrote:\n%s", strings.Join(args, " "), p.stderr())
		}
	})
	return p
}

// Write takes standard error.
func (p *process) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case p.logged <- struct{}{}:
	default:
	}
	return p.log.Write(text)
}

func (p *process) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	p.once.Do(func() {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		close(p.ended)
	})
}

// told waits until standard error holds a word with that part, and gives it.
func (p *process) told(t testing.TB, part string) string {
	t.Helper()
	deadline := time.After(patience)
	for {
		for word := range strings.FieldsSeq(p.stderr()) {
			if strings.Contains(word, part) {
				return word
			}
		}
		select {
		case <-p.logged:
		case <-deadline:
			t.Fatalf("standard error never told %q:\n%s", part, p.stderr())
		}
	}
}

// caller is a client on any surface: it calls an operation and gives the
// result, or the error as {"error":…}.
type caller interface {
	call(t testing.TB, name, params string) json.RawMessage
}

// result insists on a result.
func result(t testing.TB, c caller, name, params string) json.RawMessage {
	t.Helper()
	raw := c.call(t, name, params)
	var failed struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(raw, &failed); failed.Error != nil {
		t.Fatalf("%s %s: %s", name, params, failed.Error)
	}
	return raw
}

// eventually calls until the result satisfies ok.
func eventually(t testing.TB, c caller, name, params string, ok func(json.RawMessage) bool) json.RawMessage {
	t.Helper()
	var last json.RawMessage
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if last = c.call(t, name, params); ok(last) {
			return last
		}
	}
	t.Fatalf("%s %s still gives %s", name, params, last)
	return nil
}

// holds tells whether a result contains a text.
func holds(text string) func(json.RawMessage) bool {
	return func(raw json.RawMessage) bool { return strings.Contains(string(raw), text) }
}

// rpcClient speaks JSON-RPC to `intercom rpc`.
type rpcClient struct {
	*process
	lines *bufio.Scanner
	next  int
}

func (m machine) rpc(t testing.TB, args ...string) *rpcClient {
	t.Helper()
	p := m.start(t, append([]string{"rpc"}, args...)...)
	lines := bufio.NewScanner(p.stdout)
	lines.Buffer(nil, 16<<20)
	return &rpcClient{process: p, lines: lines}
}

func (c *rpcClient) call(t testing.TB, name, params string) json.RawMessage {
	t.Helper()
	c.next++
	if _, err := fmt.Fprintf(c.stdin, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`+"\n", c.next, name, params); err != nil {
		t.Fatal(err)
	}
	var answer struct {
		ID     int             `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string          `json:"message"`
			Data    json.RawMessage `json:"data"`
		} `json:"error"`
	}
	if !c.lines.Scan() {
		t.Fatalf("no answer to %s: %v\n%s", name, c.lines.Err(), c.stderr())
	}
	if err := json.Unmarshal(c.lines.Bytes(), &answer); err != nil || answer.ID != c.next {
		t.Fatalf("answer to %d: %s (%v)", c.next, c.lines.Bytes(), err)
	}
	if answer.Error != nil {
		return json.RawMessage(fmt.Sprintf(`{"error":%q,"data":%s}`, answer.Error.Message, answer.Error.Data))
	}
	return append(json.RawMessage{}, answer.Result...)
}

// bridgeClient speaks SC-Bridge to a running peer.
type bridgeClient struct {
	conn *websocket.Conn
	next int
}

// bridge starts a peer that serves the bridge on a free port and connects.
func (m machine) bridge(t testing.TB, args ...string) (*bridgeClient, *process) {
	t.Helper()
	p := m.start(t, append([]string{"run", "--sc-bridge-port", "0"}, args...)...)
	return dialBridge(t, p), p
}

func dialBridge(t testing.TB, p *process) *bridgeClient {
	t.Helper()
	url, file := p.told(t, "ws://"), p.told(t, "sc-bridge-token")
	token, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(16 << 20)
	t.Cleanup(func() { conn.CloseNow() })
	c := &bridgeClient{conn: conn}
	c.read(t, func(f frame) bool { return f.Type == "hello" })
	c.write(t, fmt.Sprintf(`{"type":"auth","token":%q}`, strings.TrimSpace(string(token))))
	c.read(t, func(f frame) bool { return f.Type == "auth_ok" })
	return c
}

// frame is one frame of the bridge.
type frame struct {
	ID     json.RawMessage `json:"id"` // a number in replies, a text in messages
	Type   string          `json:"type"`
	Result json.RawMessage `json:"result"`
	raw    json.RawMessage
	at     time.Time // when it had come, before it was parsed
}

func (c *bridgeClient) write(t testing.TB, text string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// read reads frames until one is wanted.
func (c *bridgeClient) read(t testing.TB, wanted func(frame) bool) frame {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		_, raw, err := c.conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		f := frame{raw: raw, at: time.Now()}
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatalf("%s: %v", raw, err)
		}
		if wanted(f) {
			return f
		}
	}
}

func (c *bridgeClient) call(t testing.TB, name, params string) json.RawMessage {
	t.Helper()
	c.next++
	c.write(t, fmt.Sprintf(`{"id":%d,"type":%q,"params":%s}`, c.next, name, params))
	f := c.read(t, func(f frame) bool { return string(f.ID) == strconv.Itoa(c.next) })
	if f.Result == nil { // an error, or upstream's own form
		return f.raw
	}
	return f.Result
}

// mcpClient is the official SDK's client.
type mcpClient struct{ *mcp.ClientSession }

func (m machine) mcp(t testing.TB, args ...string) mcpClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := m.command(append([]string{"mcp"}, args...)...)
	cmd.Stderr = os.Stderr
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).
		Connect(ctx, &mcp.CommandTransport{Command: cmd}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return mcpClient{session}
}

func (c mcpClient) call(t testing.TB, name, params string) json.RawMessage {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answer, err := c.CallTool(ctx, &mcp.CallToolParams{Name: name, Arguments: json.RawMessage(params)})
	if err != nil {
		return json.RawMessage(fmt.Sprintf(`{"error":%q}`, err))
	}
	raw, err := json.Marshal(answer.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if answer.IsError {
		return json.RawMessage(fmt.Sprintf(`{"error":%q,"data":%s}`, textOf(answer), raw))
	}
	return raw
}

func textOf(answer *mcp.CallToolResult) string {
	var b strings.Builder
	for _, c := range answer.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			b.WriteString(text.Text)
		}
	}
	return b.String()
}
