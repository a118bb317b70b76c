package agent_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"intercom/agent"
	"intercom/core/event"
)

func TestW64SlowClientGetsAGapAndSlowsNobody(t *testing.T) {
	peer := newFake(t) // its ring keeps 64 events
	addr := serve(t, peer, agent.Config{})
	slow, fast := login(t, addr), login(t, addr)
	const n = 400
	big := `"` + strings.Repeat("x", 100_000) + `"`
	for range n { // 40 MB: more than the buffers of a socket hold
		peer.message("trip", big)
		fast.expect("sidechannel_message")
	}
	got, missed := 0, 0
	for got+missed < n {
		switch frame := slow.next(); frame["type"] {
		case "sidechannel_message":
			got++
		case "gap":
			missed += int(frame["missed"].(float64))
		default:
			t.Fatalf("got %v", frame)
		}
	}
	if missed == 0 || got+missed != n {
		t.Errorf("%d arrived and %d are told to be missed, of %d", got, missed, n)
	}
	slow.ask(`{"type":"ping"}`)
}

func TestW64ClientThatNeverReadsIsCutOff(t *testing.T) {
	peer := newFake(t)
	released := make(chan string, 2)
	addr := serve(t, peer, agent.Config{
		Limits:  agent.Limits{WriteTime: 50 * time.Millisecond},
		Release: func(client string) { released <- client },
	})
	stuck, fast := login(t, addr), login(t, addr)
	for range 400 {
		peer.message("trip", `"`+strings.Repeat("x", 100_000)+`"`)
		fast.expect("sidechannel_message")
	}
	select {
	case <-released:
	case <-time.After(patience):
		t.Fatal("the client is still there")
	}
	fast.ask(`{"type":"ping"}`)
	_ = stuck
}

func TestClientsThatDoNotAnswerPingsAreCutOff(t *testing.T) {
	released := make(chan string, 2)
	addr := serve(t, newFake(t), agent.Config{
		Limits:  agent.Limits{PingEvery: 20 * time.Millisecond, PingTime: 100 * time.Millisecond},
		Release: func(client string) { released <- client },
	})
	c := login(t, addr)
	deaf := login(t, addr)
	frames := make(chan string, 1)
	go func() {
		for {
			frame, err := c.read() // reading answers pings
			if err != nil {
				return
			}
			frames <- frame
		}
	}()
	select {
	case <-released: // the deaf one: the other is pinged as often
	case <-time.After(patience):
		t.Fatal("the deaf client is still there")
	}
	c.send(`{"type":"ping"}`)
	if frame := <-frames; !strings.Contains(frame, "pong") {
		t.Errorf("got %s", frame)
	}
	_ = deaf
}

func TestEventsOfAnotherRunAreAGap(t *testing.T) {
	peer := newFake(t)
	c := login(t, serve(t, stale{peer}, agent.Config{}))
	if frame := c.expect("gap"); frame["missed"] != nil {
		t.Errorf("got %v", frame)
	}
}

// stale gives a cursor that an earlier run of the peer made.
type stale struct{ *fake }

func (stale) Now(context.Context) (event.Cursor, error) { return "earlier:7", nil }
