package agent_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"intercom/agent"
)

func TestPlainRequestIsToldToUpgrade(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{})
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
		req, _ := http.NewRequest(method, "http://"+addr+"/x?token=y", strings.NewReader("body"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != http.StatusUpgradeRequired || !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/plain") {
			t.Errorf("%s: %d %q %q", method, resp.StatusCode, resp.Header.Get("Content-Type"), body)
		}
		if resp.Header.Get("Upgrade") != "websocket" || resp.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers %v", method, resp.Header)
		}
	}
}

func TestForeignPagesAreRefusedBeforeTheUpgrade(t *testing.T) {
	addr := serve(t, newFake(t), agent.Config{Origins: []string{"https://Friend.example/"}})
	for origin, want := range map[string]int{
		"http://127.0.0.1:5070":    http.StatusSwitchingProtocols,
		"http://localhost:5070":    http.StatusSwitchingProtocols,
		"HTTP://LOCALHOST:5070":    http.StatusSwitchingProtocols,
		"https://friend.example":   http.StatusSwitchingProtocols,
		"http://friend.example":    http.StatusForbidden,
		"https://evil.example":     http.StatusForbidden,
		"http://localhost:5071":    http.StatusForbidden,
		"http://localhost:5070.ev": http.StatusForbidden,
		"http://" + addr:           http.StatusForbidden, // the bridge serves no page
		"null":                     http.StatusForbidden,
		"":                         http.StatusForbidden, // present and empty
	} {
		if got := upgrade(t, addr, http.Header{"Origin": {origin}}); got != want {
			t.Errorf("origin %q: %d, want %d", origin, got, want)
		}
	}
	if got := upgrade(t, addr, http.Header{"Origin": {"http://localhost:5070", "https://evil.example"}}); got != http.StatusForbidden {
		t.Errorf("two origins: %d", got)
	}
	if got := upgrade(t, addr, nil); got != http.StatusSwitchingProtocols {
		t.Errorf("no origin: %d", got)
	}
}

// upgrade asks for a WebSocket and gives the status.
func upgrade(t *testing.T, addr string, header http.Header) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws://"+addr, &websocket.DialOptions{HTTPHeader: header})
	if err == nil {
		conn.CloseNow()
	}
	if resp == nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}
