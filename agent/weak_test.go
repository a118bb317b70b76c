package agent_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"intercom/agent"
	"intercom/core/op"
)

func TestW65OutputOfOthersNeverMixesIn(t *testing.T) {
	peer := newFake(t, op.New(op.Spec[wordIn, wordIn]{
		Name: "say", Owner: "toy", Summary: "Say a word", Access: op.Read, Example: `{"word":"a"}`,
		Run: func(_ context.Context, in wordIn) (wordIn, error) {
			slog.Default().Debug("noise on a console", "word", in.Word)
			return in, nil
		},
		Text: func(out wordIn) string { return "first\n" + out.Word },
	}))
	addr := serve(t, peer, agent.Config{CLI: true})
	var wg sync.WaitGroup
	for i := range 8 {
		c := login(t, addr)
		wg.Go(func() {
			for j := range 50 {
				word := fmt.Sprintf("w%d-%d", i, j)
				frame := c.ask(fmt.Sprintf(`{"type":"cli","command":"/say --word %s"}`, word))
				if got := fmt.Sprint(frame["output"]); got != "[first "+word+"]" {
					t.Errorf("%s got %s", word, got)
				}
			}
		})
	}
	wg.Wait()
}

type wordIn struct {
	Word string `json:"word" jsonschema:"a word"`
}

func TestW66LeaveDoesNotTakeTheChannelFromAnother(t *testing.T) {
	peer := newFake(t)
	addr := serve(t, peer, agent.Config{Release: peer.release})
	a, b := login(t, addr), login(t, addr)
	a.ask(`{"type":"join","channel":"trip"}`)
	b.ask(`{"type":"join","channel":"trip"}`)
	if frame := a.ask(`{"type":"leave","channel":"trip"}`); frame["ok"] != true {
		t.Errorf("got %v", frame)
	}
	if !peer.joined("trip") {
		t.Error("the channel is gone")
	}
	peer.message("trip", `"for b"`)
	peer.message("work", `"for both"`)
	b.expect("sidechannel_message")
	if frame := a.expect("sidechannel_message"); frame["channel"] != "work" {
		t.Errorf("who left still hears: %v", frame)
	}
	b.conn.CloseNow()
	eventually(t, "the channel to go with the last who held it", func() bool { return !peer.joined("trip") })
}

func TestW70OnlyWholeNamesAreCommands(t *testing.T) {
	c := login(t, serve(t, newFake(t), agent.Config{CLI: true}))
	for command, want := range map[string]string{
		"/txfoo":                          "unknown",
		"/sc_joinx --channel a":           "unknown",
		"/sc_join --channel=a=b":          "",
		"/tx --command x":                 "unknown",
		"/sc_join --channel":              "invalid",
		"/sc_send --channel a --mesage x": "invalid",
		`/sc_join "a`:                     "invalid",
	} {
		request, _ := json.Marshal(map[string]any{"type": "cli", "command": command})
		frame := c.ask(string(request))
		if kind, _ := frame["kind"].(string); kind != want || frame["ok"] != (want == "") {
			t.Errorf("%s: %v", command, frame)
		}
	}
}

func TestW72FailureIsToldAndTheBridgeGoesOn(t *testing.T) {
	c := login(t, serve(t, newFake(t), agent.Config{CLI: true}))
	for _, request := range []string{`{"id":1,"type":"crash"}`, `{"id":1,"type":"cli","command":"/crash"}`} {
		frame := c.ask(request)
		if frame["kind"] != "internal" || frame["error"] != "internal error" || strings.Contains(fmt.Sprint(frame), "seed=") {
			t.Errorf("%s: %v", request, frame)
		}
	}
	c.ask(`{"type":"ping"}`)
}

func TestW72StopEndsEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	peer := newFake(t)
	released := make(chan string, 3)
	addr, stop := serveUntil(t, peer, agent.Config{Release: func(client string) { released <- client }})
	idle, busy, stranger := login(t, addr), login(t, addr), connect(t, addr)
	stranger.expect("hello")
	busy.send(`{"type":"send","channel":"slow","message":1}`)
	idle.ask(`{"type":"ping"}`)
	read := make(chan websocket.StatusCode, 1)
	go func() { read <- idle.ended() }()
	stop()
	if len(released) != 3 {
		t.Errorf("%d clients were released before Run returned", len(released))
	}
	if code := <-read; code != websocket.StatusGoingAway {
		t.Errorf("the connection ended with %v", code)
	}
	if conn, err := net.Dial("tcp", addr); err == nil {
		conn.Close()
		t.Error("the port is still open")
	}
	for _, c := range []*client{idle, busy, stranger} {
		c.conn.CloseNow()
	}
	eventually(t, "all goroutines to end", func() bool { return runtime.NumGoroutine() <= before+1 })
}
