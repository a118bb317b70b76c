package sidechannel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/p2p"
)

// The weak points of upstream's sidechannel, each as an attack that fails. W46
// to W50 are scripts in testdata as well.

// open requests are proven and signed over one text, so that they pass however
// much they carry.
func TestW12OpenRequestPassesProofOfWork(t *testing.T) {
	v := upstreamVectors(t).OpenChannelUndefinedMismatch
	c := &control{kind: controlOpen, channel: "newchan"}
	if !strings.Contains(v.ReceiverPowBase, `"message":`+canonicalText(t, c.encode())) {
		t.Errorf("a request is %s, want what upstream's receiver sees: %s", c.encode(), v.ReceiverPowBase)
	}
	net, alice, bob := pair(t, Config{Policy: Policy{Work: Work{Bits: 8}}})
	alice.call(t, "", "sc_open", `{"channel":"newchan"}`)
	net.flush()
	eventually(t, "the request", func() bool {
		return len(bob.call(t, "", "sc_requests", `{}`)["requests"].([]any)) == 1
	})
	if got := bob.events(t, "sidechannel_message"); len(got) > 0 {
		t.Errorf("a control was delivered: %v", got)
	}
	if got := bob.call(t, "", "sc_requests", `{"accept":"newchan"}`); got["joined"] != "newchan" || len(got["requests"].([]any)) != 0 {
		t.Errorf("accepting gives %v", got)
	}
}

