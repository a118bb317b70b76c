package sidechannel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/p2p"
)

// trio is alice, bob and carol in a line, all in trip.
func trio(t *testing.T) (net *simnet, alice, bob, carol *peer) {
	net = newSimnet()
	cfg := Config{Channels: []ChannelName{"trip"}}
	alice, bob, carol = newPeer(t, net, "alice", cfg), newPeer(t, net, "bob", cfg), newPeer(t, net, "carol", cfg)
	net.link(alice.id.PublicKey(), bob.id.PublicKey())
	net.link(bob.id.PublicKey(), carol.id.PublicKey())
	for _, p := range []*peer{alice, bob, carol} {
		p.start(t)
	}
	return net, alice, bob, carol
}

func send(t testing.TB, p *peer, channel ChannelName, message string) string {
	t.Helper()
	id, _, err := p.Send(t.Context(), channel, json.RawMessage(message))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestMessageIsReportedAsUpstreamDoes(t *testing.T) {
	net, alice, bob, carol := trio(t)
	id := send(t, alice, "trip", ` {"b":1, "a":"<é>"} `)
	net.flush()

	from := alice.id.PublicKey().String()
	for receiver, relay := range map[*peer]string{bob: `null,"ttl":3`, carol: `"` + bob.id.PublicKey().String() + `","ttl":2`} {
		got := receiver.events(t, "sidechannel_message")
		if len(got) != 1 {
			t.Fatalf("%d events, want 1: %v", len(got), got)
		}
		var e struct {
			Sig string
			TS  int64
		}
		if err := json.Unmarshal([]byte(got[0]), &e); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf(`{"channel":"trip","id":"%s","from":"%s","origin":"%s","sig":"%s","relayedBy":%s,"ts":%d,"message":{"b":1,"a":"<é>"}}`,
			id, from, from, e.Sig, relay, e.TS)
		if got[0] != want {
			t.Errorf("event\n%s\nwant\n%s", got[0], want)
		}
	}
	if got := alice.events(t, "sidechannel_message"); len(got) != 0 {
		t.Errorf("the sender's own message came back: %v", got)
	}
}

func TestSendTellsHowManyHeardIt(t *testing.T) {
	net, alice, bob, _ := trio(t)
	if got := alice.call(t, "", "sc_send", `{"channel":"trip","message":1}`); got["peers"] != 1.0 || got["joined"] != nil {
		t.Errorf("to one neighbour: %v", got)
	}
	if got := bob.call(t, "", "sc_send", `{"channel":"trip","message":1}`); got["peers"] != 2.0 {
		t.Errorf("to two neighbours: %v", got)
	}
	if got := alice.call(t, "", "sc_send", `{"ch":"alone","msg":1}`); got["peers"] != 0.0 || got["joined"] != true || got["channel"] != "alone" {
		t.Errorf("to nobody: %v", got)
	}
	net.flush()
	if got := bob.call(t, "", "sc_stats", `{}`)["channels"].([]any)[1]; fmt.Sprint(got) != "map[dropped:map[] members:2 name:trip open:true received:1 sent:1]" {
		t.Errorf("stats of trip: %v", got)
	}
}

func TestWhatNobodyWouldTakeIsNotSent(t *testing.T) {
	_, alice, _, _ := trio(t)
	for _, c := range []struct {
		message string
		kind    fault.Kind
		text    string
	}{
		{``, fault.Invalid, "missing"},
		{`null`, fault.Invalid, "null"},
		{` null `, fault.Invalid, "null"},
		{`1e999`, fault.Invalid, "null"}, // what JavaScript makes of it
		{`{`, fault.Invalid, "not JSON"},
		{`{"control":"auth"}`, fault.Invalid, "control"},
		{`{"a":1,"\u0063ontrol":0}`, fault.Invalid, "control"},
		{strings.Repeat("[", 200) + strings.Repeat("]", 200), fault.Invalid, "too deep"},
		{`"` + strings.Repeat("x", MaxFrameBytes) + `"`, fault.Limited, "message too large (1000460 bytes > 1000000)."},
	} {
		_, _, err := alice.Send(t.Context(), "new", json.RawMessage(c.message))
		if f := fault.Of(err); f == nil || f.Kind != c.kind || !strings.Contains(f.Message, c.text) || f.Hint == "" {
			t.Errorf("Send(%.40s) = %v, want %s %q", c.message, err, c.kind, c.text)
		}
	}
	if _, f := alice.try("", "sc_send", `{"channel":"new"}`); f == nil || f.Kind != fault.Invalid {
		t.Errorf("a missing message: %v", f)
	}
	if _, f := alice.try("", "sc_send", `{"channel":"new","message":null}`); f == nil || f.Kind != fault.Invalid {
		t.Errorf("a null message: %v", f)
	}
	if slices.Contains(alice.Joined(), "new") {
		t.Error("a refused message joined the channel")
	}
}

func TestLargestMessageArrives(t *testing.T) {
	net, alice, bob, _ := trio(t)
	f := frame{id: newID(alice.screen.self, time.Now().UnixMilli()), channel: `"trip"`, from: alice.screen.self, origin: true, message: []byte(`""`), ts: time.Now().UnixMilli()}
	longest := strings.Repeat("x", MaxFrameBytes-f.size())
	send(t, alice, "trip", `"`+longest+`"`)
	net.flush()
	if got := bob.call(t, "", "sc_read", `{"channel":"trip"}`)["messages"].([]any); len(got) != 1 || got[0].(map[string]any)["message"] != longest {
		t.Errorf("%d messages arrived", len(got))
	}
	if _, _, err := alice.Send(t.Context(), "trip", json.RawMessage(`"`+longest+`x"`)); fault.KindOf(err) != fault.Limited {
		t.Errorf("one byte more: %v", err)
	}
}

// Whatever the network does to packets, what arrives was sent, and arrives once.
func TestWildNetworkDeliversOnceWhatWasSent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		net := newSimnet()
		alice, bob := newPeer(t, net, "alice", Config{}), newPeer(t, net, "bob", Config{})
		net.link(alice.id.PublicKey(), bob.id.PublicKey())
		alice.start(t)
		bob.start(t)
		for i := range rapid.IntRange(1, 8).Draw(rt, "messages") {
			send(t, alice, Entry, fmt.Sprint(i))
		}
		packets := net.take()
		arrived := map[int]bool{}
		for range rapid.IntRange(0, 20).Draw(rt, "steps") {
			i := rapid.IntRange(0, len(packets)-1).Draw(rt, "packet")
			p := packets[i]
			if rapid.Bool().Draw(rt, "altered") {
				p.data = slices.Clone(p.data)
				p.data[rapid.IntRange(0, len(p.data)-1).Draw(rt, "byte")] ^= 1 << rapid.IntRange(0, 7).Draw(rt, "bit")
				if got := net.arrive(p); got == p2p.Accept {
					rt.Fatalf("accepted an altered frame %s", p.data)
				}
				continue
			}
			if got := net.arrive(p); (got == p2p.Accept) == arrived[i] {
				rt.Fatalf("packet %d: %v, arrived before: %v", i, got, arrived[i])
			}
			arrived[i] = true
		}
		if got := bob.events(t, "sidechannel_message"); len(got) != len(arrived) {
			rt.Fatalf("%d events for %d messages", len(got), len(arrived))
		}
	})
}

