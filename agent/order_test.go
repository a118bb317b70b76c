package agent_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"intercom/agent"
	"intercom/core/op"
)

func TestRequestsWithoutIDAreAnsweredInOrder(t *testing.T) {
	peer := newFake(t)
	c := login(t, serve(t, peer, agent.Config{Limits: agent.Limits{Patience: time.Millisecond}}))
	c.send(`{"type":"send","channel":"slow","message":1}`)
	c.send(`{"type":"ping"}`)
	c.send(`not json`)
	c.send(`{"type":"sc_join","channel":"trip"}`)
	c.send(`{"id":1,"type":"ping"}`)
	close(peer.block)
	for _, want := range []string{"sent", "pong", "error", "sc_join", "pong"} {
		c.expect(want)
	}
}

func TestWhoWaitsLetsOthersPass(t *testing.T) {
	peer := newFake(t)
	c := login(t, serve(t, peer, agent.Config{Limits: agent.Limits{Patience: time.Hour}}))
	c.send(`{"id":1,"type":"sc_send","channel":"trip","message":1,"wait_ms":60000}`)
	c.send(`{"id":2,"type":"sc_send","params":{"channel":"trip","message":1,"wait_ms":60000}}`)
	if frame := c.ask(`{"type":"ping"}`); frame["type"] != "pong" {
		t.Fatalf("got %v", frame)
	}
	close(peer.block)
	first, second := c.expect("sc_send")["id"].(float64), c.expect("sc_send")["id"].(float64)
	if first+second != 3 {
		t.Errorf("answers to %v and %v", first, second)
	}
}

func TestSlowRequestLosesPatience(t *testing.T) {
	peer := newFake(t)
	c := login(t, serve(t, peer, agent.Config{Limits: agent.Limits{Patience: time.Millisecond}}))
	c.send(`{"id":1,"type":"send","channel":"slow","message":1}`)
	if frame := c.ask(`{"id":2,"type":"ping"}`); frame["type"] != "pong" {
		t.Fatalf("got %v", frame)
	}
	close(peer.block)
	if frame := c.expect("sent"); frame["id"] != 1.0 {
		t.Errorf("got %v", frame)
	}
}

func TestRequestsTakeEffectInOrder(t *testing.T) {
	peer := newFake(t)
	c := login(t, serve(t, peer, agent.Config{}))
	const n = 300
	go func() {
		for i := range n {
			kind := []string{"send", "sc_send"}[i%2]
			c.send(fmt.Sprintf(`{"id":%d,"type":%q,"channel":"trip","message":%d}`, i, kind, i))
		}
	}()
	for i := range n {
		if frame := c.next(); frame["id"] != float64(i) {
			t.Fatalf("answer %d: %v", i, frame)
		}
	}
	for i, message := range peer.messages() {
		if message != fmt.Sprint(i) {
			t.Fatalf("message %d is %s", i, message)
		}
	}
}

func TestPendingRequestsAreBounded(t *testing.T) {
	var running, most atomic.Int32
	release := make(chan struct{})
	peer := newFake(t, op.New(op.Spec[waitIn, none]{
		Name: "hold", Owner: "toy", Summary: "Wait", Access: op.Read, Example: `{}`,
		Run: func(ctx context.Context, _ waitIn) (none, error) {
			most.Store(max(most.Load(), running.Add(1)))
			defer running.Add(-1)
			select {
			case <-release:
			case <-ctx.Done():
			}
			return none{}, nil
		},
	}))
	c := login(t, serve(t, peer, agent.Config{Limits: agent.Limits{Pending: 3}}))
	for i := range 10 {
		c.send(fmt.Sprintf(`{"id":%d,"type":"hold","wait_ms":1}`, i))
	}
	eventually(t, "three calls to run", func() bool { return running.Load() == 3 })
	close(release)
	for range 10 {
		c.expect("hold")
	}
	if most.Load() > 3 {
		t.Errorf("%d ran at once", most.Load())
	}
}

type waitIn struct {
	WaitMS op.WaitMS `json:"wait_ms,omitempty" jsonschema:"how long"`
}

func TestClosedConnectionCancelsItsCallsAndReleasesItsHold(t *testing.T) {
	peer := newFake(t)
	released := make(chan string, 1)
	addr := serve(t, peer, agent.Config{Release: func(client string) {
		peer.release(client)
		released <- client
	}})
	c := login(t, addr)
	c.ask(`{"type":"join","channel":"trip"}`)
	c.send(`{"type":"send","channel":"slow","message":1}`)
	c.send(`{"type":"send","channel":"trip","message":"never begins"}`)
	c.conn.CloseNow()
	select {
	case <-released:
	case <-time.After(patience):
		t.Fatal("the call was not cancelled")
	}
	if peer.joined("trip") || len(peer.messages()) > 0 {
		t.Errorf("held: %v, sent: %v", peer.joined("trip"), peer.messages())
	}
}
