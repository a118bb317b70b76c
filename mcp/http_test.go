package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"intercom/core/fault"
	"intercom/core/op/optest"
)

// post sends one request by hand.
func post(t testing.TB, client *http.Client, url, body string, change func(*http.Request)) (status int, text string, header http.Header) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+testToken)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	if change != nil {
		change(r)
	}
	response, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(raw), response.Header
}

const initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"hand","version":"1"}}}`

func TestHTTPGuards(t *testing.T) {
	url := startHTTP(t, newServer(t, newHouse(t), Config{}))
	client := &http.Client{Transport: newTransport(t)}
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"as it should be", nil, 200},
		{"own origin", func(r *http.Request) { r.Header.Set("Origin", "http://localhost:5070") }, 200},
		{"localhost by name", func(r *http.Request) { r.Host = "localhost" }, 200},
		{"IPv6 loopback", func(r *http.Request) { r.Host = "[::1]:80" }, 200},
		{"scheme in lower case", func(r *http.Request) { r.Header.Set("Authorization", "bearer "+testToken) }, 200},
		{"no token", func(r *http.Request) { r.Header.Del("Authorization") }, 401},
		{"wrong token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer wrong") }, 401},
		{"part of the token", func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testToken[:5]) }, 401},
		{"another scheme", func(r *http.Request) { r.Header.Set("Authorization", "Basic "+testToken) }, 401},
		{"token twice", func(r *http.Request) { r.Header.Add("Authorization", "Bearer "+testToken) }, 401},
		{"token in the query", func(r *http.Request) { r.Header.Del("Authorization"); r.URL.RawQuery = "token=x" }, 401},
		{"foreign origin", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		{"origin that begins like ours", func(r *http.Request) { r.Header.Set("Origin", "http://localhost.evil.example") }, 403},
		{"null origin", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403},
		{"second origin", func(r *http.Request) { r.Header["Origin"] = []string{"http://localhost", "https://evil.example"} }, 403},
		{"foreign host", func(r *http.Request) { r.Host = "evil.example" }, 403},
		{"foreign host and no token", func(r *http.Request) { r.Host = "evil.example:80"; r.Header.Del("Authorization") }, 403},
		{"another path", func(r *http.Request) { r.URL.Path = "/" }, 404},
		{"another method", func(r *http.Request) { r.Method = http.MethodPut }, 404},
		{"another content", func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, 400},
		{"unknown session", func(r *http.Request) {
			r.Header.Set(sessionHeader, "none")
			r.Body = io.NopCloser(strings.NewReader(`{"jsonrpc":"2.0","id":1,"method":"ping"}`))
			r.ContentLength = -1
		}, 404},
		{"stream of an unknown session", func(r *http.Request) { r.Method = http.MethodGet; r.Header.Set(sessionHeader, "none") }, 404},
		{"stream of no session", func(r *http.Request) { r.Method = http.MethodGet }, 404},
		{"stream of another kind", func(r *http.Request) { r.Method = http.MethodGet; r.Header.Set("Accept", "text/html") }, 406},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, text, header := post(t, client, url, initialize, c.change)
			if status != c.want {
				t.Errorf("%d %s, want %d", status, text, c.want)
			}
			if strings.Contains(text, testToken) {
				t.Error("the answer tells the token")
			}
			if status == 401 && header.Get("WWW-Authenticate") == "" {
				t.Error("401 does not say how to authenticate")
			}
		})
	}
}

func TestHTTPAnswersNonsense(t *testing.T) {
	url := startHTTP(t, newServer(t, newHouse(t), Config{}))
	client := &http.Client{Transport: newTransport(t)}
	for _, c := range []struct {
		name, body string
		want       int
	}{
		{"empty", "", 400},
		{"no JSON", "{", 400},
		{"a number", "7", 400},
		{"binary", "\x00\xff", 400},
		{"oversize", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"` + strings.Repeat("x", maxMessage) + `"}}`, 413},
		{"empty batch", "[]", 400},
		{"batch of no session", `[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, 404},
		{"no session", `{"jsonrpc":"2.0","id":1,"method":"ping"}`, 404},
	} {
		if status, text, _ := post(t, client, url, c.body, nil); status != c.want {
			t.Errorf("%s: %d %.200s, want %d", c.name, status, text, c.want)
		}
	}
	if status, _, _ := post(t, client, url, initialize, nil); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}

func TestHTTPAnswersABatch(t *testing.T) {
	url := startHTTP(t, newServer(t, newHouse(t), Config{}))
	client := &http.Client{Transport: newTransport(t)}
	_, _, header := post(t, client, url, initialize, nil)
	inSession := func(r *http.Request) { r.Header.Set(sessionHeader, header.Get(sessionHeader)) }
	for body, want := range map[string]string{
		`[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},7,{"jsonrpc":"2.0","id":"b","method":"ping"}]`: `[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"request body is not valid json"}},{"jsonrpc":"2.0","id":"b","result":{}}]`,
		`[{"jsonrpc":"2.0","method":"x"}]`: ``,
	} {
		if _, text, _ := post(t, client, url, body, inSession); strings.TrimSpace(text) != want {
			t.Errorf("%s\ngot  %s\nwant %s", body, text, want)
		}
	}
}

func TestHTTPNeedsATokenAndLoopback(t *testing.T) {
	s := newServer(t, newHouse(t), Config{})
	local, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer local.Close()
	if err := s.HTTP(t.Context(), local, ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("without a token: %v", err)
	}
	if err := s.HTTP(t.Context(), elsewhereListener{local}, testToken); fault.KindOf(err) != fault.Invalid {
		t.Errorf("on all interfaces: %v", err)
	}
}

type elsewhereListener struct{ net.Listener }

func (elsewhereListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: 1} }

func TestSessionsAreBounded(t *testing.T) {
	url := startHTTP(t, newServer(t, newHouse(t), Config{}))
	client := &http.Client{Transport: newTransport(t)}
	var id string
	for range maxSessions {
		status, text, header := post(t, client, url, initialize, nil)
		if id = header.Get(sessionHeader); status != 200 || id == "" {
			t.Fatal(status, text)
		}
	}
	if status, _, header := post(t, client, url, initialize, nil); status != 503 || header.Get("Retry-After") == "" {
		t.Errorf("one more: %d", status)
	}
	inSession := func(r *http.Request) { r.Header.Set(sessionHeader, id) }
	if status, _, _ := post(t, client, url, `{"jsonrpc":"2.0","id":1,"method":"ping"}`, inSession); status != 200 {
		t.Errorf("a session that began: %d", status)
	}
	modern := connect(t, newServer(t, newHouse(t), Config{}), overHTTP, "2026-07-28", nil)
	if _, err := modern.ListTools(t.Context(), nil); err != nil {
		t.Errorf("a client without a session: %v", err)
	}
	if status, _, _ := post(t, client, url, "", func(r *http.Request) { inSession(r); r.Method = http.MethodDelete }); status != 200 {
		t.Errorf("ending a session: %d", status)
	}
	if status, _, _ := post(t, client, url, initialize, nil); status != 200 {
		t.Errorf("after one ended: %d", status)
	}
}

func TestIdleSessionsMakeRoom(t *testing.T) {
	l := newSessions(newUpdates(newServer(t, newHouse(t), Config{})))
	for range maxSessions {
		l.Generate()
	}
	if l.room() {
		t.Fatal("there is room over the bound")
	}
	idle, streaming := l.Generate(), l.Generate()
	l.byID[idle].used = time.Now().Add(-2 * sessionTime)
	l.byID[streaming].used = time.Now().Add(-2 * sessionTime)
	_, leave := l.byID[streaming].attach()
	if _, err := l.Validate(idle); err == nil {
		t.Error("an expired session is valid")
	}
	if _, err := l.Terminate(streaming); err != nil || l.byID[streaming] == nil {
		t.Error("a session with an open stream was ended")
	}
	leave()
	if l.byID[streaming].stale(time.Now()) {
		t.Error("a session is idle as soon as its stream closes")
	}
	l.close()
	if len(l.byID) != 0 {
		t.Error("sessions are left")
	}
}

func TestChangesWaitForTheStream(t *testing.T) {
	h := newHouse(t)
	url := startHTTP(t, newServer(t, h, Config{}))
	client := &http.Client{Transport: newTransport(t)}
	_, _, header := post(t, client, url, initialize, nil)
	inSession := func(r *http.Request) { r.Header.Set(sessionHeader, header.Get(sessionHeader)) }
	if status, text, _ := post(t, client, url, `{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"`+tripMessages+`"}}`, inSession); status != 200 {
		t.Fatal(status, text)
	}
	for i := range 2 { // the second stream takes over from the first
		h.say(t, "trip", "hello")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+testToken)
		r.Header.Set("Accept", "text/event-stream")
		inSession(r)
		response, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		buf := make([]byte, 1000)
		n, err := response.Body.Read(buf)
		if err != nil || !bytes.Contains(buf[:n], []byte(`"uri":"`+tripMessages+`"`)) {
			t.Errorf("stream %d: %q %v", i, buf[:n], err)
		}
	}
}

func TestClosedRequestCancelsTheOperation(t *testing.T) {
	p := optest.NewPeer(t)
	cs := connect(t, newServer(t, p, Config{}), overHTTP, "2026-07-28", nil)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := cs.CallTool(ctx, &mcp.CallToolParams{Name: "toy_wait"})
		done <- err
	}()
	<-p.Waiting
	cancel()
	<-p.Cancelled
	if <-done == nil {
		t.Error("the call succeeded")
	}
}

func TestModernClientCannotCancelAnothers(t *testing.T) {
	p := optest.NewPeer(t)
	url := startHTTP(t, newServer(t, p, Config{}))
	client := &http.Client{Transport: newTransport(t)}
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	modern := func(method string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Mcp-Protocol-Version", "2026-07-28")
			r.Header.Set("Mcp-Method", method)
			if method == "tools/call" {
				r.Header.Set("Mcp-Name", "toy_wait")
			}
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		status, text, _ := post(t, client, url, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"toy_wait",`+meta+`}}`, modern("tools/call"))
		if !strings.Contains(text, `unavailable`) {
			t.Errorf("the call was answered with %d %s", status, text)
		}
	})
	<-p.Waiting
	if status, _, _ := post(t, client, url, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,`+meta+`}}`, modern("notifications/cancelled")); status != 202 {
		t.Errorf("status %d", status)
	}
	p.Close() // ends the call in another way
	wg.Wait()
}

func TestThousandConnectionsWithoutAuthDoNotDisturb(t *testing.T) {
	url := startHTTP(t, newServer(t, newHouse(t), Config{}))
	addr := strings.TrimSuffix(strings.TrimPrefix(url, "http://"), Path)
	client := &http.Client{Transport: newTransport(t)}
	if status, _, _ := post(t, client, url, initialize, nil); status != 200 {
		t.Fatal(status)
	}
	for i := range 1100 {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nX: %d", Path, i) // never ends
	}
	if status, _, _ := post(t, client, url, initialize, nil); status != 200 {
		t.Errorf("a connection that was there: %d", status)
	}
}

func FuzzCancels(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if cancels(body) && !json.Valid(body) {
			t.Error("no JSON cancels")
		}
	})
}