// Nothing a client or a peer does at once with another breaks the plane.
func TestEverythingAtOnce(t *testing.T) {
	net, alice, bob, _ := trio(t)
	done := make(chan struct{})
	workers := 0
	work := func(f func(i int)) {
		workers++
		go func() {
			defer func() { done <- struct{}{} }()
			for i := range 200 {
				f(i)
			}
		}()
	}
	for w := range 4 {
		client := fmt.Sprint("client", w)
		work(func(i int) { alice.try(client, "sc_join", fmt.Sprintf(`{"channel":"c%d"}`, i%5)) })
		work(func(i int) { alice.try(client, "sc_leave", fmt.Sprintf(`{"channel":"c%d"}`, i%7)) })
		work(func(i int) { alice.try(client, "sc_send", fmt.Sprintf(`{"channel":"c%d","message":%d}`, i%3, i)) })
	}
	work(func(int) { send(t, bob, "trip", "1"); net.flush() })
	work(func(int) { alice.try("", "sc_read", `{"channel":"trip","wait_ms":1}`); alice.try("", "sc_stats", `{}`) })
	work(func(i int) {
		alice.Release(fmt.Sprint("client", i%4))
		alice.Members("c1")
		alice.May("c1", identity.PublicKey{}, Read)
	})
	for range workers {
		<-done
	}
	net.flush()
	if got := alice.totals.counts(); got.Received != 200 {
		t.Errorf("received %d of 200", got.Received)
	}
}