func canonicalText(t *testing.T, raw []byte) string {
	d, err := draftOf(identity.PublicKey{}, `"x"`, raw, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return string(d.canonical)
}

// pair is alice and bob, connected, with the same configuration.
func pair(t testing.TB, cfg Config) (net *simnet, alice, bob *peer) {
	net = newSimnet()
	alice, bob = newPeer(t, net, "alice", cfg), newPeer(t, net, "bob", cfg)
	net.link(alice.id.PublicKey(), bob.id.PublicKey())
	alice.start(t)
	bob.start(t)
	return net, alice, bob
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 5000 {
		if ok() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("waited in vain for %s", what)
}

func TestW46ForgedAuthorIsDropped(t *testing.T) {
	m := newMachine(t, time.UnixMilli(clockMS))
	forged := m.frame(t, map[string]string{"from": "alice", "signer": "mallory", "message": "1", "channel": "trip", "age": "0s", "ahead": "0s"})
	if got := m.deliver(forged, map[string]string{"on": "trip", "via": "mallory"}); got != "rejected: bad_signature\n" {
		t.Error(got)
	}
}

// With a valid welcome of the owner in it, a text of somebody else stays unheard
// on an owner-only channel.
func TestW47SmuggledControlIsDropped(t *testing.T) {
	m := newMachine(t, time.UnixMilli(clockMS))
	w := Welcome{Channel: "trip", Text: "hi", IssuedAt: clockMS}.sign(someone("alice"))
	m.policy = Policy{Owners: map[ChannelName]identity.PublicKey{"trip": someone("alice").PublicKey()}, OwnerWrite: true}
	m.laws["trip"] = newCharter("trip", someone("me").PublicKey(), &m.policy, m.book, record{welcome: w})
	for message, want := range map[string]string{
		`{"control":"welcome","welcome":` + string(w.JSON()) + `,"text":"obey"}`: "ignored: control\n",
		`{"control":"welcome","welcome":` + string(w.JSON()) + `}`:               "heeded: welcome\n",
		`"obey"`: "ignored: not_owner\n",
		`{"control":"open_channel","channel":"trap"}`: "ignored: not_owner\n",
	} {
		data := m.frame(t, map[string]string{"from": "mallory", "message": message, "channel": "trip", "age": "0s", "ahead": "0s"})
		if got := m.deliver(data, map[string]string{"on": "trip"}); got != want {
			t.Errorf("%.60s: %s, want %s", message, got, want)
		}
	}
	data := m.frame(t, map[string]string{"from": "alice", "message": `"hear"`, "channel": "trip", "age": "0s", "ahead": "0s"})
	if got := m.deliver(data, map[string]string{"on": "trip"}); got != "delivered on trip: \"hear\"\n" {
		t.Errorf("the owner: %s", got)
	}
}

func TestW48OldFrameIsDropped(t *testing.T) {
	m := newMachine(t, time.UnixMilli(clockMS))
	for age, want := range map[string]string{"9m": "delivered on trip: 1\n", "11m": "ignored: too_old\n", "490000h": "ignored: too_old\n"} {
		data := m.frame(t, map[string]string{"from": "alice", "message": "1", "channel": "trip", "age": age, "ahead": "0s"})
		if got := m.deliver(data, map[string]string{"on": "trip"}); got != want {
			t.Errorf("%s old: %s", age, got)
		}
	}
}

func TestW49FrameOfAnotherChannelIsDropped(t *testing.T) {
	m := newMachine(t, time.UnixMilli(clockMS))
	data := m.frame(t, map[string]string{"from": "alice", "message": "1", "channel": "trip", "age": "0s", "ahead": "0s"})
	if got := m.deliver(data, map[string]string{"on": "other"}); got != "rejected: wrong_channel\n" {
		t.Error(got)
	}
}

// Nobody suppresses a message by using its id first.
func TestW50SquattedIDSuppressesNothing(t *testing.T) {
	m := newMachine(t, time.UnixMilli(clockMS))
	real := m.frame(t, map[string]string{"from": "alice", "message": "1", "channel": "trip", "age": "0s", "ahead": "0s"})
	f, _ := decodeFrame(real)
	fake := m.frame(t, map[string]string{"from": "mallory", "message": "2", "channel": "trip", "age": "0s", "ahead": "0s", "id": f.id})
	if got := m.deliver(fake, map[string]string{"on": "trip"}); got != "rejected: wrong_id\n" {
		t.Error(got)
	}
	if got := m.deliver(real, map[string]string{"on": "trip"}); got != "delivered on trip: 1\n" {
		t.Error(got)
	}
}

// A frame has one number of hops, and the network forwards a frame once.
func TestW51HopsCannotBeRaised(t *testing.T) {
	m := newMachine(t, time.UnixMilli(clockMS))
	data := m.frame(t, map[string]string{"from": "alice", "message": "1", "channel": "trip", "age": "0s", "ahead": "0s"})
	for _, ttl := range []string{"1000000000", "4", "0.5", `"3"`, "-1"} {
		flood := bytes.Replace(data, []byte(`"ttl":3`), []byte(`"ttl":`+ttl), 1)
		if got := m.deliver(flood, map[string]string{"on": "trip"}); got != "rejected: malformed\n" {
			t.Errorf("ttl %s: %s", ttl, got)
		}
	}
}

// Work on a large message costs one pass over it, the size is checked first, and
// a caller that gives up is not waited for.
func TestW52ProofOfWorkIsCheapAndCancellable(t *testing.T) {
	large := []byte(`"` + strings.Repeat("x", 900_000) + `"`)
	d, err := newDraft(someone("alice").PublicKey(), `"trip"`, large, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	const bits, hashed = 12, 64
	begun := time.Now()
	for range hashed {
		sha256.Sum256(large)
	}
	naive := time.Since(begun) * (1 << bits) / hashed // upstream hashes the whole message at every try
	begun = time.Now()
	if err := d.prove(t.Context(), d.canonical, bits); err != nil || !d.worked(d.canonical, bits) {
		t.Fatal(err)
	}
	if took := time.Since(begun); took > naive/4 {
		t.Errorf("%d bits on 900 kB took %v, hashing it at every try some %v", bits, took, naive)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := d.prove(ctx, d.canonical, maxWorkBits+34); err != context.DeadlineExceeded {
		t.Errorf("cancelled work: %v", err)
	}
	over := []byte(`"` + strings.Repeat("x", 1_000_000) + `"`)
	big, _ := newDraft(someone("alice").PublicKey(), `"trip"`, over, time.Now())
	if err := big.fits(MaxFrameBytes, 30); fault.KindOf(err) != fault.Limited {
		t.Errorf("too large: %v", err)
	}
}

// Work for one channel is none for another.
func TestW52WorkCannotBeMovedToAnotherChannel(t *testing.T) {
	d, _ := newDraft(someone("alice").PublicKey(), `"a"`, []byte("1"), time.Now())
	if err := d.prove(t.Context(), d.canonical, 12); err != nil {
		t.Fatal(err)
	}
	moved := *d.frame
	moved.channel = `"b"`
	if moved.worked(d.canonical, 12) {
		t.Error("the work counts on another channel")
	}
}

// Each kind of failing frame costs its neighbour, until it is blocked; then its
// frames are not even looked at.
func TestW53FailedChecksCostAndBlock(t *testing.T) {
	now := time.Now()
	mallory, alice := someone("mallory"), someone("alice")
	good, _ := newFrame(mallory, `"trip"`, []byte("1"), now)
	old, _ := newFrame(mallory, `"trip"`, []byte("1"), now.Add(-time.Hour))
	forged, _ := newFrame(mallory, `"trip"`, []byte("1"), now)
	forged.from = alice.PublicKey().String()
	forged.id = newID(forged.from, forged.ts)
	elsewhere, _ := newFrame(mallory, `"other"`, []byte("1"), now)
	for kind, data := range map[string][]byte{
		"rubbish": []byte("rubbish"), "old": old.encode(), "forged": forged.encode(), "elsewhere": elsewhere.encode(),
		"without work": good.encode(), "too large": make([]byte, MaxFrameBytes+1),
	} {
		bob := newPeer(t, newSimnet(), "bob", Config{Channels: []ChannelName{"trip"}, Policy: Policy{Work: Work{Bits: 20, In: []ChannelName{"trip"}}}})
		bob.start(t)
		ch := bob.find("trip")
		sent := 0
		for ; !bob.barred(mallory.PublicKey(), now) && sent < 100_000; sent++ {
			bob.check(ch, "", &p2p.Message{From: mallory.PublicKey(), Data: data})
		}
		if sent == 100_000 {
			t.Errorf("%s: not blocked", kind)
		}
		before := ch.tally.counts().Dropped[Blocked]
		bob.check(ch, "", &p2p.Message{From: mallory.PublicKey(), Data: data})
		if ch.tally.counts().Dropped[Blocked] != before+1 {
			t.Errorf("%s: looked at though blocked", kind)
		}
		if bob.barred(alice.PublicKey(), now) {
			t.Errorf("%s: the victim was blocked", kind)
		}
	}
}

// A block belongs to the key, not to a connection, and outlives a restart.
func TestW54BlockSurvivesReconnectAndRestart(t *testing.T) {
	disk := newStore(t)
	net := newSimnet()
	bob := newPeer(t, net, "bob", Config{}, disk)
	stop := bob.start(t)
	mallory, now := someone("mallory").PublicKey(), time.Now()
	for i := 0; !bob.barred(mallory, now) && i < 100; i++ {
		bob.charge(mallory, now, 1_000_000)
	}
	net.link(mallory, bob.id.PublicKey()) // a new connection changes nothing
	if !bob.barred(mallory, time.Now()) {
		t.Fatal("not blocked")
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	again := newPeer(t, net, "bob", Config{}, disk)
	if !again.barred(mallory, time.Now()) {
		t.Error("a restart forgave")
	}
	if again.barred(mallory, now.Add(BlockTime+time.Second)) {
		t.Error("a block lasts for ever")
	}
}

// Purses do not leak, whoever passes by.
func TestW54LimiterIsBounded(t *testing.T) {
	l, now := newLimiter(false), time.Now()
	for i := range 3 * maxPurses {
		l.pay(fmt.Sprint("n", i), terms{rate: 1, burst: 10, strikes: 1}, now, 11) // blocks it
	}
	if len(l.purses) > maxPurses || len(l.oldest) > maxPurses {
		t.Errorf("%d purses", len(l.purses))
	}
}

// The greatest message always fits, and this peer stays below what it accepts.
func TestW54HonestSenderIsNeverBlocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Channels: []ChannelName{"trip"}, Policy: Policy{Rates: Rates{Bytes: 64_000, Burst: 1}}}
		net, alice, bob := pair(t, cfg)
		large := json.RawMessage(`"` + strings.Repeat("x", 900_000) + `"`)
		for range 3 {
			if _, _, err := alice.Send(t.Context(), "trip", large); err != nil {
				t.Fatal(err)
			}
			net.flush()
		}
		for range 300 {
			if _, _, err := alice.Send(t.Context(), "trip", json.RawMessage(`"`+strings.Repeat("y", 1000)+`"`)); err != nil {
				t.Fatal(err)
			}
			net.flush()
		}
		if got := bob.totals.counts(); got.Received != 303 || len(got.Dropped) > 0 {
			t.Errorf("%+v", got)
		}
	})
}

func TestW55ConfigurationThatEnforcesNothingIsRefused(t *testing.T) {
	me := someone("me").PublicKey()
	for name, p := range map[string]Policy{
		"channels without the switch": {InviteIn: []ChannelName{"a"}},
		"prefixes without the switch": {InvitePrefixes: []string{"a"}},
		"no inviters":                 {InviteOnly: true},
		"entry as invite-only":        {InviteOnly: true, Inviters: []identity.PublicKey{me}, InviteIn: []ChannelName{Entry}},
		"entry by prefix":             {InviteOnly: true, Inviters: []identity.PublicKey{me}, InvitePrefixes: []string{"0000"}},
		"owner of the entry":          {Owners: map[ChannelName]identity.PublicKey{Entry: me}},
		"endless invites":             {InviteLife: MaxInviteLife + 1},
		"work listed but off":         {Work: Work{In: []ChannelName{"a"}}},
		"work beyond reason":          {Work: Work{Bits: 31}},
		"negative rate":               {Rates: Rates{Bytes: -1}},
		"a forged welcome":            {Welcomes: []*Welcome{{Channel: "a", Owner: me, IssuedAt: 1}}},
	} {
		if err := p.check(time.Now()); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestW55InviteHasItsTimeAndItsKey(t *testing.T) {
	owner, bob, now := someone("alice"), someone("bob").PublicKey(), time.UnixMilli(clockMS)
	policy := Policy{InviteOnly: true, Inviters: []identity.PublicKey{owner.PublicKey()}}
	law := newCharter("crew", someone("me").PublicKey(), &policy, testBook(t), record{})
	good := newInvite(owner, "crew", bob, now, time.Hour)
	long := newInvite(owner, "crew", bob, now, MaxInviteLife+time.Hour)
	ahead := newInvite(owner, "crew", bob, now.Add(MaxAhead+time.Second), time.Hour)
	if law.Present(someone("carol").PublicKey(), good.JSON(), now) == nil {
		t.Error("another key used the invite")
	}
	if law.Present(bob, long.JSON(), now) == nil || law.Present(bob, ahead.JSON(), now) == nil {
		t.Error("an invite of too long a life, or dated ahead, was taken")
	}
	if err := law.Present(bob, good.JSON(), now); err != nil || !law.Belongs(bob, now) {
		t.Errorf("a good one: %v", err)
	}
	if law.Belongs(bob, now.Add(time.Hour)) {
		t.Error("it counts when its time is over")
	}
	r := newRevocation(owner, "crew", bob, now.Add(time.Minute))
	if !law.Revoke([][]byte{r.JSON()}, now) || law.Belongs(bob, now) || law.Present(bob, good.JSON(), now) == nil {
		t.Error("a revoked invite counts")
	}
	if law.Revoke([][]byte{r.JSON()}, now) {
		t.Error("the same revocation is news twice")
	}
	later := newInvite(owner, "crew", bob, now.Add(2*time.Minute), time.Hour)
	if err := law.Present(bob, later.JSON(), now.Add(2*time.Minute)); err != nil {
		t.Errorf("an invite after the revocation: %v", err)
	}
	false1 := newRevocation(someone("mallory"), "crew", bob, now.Add(time.Hour))
	if law.Revoke([][]byte{false1.JSON()}, now) {
		t.Error("a stranger revoked")
	}
}

// An old welcome never replaces a newer one, and one may expire.
func TestW56WelcomeIsNeverRolledBack(t *testing.T) {
	owner, now := someone("alice"), time.UnixMilli(clockMS)
	policy := Policy{Owners: map[ChannelName]identity.PublicKey{"trip": owner.PublicKey()}}
	law := newCharter("trip", someone("me").PublicKey(), &policy, testBook(t), record{})
	welcome := func(text string, at int64, expire int64) *Welcome {
		return Welcome{Channel: "trip", Text: text, IssuedAt: at, ExpireAt: expire}.sign(owner)
	}
	if !law.deaf(now) {
		t.Error("the channel is not deaf without a welcome")
	}
	for _, c := range []struct {
		w    *Welcome
		want string
	}{
		{welcome("new", clockMS, 0), "new"},
		{welcome("old", clockMS-1, 0), "new"},
		{welcome("ahead", clockMS+MaxAhead.Milliseconds()+1, 0), "new"},
		{welcome("over", clockMS+1, clockMS), "new"},
		{welcome("newer", clockMS+1, clockMS+1000), "newer"},
	} {
		law.offer(c.w, now, false) //nolint:errcheck // what counts is what is stored
		if w, _ := law.welcomed(now); w == nil || w.Text != c.want {
			t.Errorf("after %q: %+v", c.w.Text, w)
		}
	}
	if !law.deaf(now.Add(time.Second)) {
		t.Error("an expired welcome counts")
	}
}

// An invite that is accepted later is presented with the next message: no
// reconnecting.
func TestW57LateInviteIsPresented(t *testing.T) {
	net, alice, bob := pair(t, Config{})
	alice.call(t, "", "sc_join", `{"channel":"crew","create":true,"invite_only":true}`)
	if _, f := bob.try("", "sc_send", `{"channel":"crew","message":1}`); f != nil {
		t.Fatal(f) // an open channel of that name, as far as bob knows
	}
	net.flush()
	invite := alice.call(t, "", "sc_invite", fmt.Sprintf(`{"channel":"crew","pubkey":"%s"}`, bob.id.PublicKey()))
	bob.call(t, "", "sc_join", fmt.Sprintf(`{"channel":"crew","invite":"%s"}`, invite["invite_b64"]))
	bob.call(t, "", "sc_send", `{"channel":"crew","message":2}`)
	net.flush()
	if got := alice.events(t, "sidechannel_message"); len(got) != 1 || !strings.Contains(got[0], `"message":2`) {
		t.Errorf("alice heard %v", got)
	}
}

// A reply is about what happened: nobody there is said, and a receipt is signed
// by who has the message.
func TestW59ReceiptsAreNeverFalse(t *testing.T) {
	net, alice, bob := pair(t, Config{Channels: []ChannelName{"trip"}})
	got := alice.call(t, "", "sc_send", `{"channel":"trip","message":1,"wait_ms":50}`) // nothing travels meanwhile
	if got["peers"] != 1.0 || len(got["receipts"].([]any)) != 0 {
		t.Errorf("a message that did not arrive: %v", got)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
				net.flush()
			}
		}
	}()
	got = alice.call(t, "", "sc_send", `{"channel":"trip","message":2,"wait_ms":5000}`)
	receipts := got["receipts"].([]any)
	if len(receipts) != 1 || receipts[0].(map[string]any)["peer"] != bob.id.PublicKey().String() {
		t.Errorf("a message that arrived: %v", got)
	}
	// Nobody but the author learns whether a member has it.
	carol := newPeer(t, net, "carol", Config{})
	net.link(carol.id.PublicKey(), bob.id.PublicKey())
	if at := carol.askFor(t.Context(), question("trip", got["message_id"].(string)), bob.id.PublicKey(), 10*time.Millisecond); at != 0 {
		t.Error("a stranger got a receipt")
	}
}

func TestW60AutoJoinIsBounded(t *testing.T) {
	net, alice, bob := pair(t, Config{Policy: Policy{AutoJoin: true, Rates: Rates{Unlimited: true}}})
	for i := range maxAutoJoined + 20 {
		alice.call(t, "", "sc_open", fmt.Sprintf(`{"channel":"c%d"}`, i))
		net.flush()
	}
	eventually(t, "the requests to be worked on", func() bool { return len(bob.Joined())+len(bob.asked.all()) == 1+maxAutoJoined+20 })
	if got := len(bob.Joined()) - 1; got != maxAutoJoined {
		t.Errorf("joined %d channels", got)
	}
	if _, err := ParseChannelName(strings.Repeat("x", maxNameBytes+1)); err == nil {
		t.Error("a name without end")
	}
	for i := range 2 * maxRequests {
		bob.asked.add(request{channel: ChannelName(fmt.Sprint(i))})
	}
	if n := len(bob.asked.all()); n != maxRequests {
		t.Errorf("%d requests wait", n)
	}
}

// What a run starts ends with it, and topics are left.
func TestW61StopLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // a goroutine that stays fails the test
		alice := newPeer(t, newSimnet(), "alice", Config{Channels: []ChannelName{"a", "b"}})
		stop := alice.start(t)
		if topics, searches := alice.node.joined(); topics != 3 || searches != 3 {
			t.Errorf("%d topics, %d searches", topics, searches)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
		if topics, searches := alice.node.joined(); topics != 0 || searches != 0 {
			t.Errorf("afterwards %d topics, %d searches", topics, searches)
		}
	})
}

func TestW62KeysAndPapersAreReadStrictly(t *testing.T) {
	_, alice, _ := pair(t, Config{})
	for _, params := range []string{
		`{"channel":"a","pubkey":"xyz"}`, `{"channel":"a","pubkey":""}`, `{"channel":"a","pubkey":"` + strings.Repeat("0", 63) + `"}`,
		`{"channel":"a","pubkey":"trac1nonsense"}`, `{"channel":"a","pubkey":"` + ownerKey + `","ttl":0}`, `{"channel":"a","pubkey":"` + ownerKey + `","ttl":99999999}`,
		`{"channel":"0000intercom","pubkey":"` + ownerKey + `"}`,
	} {
		if _, f := alice.try("", "sc_invite", params); f == nil {
			t.Errorf("sc_invite %s was taken", params)
		}
	}
	if slices.Contains(alice.Joined(), "a") {
		t.Error("a refused invite joined the channel")
	}
}
