package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/op/optest"
)

// speak sends lines as one client would, ends the input and gives what was
// written, line by line.
func speak(t testing.TB, s *Server, lines ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := s.ServeStdio(t.Context(), strings.NewReader(strings.Join(lines, "\n")), &out); err != nil {
		t.Fatal(err)
	}
	text := strings.TrimRight(out.String(), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

// ask sends one message and gives its one answer.
func ask(t testing.TB, s *Server, message string) []byte {
	t.Helper()
	answers := speak(t, s, message)
	if len(answers) != 1 {
		t.Fatalf("%.100s got %d answers: %.300q", message, len(answers), answers)
	}
	return []byte(answers[0])
}

func TestStdioAnswersNonsense(t *testing.T) {
	s := newServer(t, newHouse(t), Config{})
	for _, c := range []struct{ name, line, want string }{
		{"no JSON", `{"jsonrpc":`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"binary", "\x00\xff\xfe", `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,`},
		{"a number", `7`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"a text", `"ping"`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"no method", `{"jsonrpc":"2.0"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"method no text", `{"jsonrpc":"2.0","id":1,"method":7}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,`},
		{"id null", `{"jsonrpc":"2.0","id":null,"method":"ping"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"id an object", `{"jsonrpc":"2.0","id":{},"method":"ping"}`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"another version", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,`},
		{"unknown method", `{"jsonrpc":"2.0","id":1,"method":"nonsense"}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,`},
		{"params a list", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}`, `{"jsonrpc":"2.0","id":1,"error":{"code":-32600,`},
		{"long id", `{"jsonrpc":"2.0","id":9007199254740993,"method":"ping"}`, `{"jsonrpc":"2.0","id":9007199254740993,"result":{}}`},
		{"text id", `{"jsonrpc":"2.0","id":"","method":"ping"}`, `{"jsonrpc":"2.0","id":"","result":{}}`},
		{"empty batch", `[]`, `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"batch of nonsense", `[1,{"jsonrpc":"2.0","method":"x"}]`, `[{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
		{"long line", `{"jsonrpc":"2.0","id":8,"method":"ping","params":{"x":"` + strings.Repeat("x", maxMessage) + `"}}`, `{"jsonrpc":"2.0","id":8,"error":{"code":-32600,`},
		{"long nonsense", strings.Repeat("x", 3*maxMessage), `{"jsonrpc":"2.0","id":null,"error":{"code":-32600,`},
	} {
		t.Run(c.name, func(t *testing.T) {
			answers := speak(t, s, c.line, "", "  ", `{"jsonrpc":"2.0","id":"last","method":"ping"}`)
			if len(answers) != 2 {
				t.Fatalf("%d answers: %.300q", len(answers), answers)
			}
			if !strings.HasPrefix(answers[0], c.want) {
				answers[0], answers[1] = answers[1], answers[0] // a request and the ping may cross
			}
			if !strings.HasPrefix(answers[0], c.want) || answers[1] != `{"jsonrpc":"2.0","id":"last","result":{}}` {
				t.Errorf("got  %.300q\nwant %s…", answers, c.want)
			}
		})
	}
}

func TestStdioIsSilentWhereNothingIsAsked(t *testing.T) {
	s := newServer(t, newHouse(t), Config{})
	if got := speak(t, s,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":7}}`,
		`{"jsonrpc":"2.0","method":"notifications/cancelled","params":[]}`,
		`{"jsonrpc":"2.0","method":"whatever"}`,
		`{"jsonrpc":"2.0","id":7,"result":{}}`,
		`[{"jsonrpc":"2.0","method":"whatever"}]`,
	); got != nil {
		t.Errorf("got %q", got)
	}
}

func TestStdioAnswersABatch(t *testing.T) {
	answer := ask(t, newServer(t, newHouse(t), Config{}), `[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":"b","method":"ping"}]`)
	if want := `[{"jsonrpc":"2.0","id":1,"result":{}},{"jsonrpc":"2.0","id":"b","result":{}}]`; string(answer) != want {
		t.Errorf("got %s\nwant %s", answer, want)
	}
}

func TestStdioAnswersBeforeItEnds(t *testing.T) {
	s := newServer(t, newHouse(t), Config{})
	s.grace = 20 * time.Second
	answer := ask(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"events_read","arguments":{"wait_ms":50}}}`)
	if !strings.Contains(string(answer), `"structuredContent":{"untrusted":true,"events":[]`) {
		t.Errorf("got %s", answer)
	}
}

// wire is a stdio client by hand.
type wire struct {
	in  io.WriteCloser
	out *json.Decoder
}

func open(t testing.TB, s *Server) wire {
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	t.Cleanup(func() { fromServer.Close() })
	serveUntilEnd(t, func(ctx context.Context) error { return s.ServeStdio(ctx, in, out) })
	return wire{toServer, json.NewDecoder(fromServer)}
}

func (w wire) send(t testing.TB, line string) {
	t.Helper()
	if _, err := io.WriteString(w.in, line+"\n"); err != nil {
		t.Fatal(err)
	}
}

func (w wire) receive(t testing.TB) (answer struct {
	ID    json.RawMessage `json:"id"`
	Error *struct {
		Message string `json:"message"`
	} `json:"error"`
}) {
	t.Helper()
	if err := w.out.Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

func TestCancelledRequestHasNoAnswer(t *testing.T) {
	p := optest.NewPeer(t)
	w := open(t, newServer(t, p, Config{}))
	w.send(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"toy_wait"}}`)
	<-p.Waiting
	w.send(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"1"}}`) // another id
	w.send(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`)
	if answer := w.receive(t); answer.Error == nil || !strings.Contains(answer.Error.Message, "id 1 belongs to") {
		t.Errorf("an id in use: %+v", answer)
	}
	w.send(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`)
	<-p.Cancelled
	w.send(t, `{"jsonrpc":"2.0","id":2,"method":"ping"}`)
	if answer := w.receive(t); string(answer.ID) != "2" || answer.Error != nil {
		t.Errorf("after the cancel: %+v", answer)
	}
}

func TestTooManyRequestsAreRefusedAndServingGoesOn(t *testing.T) {
	p := optest.NewPeer(t)
	w := open(t, newServer(t, p, Config{}))
	id := func(i int) string { b, _ := json.Marshal(i); return string(b) }
	for i := range maxInFlight {
		w.send(t, `{"jsonrpc":"2.0","id":`+id(i)+`,"method":"tools/call","params":{"name":"toy_wait"}}`)
	}
	w.send(t, `{"jsonrpc":"2.0","id":"more","method":"ping"}`)
	if answer := w.receive(t); string(answer.ID) != `"more"` || answer.Error == nil {
		t.Errorf("one more: %+v", answer)
	}
	for i := range maxInFlight {
		<-p.Waiting
		w.send(t, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":`+id(i)+`}}`)
	}
	for range maxInFlight {
		<-p.Cancelled
	}
	deadline := time.Now().Add(10 * time.Second) // the places become free just behind
	for {
		w.send(t, `{"jsonrpc":"2.0","id":"again","method":"ping"}`)
		if w.receive(t).Error == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("no place becomes free")
		}
	}
}

func TestClientThatReadsNothingDoesNotKeepTheServer(t *testing.T) {
	p := optest.NewPeer(t)
	s := newServer(t, p, Config{})
	in, toServer := io.Pipe()
	_, out := io.Pipe() // never read
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.ServeStdio(ctx, in, out) }()
	if _, err := io.WriteString(toServer, `{"jsonrpc":"2.0","id":1,"method":"ping"}`+"\n"); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Fatal("serving does not end")
	}
}

