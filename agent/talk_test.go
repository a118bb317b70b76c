package agent_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"context"

	"github.com/coder/websocket"

	"intercom/agent"
)

var update = flag.Bool("update", false, "write what the bridge says into testdata/talk")

// TestTalk plays the conversations of testdata/talk: what each kind of client
// says and, to the letter, what the bridge answers. A line is
//
//	# a comment
//	config {"CLI":true}             how the bridge serves; the first line if any
//	a connect                       a client called a opens a connection
//	a > {"type":"ping"}             a sends a text frame
//	a >binary {"type":"ping"}       a sends a binary frame
//	a < {"type":"pong","ts":…}      a receives a frame; … is anything
//	message trip "hello"            a message arrives in channel trip
//	event peer_joined {"peer":"x"}  something else happens
func TestTalk(t *testing.T) {
	scripts, err := filepath.Glob("testdata/talk/*.txt")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, path := range scripts {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) { play(t, path) })
	}
}

func play(t *testing.T, path string) {
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimRight(string(script), "\n"), "\n")
	peer := newFake(t)
	stage := &stage{peer: peer, clients: map[string]*client{}}
	cfg := agent.Config{Release: peer.release}
	for i, line := range lines {
		if rest, ok := strings.CutPrefix(line, "config "); ok {
			if err := json.Unmarshal([]byte(rest), &cfg); err != nil {
				t.Fatalf("line %d: %v", i+1, err)
			}
		}
	}
	stage.addr = serve(t, peer, cfg)
	for i, line := range lines {
		said := stage.play(t, line)
		if said != line && !*update {
			t.Errorf("line %d:\n got %s\nwant %s", i+1, said, line)
		}
		lines[i] = said
	}
	if *update {
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// stage is where a script plays.
type stage struct {
	addr    string
	peer    *fake
	clients map[string]*client
}

// play runs a line and gives it back, with what the bridge said instead of
// what was expected where they differ.
func (s *stage) play(t *testing.T, line string) string {
	t.Helper()
	who, rest, _ := strings.Cut(line, " ")
	what, frame, _ := strings.Cut(rest, " ")
	switch {
	case who == "" || who == "#" || who == "config":
	case who == "message":
		s.peer.message(what, frame)
	case who == "event":
		s.peer.hub.Publish(what, json.RawMessage(frame))
	case what == "connect":
		s.clients[who] = connect(t, s.addr)
	case what == ">":
		s.clients[who].send(frame)
	case what == ">binary":
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.clients[who].conn.Write(ctx, websocket.MessageBinary, []byte(frame)); err != nil {
			t.Fatal(err)
		}
	case what == "<":
		said, err := s.clients[who].read()
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !fits(frame, said) {
			return who + " < " + said
		}
	default:
		t.Fatalf("line %q is not understood", line)
	}
	return line
}

// fits compares a frame with what a script expects, in which … is anything.
func fits(expected, said string) bool {
	pattern := strings.ReplaceAll(regexp.QuoteMeta(expected), "…", ".*")
	return regexp.MustCompile("^(?s:" + pattern + ")$").MatchString(said)
}

func TestPongTellsThePeersClock(t *testing.T) {
	c := login(t, serve(t, newFake(t), agent.Config{}))
	before := time.Now().UnixMilli()
	ts := int64(c.ask(`{"type":"ping"}`)["ts"].(float64))
	if ts < before || ts > time.Now().UnixMilli() {
		t.Errorf("ts %d is not now", ts)
	}
}
