package sidechannel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/fault"
	"intercom/core/p2p"
)

func TestChannelIsLeftOnlyWhenNoOtherClientHoldsIt(t *testing.T) {
	_, alice, _, _ := trio(t)
	join := func(client string) { alice.call(t, client, "sc_join", `{"channel":"ops"}`) }
	leave := func(client string) string {
		got := alice.call(t, client, "sc_leave", `{"channel":"ops"}`)
		return fmt.Sprint(got["ok"], got["left"])
	}
	join("a")
	join("b")
	for _, c := range []struct{ client, want string }{
		{"stranger", "true false"}, {"a", "true false"}, {"a", "true false"}, {"b", "true true"}, {"b", "false false"},
	} {
		if got := leave(c.client); got != c.want {
			t.Errorf("leave by %s: ok, left = %s, want %s", c.client, got, c.want)
		}
	}

	join("a")
	alice.call(t, "b", "sc_send", `{"channel":"ops","message":1}`) // who sends wants to hear the answer
	alice.Release("a")
	if got := leave("a"); got != "true false" {
		t.Errorf("leave while the sender holds it: %s", got)
	}
	alice.Release("b")
	send(t, alice, "ops", "1") // the peer itself holds nothing
	if !slices.Contains(alice.Joined(), "ops") {
		t.Error("a client that went took the channel along")
	}
	if got := leave("c"); got != "true true" {
		t.Errorf("leave when nobody holds it: %s", got)
	}
	if got := alice.call(t, "a", "sc_leave", `{"channel":"0000intercom"}`); got["ok"] != false || !slices.Contains(alice.Joined(), string(Entry)) {
		t.Errorf("leaving the entry channel: %v", got)
	}
	if joins, leaves := len(alice.events(t, "channel_joined")), alice.events(t, "channel_left"); joins != 2 || len(leaves) != 2 || leaves[0] != `{"channel":"ops"}` {
		t.Errorf("%d channel_joined, channel_left %v", joins, leaves)
	}
}

func TestChannelsSurviveARestartUntilTheyAreLeft(t *testing.T) {
	net, disk := newSimnet(), newStore(t)
	names := func(cfg Config, use func(p *peer)) []string {
		p := newPeer(t, net, "alice", cfg, disk)
		stop := p.start(t)
		use(p)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		return newPeer(t, net, "alice", Config{}, disk).Joined()
	}
	got := names(Config{Channels: []ChannelName{"flag"}}, func(p *peer) {
		p.call(t, "a", "sc_join", `{"channel":" trip "}`)
		p.call(t, "a", "sc_send", `{"channel":"Üñ:\"x\"","message":1}`)
		p.call(t, "a", "sc_join", `{"channel":"0000intercom"}`)
	})
	if want := []string{"0000intercom", "trip", `Üñ:"x"`}; !slices.Equal(got, want) {
		t.Errorf("after a restart: %q, want %q", got, want)
	}
	got = names(Config{}, func(p *peer) { p.call(t, "b", "sc_leave", `{"channel":"trip"}`) })
	if want := []string{"0000intercom", `Üñ:"x"`}; !slices.Equal(got, want) {
		t.Errorf("after leaving: %q, want %q", got, want)
	}
}

func TestW48RestartedPeerDeliversNothingTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, disk := newSimnet(), newStore(t)
		alice := newPeer(t, net, "alice", Config{})
		bob := newPeer(t, net, "bob", Config{}, disk)
		net.link(alice.id.PublicKey(), bob.id.PublicKey())
		alice.start(t)
		stop := bob.start(t)
		send(t, alice, Entry, `"before"`)
		recorded := net.take()
		net.arrive(recorded[0])
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)

		bob = newPeer(t, net, "bob", Config{}, disk)
		bob.start(t)
		if got := net.arrive(recorded[0]); got != p2p.Ignore {
			t.Errorf("a replay after the restart: %v", got)
		}
		send(t, alice, Entry, `"after"`)
		net.flush()
		got := bob.events(t, "sidechannel_message")
		if len(got) != 1 || !strings.Contains(got[0], `"after"`) {
			t.Errorf("after the restart %v", got)
		}
		read := bob.call(t, "", "sc_read", `{"channel":"0000intercom","after":1}`)
		if len(read["messages"].([]any)) != 1 || read["dropped"] != 0.0 || read["next"] != 1e9+1 {
			t.Errorf("a place in the earlier run: %v", read)
		}
	})
}

