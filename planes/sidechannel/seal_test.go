package sidechannel

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/core/p2p"
	"intercom/core/store"
	"intercom/planes/sidechannel/sealed"
)

// house is a peer with a real host on loopback whose invite-only channels are
// encrypted, as the program assembles it.
type house struct {
	*Plane
	id    *identity.Identity
	host  *p2p.Host
	calls *op.Registry
	store *store.Store
	stop  func()
}

func newHouse(t testing.TB, name string, s *store.Store, seeds ...string) *house {
	t.Helper()
	return newHouseWith(t, name, s, func(*Config) {}, seeds...)
}

func newHouseWith(t testing.TB, name string, s *store.Store, change func(*Config), seeds ...string) *house {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	id := someone(name)
	host, err := p2p.Listen(p2p.Config{Identity: id, Listen: []string{"/ip4/127.0.0.1/tcp/0"}, DHTBootstrap: seeds, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	if s == nil {
		s = newStore(t)
	}
	keeper := sealed.NewKeeper(host, id, s.Space("sealed"), log)
	hub := event.NewHub(name, event.Limits{})
	cfg := Config{Seal: SealWith(keeper, Over(host), id, log)}
	change(&cfg)
	plane, err := New(cfg, Over(host), id, hub, s.Space("sidechannel"), log)
	if err != nil {
		t.Fatal(err)
	}
	h := &house{Plane: plane, id: id, host: host, store: s, calls: op.NewRegistry(hub, log)}
	h.calls.Add(plane.Ops()...)
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{host.Run, plane.Run, keeper.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	h.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		if err := host.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	})
	t.Cleanup(h.stop)
	return h
}

func (h *house) call(t testing.TB, name, params string) map[string]any {
	t.Helper()
	value, err := h.try(name, params)
	if err != nil {
		t.Fatalf("%s %s: %v", name, params, err)
	}
	return value
}

func (h *house) try(name, params string) (value map[string]any, err error) {
	reply, err := h.calls.Call(context.Background(), op.Request{Name: name, Params: json.RawMessage(params), Grant: op.Write})
	if err != nil {
		return nil, err
	}
	return value, json.Unmarshal(reply.Value, &value)
}

// hears sends from one to another until it arrives, and fails when it never does.
func hears(t testing.TB, from, to *house, channel string) {
	t.Helper()
	if !heard(t, from, to, channel, 20*time.Second) {
		t.Fatal("nothing arrives")
	}
}

var sends int

func heard(t testing.TB, from, to *house, channel string, within time.Duration) bool {
	t.Helper()
	sends++
	text := fmt.Sprintf("message %d", sends)
	for deadline := time.Now().Add(within); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if _, err := from.try("sc_send", fmt.Sprintf(`{"channel":%q,"message":%q}`, channel, text)); err != nil {
			t.Logf("not sent: %v", err)
			return false
		}
		time.Sleep(20 * time.Millisecond)
		raw, err := json.Marshal(to.call(t, "sc_read", fmt.Sprintf(`{"channel":%q,"limit":1000}`, channel)))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte(text+`"`)) {
			return true
		}
	}
	return false
}

// bareInvite is an invite by upstream's rules alone: payload and signature.
func bareInvite(t testing.TB, from *house, channel string, to *house) string {
	t.Helper()
	out := from.call(t, "sc_invite", fmt.Sprintf(`{"channel":%q,"pubkey":%q}`, channel, to.id.PublicKey()))
	invite := out["invite"].(map[string]any)
	raw, err := json.Marshal(map[string]any{"payload": invite["payload"], "sig": invite["sig"]})
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestInviteeOfASealedChannelGetsIn(t *testing.T) {
	alice := newHouse(t, "alice", nil)
	bob := newHouse(t, "bob", nil, alice.host.Addrs()...)
	eve := newHouse(t, "eve", nil, alice.host.Addrs()...)
	created := alice.call(t, "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	if created["open"] != false {
		t.Fatalf("%v", created)
	}
	invite := bareInvite(t, alice, "crew", bob)
	bob.call(t, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, invite))
	eve.call(t, "sc_join", `{"channel":"crew"}`)
	hears(t, alice, bob, "crew")
	hears(t, bob, alice, "crew")

	// Somebody who knows the name alone is on another topic.
	if got := eve.call(t, "sc_read", `{"channel":"crew"}`)["messages"].([]any); len(got) > 0 {
		t.Errorf("a stranger reads %v", got)
	}
	open := ChannelName("crew").topic()
	for _, topic := range []*house{alice, bob} {
		for _, way := range topic.carriageOf(topic.find("crew")).Ways() {
			if way.Rendezvous == open || strings.Contains(way.Topic, fmt.Sprintf("%x", open)) {
				t.Error("the topic follows from the name")
			}
		}
	}

	// A member that is revoked is cut off, and the channel goes on.
	carol := newHouse(t, "carol", nil, bob.host.Addrs()...)
	carol.call(t, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, bareInvite(t, alice, "crew", carol)))
	hears(t, bob, carol, "crew")
	alice.call(t, "sc_revoke", fmt.Sprintf(`{"channel":"crew","pubkey":%q}`, bob.id.PublicKey()))
	begin := time.Now()
	hears(t, alice, carol, "crew")
	t.Logf("the others have the next key after %v", time.Since(begin).Round(time.Millisecond))
	if heard(t, alice, bob, "crew", time.Second) {
		t.Error("the revoked member reads on")
	}
	if heard(t, bob, alice, "crew", time.Second) || heard(t, bob, carol, "crew", time.Second) {
		t.Error("the revoked member is heard")
	}
}