// breaking fails every write after some.
type breaking struct {
	mu   sync.Mutex
	left int
}

func (b *breaking) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left--; b.left < 0 {
		return 0, errors.New("broken pipe")
	}
	return len(p), nil
}

func TestBrokenOutputEndsServing(t *testing.T) {
	in, toServer := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		ended <- newServer(t, newHouse(t), Config{}).ServeStdio(t.Context(), in, &breaking{left: 1})
	}()
	for {
		if _, err := io.WriteString(toServer, `{"jsonrpc":"2.0","id":`+string(rune('0'+rand.IntN(10)))+`,"method":"ping"}`+"\n"); err != nil {
			break
		}
	}
	if err := <-ended; err == nil || !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("ended with %v", err)
	}
}

func FuzzStdio(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`,
		`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"sc_send","arguments":{"channel":"a","message":"b"}}}`,
		`{"jsonrpc":"2.0","id":"a","method":"resources/subscribe","params":{"uri":"intercom://channel/a/messages"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"subscriptions/listen","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},"notifications":{"resourceSubscriptions":["intercom://room/a/ledger"]}}}`,
		`[{"jsonrpc":"2.0","id":1,"method":"ping"}]`, `{"id":1}`, "\n\n[", `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}`,
	} {
		f.Add([]byte(seed))
	}
	s := newServer(f, newHouse(f), Config{Toolsets: []string{"sidechannel"}})
	s.grace = 2 * time.Second
	f.Fuzz(func(t *testing.T, input []byte) {
		var out bytes.Buffer
		if err := s.ServeStdio(t.Context(), bytes.NewReader(input), &out); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			if !json.Valid(line) {
				t.Errorf("not JSON: %q", line)
			}
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("a\n\nbb\r\n   \nccccccccc\nd"), 3)
	f.Fuzz(func(t *testing.T, input []byte, most int) {
		most = 1 + (most&0xff+0x100)%0x100
		in := newLines(bytes.NewReader(input), most)
		for {
			line, whole, err := in.next()
			if err != nil && len(line) == 0 {
				return
			}
			if len(line) > most+1 || (whole && len(line) > most) || bytes.ContainsRune(line, '\n') {
				t.Fatalf("%q with bound %d, whole %v", line, most, whole)
			}
		}
	})
}
