package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// The official client lists every tool and calls it with its example, over
// stdio and HTTP; every result is what the schema promises.
func TestOfficialClientCallsEveryTool(t *testing.T) {
	for name, connect := range map[string]func(*testing.T, machine) mcpClient{
		"stdio": func(t *testing.T, m machine) mcpClient { return m.mcp(t, "--toolsets", "all") },
		"HTTP":  overHTTP,
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			c := connect(t, m)
			examples := examplesOf(t, c)
			tools, err := c.ListTools(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(tools.Tools) < 15 {
				t.Errorf("only %d tools", len(tools.Tools))
			}
			for _, tool := range tools.Tools {
				callTool(t, c, tool, examples[tool.Name])
			}
		})
	}
}

// examplesOf asks the peer for the examples of its operations.
func examplesOf(t *testing.T, c caller) map[string]json.RawMessage {
	t.Helper()
	var list struct {
		Operations []struct {
			Name    string          `json:"name"`
			Example json.RawMessage `json:"example"`
		} `json:"operations"`
	}
	if err := json.Unmarshal(result(t, c, "ops", `{}`), &list); err != nil {
		t.Fatal(err)
	}
	examples := map[string]json.RawMessage{}
	for _, o := range list.Operations {
		examples[o.Name] = o.Example
	}
	return examples
}

// callTool calls one tool with its example and checks the result against the
// schema of the tool.
func callTool(t *testing.T, c mcpClient, tool *mcp.Tool, example json.RawMessage) {
	t.Helper()
	if a := tool.Annotations; a == nil || a.DestructiveHint == nil || a.OpenWorldHint == nil {
		t.Errorf("%s lacks annotations", tool.Name)
	}
	answer, err := c.CallTool(t.Context(), &mcp.CallToolParams{Name: tool.Name, Arguments: example})
	if err == nil && answer.IsError && (strings.Contains(textOf(answer), `"kind":"not_found"`) || strings.Contains(textOf(answer), `"kind":"denied"`)) {
		return // a fresh peer has nothing that the example names, and is nobody's admin
	}
	if err != nil || answer.IsError {
		t.Errorf("%s %s: %v %s", tool.Name, example, err, textOf(answer))
		return
	}
	raw, err := json.Marshal(tool.OutputSchema)
	if err != nil {
		t.Fatal(err)
	}
	var schema jsonschema.Schema
	if err := json.Unmarshal(raw, &schema); err != nil {
		t.Fatal(err)
	}
	rules, err := schema.Resolve(nil)
	if err == nil {
		err = rules.Validate(answer.StructuredContent)
	}
	if err != nil {
		t.Errorf("%s: %v", tool.Name, err)
	}
	for _, word := range []string{`["null","array"]`, `["array","null"]`} {
		if bytes.Contains(raw, []byte(word)) {
			t.Errorf("%s promises lists that may be null", tool.Name)
		}
	}
}

// bearer adds the token to every request.
type bearer string

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+string(b))
	return http.DefaultTransport.RoundTrip(r)
}

func overHTTP(t *testing.T, m machine) mcpClient {
	t.Helper()
	p := m.start(t, "mcp", "--toolsets", "all", "--http", fmt.Sprintf("127.0.0.1:%d", freePort(t)))
	url, file := p.told(t, "http://"), p.told(t, "mcp-token")
	token, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	session, err := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, nil).Connect(t.Context(), &mcp.StreamableClientTransport{
		Endpoint: url, HTTPClient: &http.Client{Transport: bearer(strings.TrimSpace(string(token)))},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { session.Close() })
	return mcpClient{session}
}

// Garbage and a thousand connections without auth do not keep the bridge from
// serving a client.
func TestBridgeServesOnUnderGarbage(t *testing.T) {
	m := newMachine(t)
	good, p := m.bridge(t)
	url := p.told(t, "ws://")
	address := strings.TrimPrefix(url, "ws://")
	for i := range 1000 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		defer conn.Close()
		if i%3 == 0 {
			fmt.Fprint(conn, "GET / HTTP/1.1\r\nX: ", strings.Repeat("y", i))
		}
	}
	result(t, good, "expense_add", dinner)

	stranger, _, err := websocket.Dial(t.Context(), url+"/any/path?query=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer stranger.CloseNow()
	s := &bridgeClient{conn: stranger}
	for _, text := range []string{`{`, `7`, `[]`, `{"type":"send"}`, `{"type":"auth","token":"wrong"}`, `{"id":1,"type":"expense_list","channel":"trip-nyc"}`} {
		s.write(t, text)
		s.read(t, func(f frame) bool { return f.Type == "error" })
	}
	for _, text := range []string{`{`, `null`, `[]`, `{"type":7}`, `{"id":1,"type":"nonsense"}`, `{"id":2,"type":"expense_add","amount":{}}`} {
		good.write(t, text)
		good.read(t, func(f frame) bool { return f.Type == "error" })
	}
	if list := result(t, good, "expense_list", room); !strings.Contains(string(list), "dinner") {
		t.Errorf("after the garbage the list is %s", list)
	}
}