func TestSealedChannelOutlivesRestarts(t *testing.T) {
	alice := newHouse(t, "alice", nil)
	bob := newHouse(t, "bob", nil, alice.host.Addrs()...)
	alice.call(t, "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	bob.call(t, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, bareInvite(t, alice, "crew", bob)))
	hears(t, alice, bob, "crew")
	for _, who := range []string{"inviter", "invitee", "both"} {
		if who != "invitee" {
			alice.stop()
			alice = newHouse(t, "alice", alice.store)
		}
		if who != "inviter" {
			bob.stop()
			bob = newHouse(t, "bob", bob.store, alice.host.Addrs()...)
		} else if bob.stop(); true {
			bob = newHouse(t, "bob", bob.store, alice.host.Addrs()...) // it must learn the new address
		}
		hears(t, alice, bob, "crew")
		hears(t, bob, alice, "crew")
		epoch := alice.call(t, "sc_rekey", `{"channel":"crew"}`)["epoch"]
		hears(t, alice, bob, "crew")
		hears(t, bob, alice, "crew")
		if got := bob.carriageOf(bob.find("crew")).(*closed).Epoch(); float64(got) != epoch {
			t.Errorf("%s: epoch %d after %v", who, got, epoch)
		}
	}
}

// A message that is sent while the key changes arrives.
func TestNothingIsLostWhenTheKeyChanges(t *testing.T) {
	alice := newHouse(t, "alice", nil)
	bob := newHouse(t, "bob", nil, alice.host.Addrs()...)
	alice.call(t, "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	bob.call(t, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, bareInvite(t, alice, "crew", bob)))
	hears(t, alice, bob, "crew")
	hears(t, bob, alice, "crew")
	var sent []string
	for i := range 60 {
		if i%20 == 10 {
			alice.call(t, "sc_rekey", `{"channel":"crew"}`)
		}
		for _, p := range []*house{alice, bob} {
			text := fmt.Sprintf("%s-%d", p.id.PublicKey(), i)
			if out := p.call(t, "sc_send", fmt.Sprintf(`{"channel":"crew","message":%q}`, text)); out["peers"] != 1.0 {
				t.Errorf("message %d went to %v peers", i, out["peers"])
			}
			sent = append(sent, text)
		}
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, p := range []*house{alice, bob} {
		var missing []string
		for {
			raw, err := json.Marshal(p.call(t, "sc_read", `{"channel":"crew","limit":1000}`))
			if err != nil {
				t.Fatal(err)
			}
			missing = slices.DeleteFunc(slices.Clone(sent), func(text string) bool {
				return strings.HasPrefix(text, p.id.PublicKey().String()) || bytes.Contains(raw, []byte(`"`+text+`"`))
			})
			if len(missing) == 0 || time.Now().After(deadline) {
				break
			}
			time.Sleep(50 * time.Millisecond)
		}
		if len(missing) > 0 {
			t.Errorf("%d messages were lost, %s first", len(missing), missing[0])
		}
	}
}

// A newcomer that knows nobody but a stranger meets the members through it, and
// any of them lets it in: here the inviter is away.
func TestNewcomerMeetsMembersItDoesNotKnow(t *testing.T) {
	eve := newHouse(t, "eve", nil)
	alice := newHouse(t, "alice", nil, eve.host.Addrs()...)
	bob := newHouse(t, "bob", nil, eve.host.Addrs()...)
	alice.call(t, "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	bob.call(t, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, bareInvite(t, alice, "crew", bob)))
	hears(t, alice, bob, "crew")
	carol := newHouse(t, "carol", nil, eve.host.Addrs()...)
	invite := bareInvite(t, alice, "crew", carol)
	alice.stop()
	carol.call(t, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, invite))
	hears(t, carol, bob, "crew")
	hears(t, bob, carol, "crew")
	if ways := eve.carriageOf(eve.find(Entry)).Ways(); len(ways) != 1 || eve.find("crew") != nil {
		t.Error("the stranger came to know the channel")
	}
}

// A member cannot pass another member's message off in an envelope of its own,
// and bytes that no member made are dropped and charged to nobody but the
// neighbour.
func TestMemberCannotSealForAnother(t *testing.T) {
	alice := newHouse(t, "alice", nil)
	bob := newHouse(t, "bob", nil, alice.host.Addrs()...)
	alice.call(t, "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	bob.call(t, "sc_join", fmt.Sprintf(`{"channel":"crew","invite":%s}`, bareInvite(t, alice, "crew", bob)))
	hears(t, alice, bob, "crew")
	carriage := bob.carriageOf(bob.find("crew"))
	at := time.Now()
	seal := func(by *identity.Identity) (topic string, data []byte) {
		d, err := newDraft(alice.id.PublicKey(), `"crew"`, []byte(`"hello"`), at)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.finish(t.Context(), alice.id, 0); err != nil {
			t.Fatal(err)
		}
		held := carriage.(*closed).keys()[0]
		return wayOf(held).Topic, held.Seal(by, d.encode())
	}
	topic, genuine := seal(alice.id)
	if _, sealer, ok := carriage.Open(topic, genuine); !ok || sealer != alice.id.PublicKey() {
		t.Error("the author's own envelope does not open")
	}
	_, resealed := seal(bob.id)
	for what, data := range map[string][]byte{"re-sealed": resealed, "noise": make([]byte, 400), "nothing": {}, "plain": []byte(frameHead)} {
		m := &p2p.Message{From: bob.id.PublicKey(), Data: data}
		if _, _, reason := alice.judge(alice.find("crew"), topic, m, at); reason != Sealed {
			t.Errorf("%s: %q", what, reason)
		}
		if v := alice.check(alice.find("crew"), topic, m); v != p2p.Ignore {
			t.Errorf("%s: verdict %d, which blames a relay", what, v)
		}
	}
}