func TestW61RunLeavesEverythingBehindItself(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a goroutine that stays fails the test
		net := newSimnet()
		alice := newPeer(t, net, "alice", Config{Channels: []ChannelName{"trip"}})
		stop := alice.start(t)
		if topics, searches := alice.node.joined(); topics != 2 || searches != 2 {
			t.Fatalf("%d topics, %d searches", topics, searches)
		}
		time.Sleep(time.Hour)
		if err := stop(); err != nil {
			t.Fatal(err)
		}
		if topics, searches := alice.node.joined(); topics != 0 || searches != 0 {
			t.Errorf("%d topics, %d searches are left", topics, searches)
		}
		if err := alice.Run(context.Background()); err == nil {
			t.Error("a second Run is no error")
		}
		for _, name := range []string{"sc_join", "sc_send"} {
			if _, f := alice.try("", name, map[string]string{"sc_join": `{"channel":"x"}`, "sc_send": `{"channel":"x","message":1}`}[name]); f == nil || f.Kind != fault.Unavailable {
				t.Errorf("%s after the end: %v", name, f)
			}
		}
	})
}

func TestPlaneIsUsableBeforeItRuns(t *testing.T) {
	net := newSimnet()
	alice := newPeer(t, net, "alice", Config{Channels: []ChannelName{"trip"}})
	if !alice.May("trip", someone("bob").PublicKey(), Read) || len(alice.Members("trip")) != 0 {
		t.Error("a channel that is to be joined is not known")
	}
	send(t, alice, "trip", "1")
	if topics, _ := alice.node.joined(); topics != 1 {
		t.Errorf("%d topics joined, want the one that was used", topics)
	}
	alice.start(t)
	if topics, _ := alice.node.joined(); topics != 2 {
		t.Errorf("%d topics joined by Run", topics)
	}
}

func TestOpenChannelsLetEverybody(t *testing.T) {
	_, alice, bob, _ := trio(t)
	for access, want := range map[Access]bool{Read: true, Write: true, 0: false, 3: false} {
		if got := alice.May("trip", bob.id.PublicKey(), access); got != want {
			t.Errorf("May(trip, %d) = %v", access, got)
		}
	}
	if alice.May("elsewhere", bob.id.PublicKey(), Read) {
		t.Error("a channel that is not joined is readable")
	}
	if got := bob.Members("trip"); len(got) != 2 {
		t.Errorf("members %v", got)
	}
	if got := alice.Members("elsewhere"); got == nil || len(got) != 0 {
		t.Errorf("members of a channel that is not joined: %#v", got)
	}
}

func TestListenersHearTheirApplicationInOrder(t *testing.T) {
	net, alice, bob, _ := trio(t)
	var heard []string
	bob.Listen("ledger", func(m Message) {
		if m.From != alice.id.PublicKey() || m.Channel != "trip" {
			t.Errorf("heard %+v", m)
		}
		heard = append(heard, string(m.Message))
	})
	messages := []string{`{"app":"ledger","n":1}`, `{"n":2,"app":"ledger"}`, `{"app":"other"}`, `"app"`, `["app","ledger"]`,
		`{"app":["ledger"]}`, `{"x":{"app":"ledger"}}`, `{"x":"\"app\":\"ledger\"","app":"ledger"}`, `{"app":null}`}
	for _, m := range messages {
		send(t, alice, "trip", m)
	}
	net.flush()
	if want := []string{messages[0], messages[1], messages[7]}; !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}
	if got := bob.events(t, "sidechannel_message"); len(got) != len(messages) {
		t.Errorf("%d of %d messages became events", len(got), len(messages))
	}
}

func TestChannelsAreLimited(t *testing.T) {
	net := newSimnet()
	alice := newPeer(t, net, "alice", Config{MaxChannels: 1026})
	alice.start(t)
	for i := range 1025 {
		if _, err := alice.Join(t.Context(), ChannelName(fmt.Sprint("c", i))); err != nil {
			t.Fatal(err)
		}
	}
	if _, f := alice.try("", "sc_join", `{"channel":"one-more"}`); f == nil || f.Kind != fault.Limited || !strings.Contains(f.Message, "1026") {
		t.Errorf("one more: %v", f)
	}
	alice.call(t, "", "sc_leave", `{"channel":"c7"}`)
	alice.call(t, "", "sc_join", `{"channel":"one-more"}`)
	if got := len(alice.call(t, "", "sc_stats", `{}`)["channels"].([]any)); got != 1026 {
		t.Errorf("%d channels in sc_stats", got)
	}
}

func TestNetworkThatRefusesIsNamed(t *testing.T) {
	net := newSimnet()
	alice := newPeer(t, net, "alice", Config{})
	alice.start(t)
	alice.node.deny = errors.New("no room")
	if _, f := alice.try("", "sc_join", `{"channel":"x"}`); f == nil || f.Kind != fault.Unavailable || !strings.Contains(f.Message, "no room") {
		t.Errorf("join: %v", f)
	}
	alice.node.deny = nil
	if got := alice.Joined(); len(got) != 1 {
		t.Errorf("joined %v", got)
	}
	alice.call(t, "", "sc_join", `{"channel":"x"}`)
	for _, topic := range alice.node.topics {
		topic.deny = errors.New("queue full")
	}
	if _, f := alice.try("", "sc_send", `{"channel":"x","message":1}`); f == nil || f.Kind != fault.Unavailable || !strings.Contains(f.Message, "queue full") {
		t.Errorf("send: %v", f)
	}
}
