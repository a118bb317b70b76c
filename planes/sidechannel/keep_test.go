package sidechannel

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/op"
)

// Under any load the memory stays within its limit and nothing is admitted
// twice; what it cannot remember it refuses.
func TestReplayMemoryNeverForgetsWhatItWouldAdmit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.UnixMilli(1_767_225_600_000)
		limit := rapid.IntRange(1, 200).Draw(t, "limit")
		r := newReplay(time.Time{}, limit)
		admitted := map[string]bool{}
		for range rapid.IntRange(1, 400).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.IntRange(0, 20_000).Draw(t, "pause")) * time.Millisecond)
			ts := now.UnixMilli() + int64(rapid.IntRange(-660_000, 130_000).Draw(t, "date"))/1000*1000
			id := fmt.Sprint(ts, rapid.IntRange(0, 3).Draw(t, "which"))
			reason := r.dated(now, ts)
			if reason == Delivered {
				reason = r.admit(now, id, ts)
			}
			if reason == Delivered && admitted[id] {
				t.Fatalf("admitted %s twice", id)
			}
			admitted[id] = admitted[id] || reason == Delivered
			count := 0
			for _, bucket := range r.buckets {
				count += len(bucket)
			}
			if count != r.known || count > limit || len(r.buckets) > 74 {
				t.Fatalf("%d ids in %d buckets, counted %d, limit %d", count, len(r.buckets), r.known, limit)
			}
		}
	})
}

func TestFloodNarrowsTheWindowAndHonestFramesPass(t *testing.T) {
	now := time.UnixMilli(1_767_225_600_000)
	r := newReplay(time.Time{}, 6400)
	for i := range 60_000 { // a flood dated ahead gets no more than its share
		ts := now.Add(time.Duration(i%12+1) * 10 * time.Second).UnixMilli()
		if r.dated(now, ts) == Delivered {
			r.admit(now, fmt.Sprint("ahead", i), ts)
		}
	}
	if r.known > 12*6400/64 {
		t.Errorf("frames dated ahead took %d of 6400", r.known)
	}
	for i := range 60 { // 1000 a second for a minute: ten times what it holds
		now = now.Add(time.Second)
		for j := range 1000 {
			if r.admit(now, fmt.Sprint(i, ".", j), now.UnixMilli()) == Delivered {
				continue
			}
			break // the bucket of the moment is full: wait for the next
		}
	}
	now = now.Add(10 * time.Second)
	if got := r.admit(now, "honest", now.UnixMilli()); got != Delivered {
		t.Errorf("an honest frame behind the flood: %q", got)
	}
	if got := r.dated(now, now.Add(-MaxAge/2).UnixMilli()); got != TooOld {
		t.Errorf("a frame that may be forgotten: %q", got)
	}
	r.tidy(now.Add(MaxAge + MaxAhead + time.Minute))
	if r.known != 0 || len(r.buckets) != 0 {
		t.Errorf("%d ids are left when all is old", r.known)
	}
}

// readAll drives an inbox and a list of everything ever added side by side.
func TestInboxGivesEveryMessageOnceOrCountsIt(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		first := uint64(rapid.IntRange(1, 50).Draw(t, "first"))
		shared := newInboxes(rapid.IntRange(2*messageWeight, 60*messageWeight).Draw(t, "limit"))
		b, loud := shared.open(first), shared.open(1)
		var after, added, got, dropped uint64
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			switch rapid.IntRange(0, 3).Draw(t, "step") {
			case 0:
				loud.add(&Message{Message: make(json.RawMessage, rapid.IntRange(0, messageWeight).Draw(t, "size"))})
			case 1, 2:
				added++
				b.add(&Message{ID: fmt.Sprint(first + added - 1), Message: make(json.RawMessage, rapid.IntRange(0, messageWeight).Draw(t, "size"))})
			case 3:
				p := b.read(after, rapid.IntRange(1, 5).Draw(t, "limit"), 8*messageWeight)
				for i, m := range p.messages {
					if m.ID != fmt.Sprint(p.first+uint64(i)) {
						t.Fatalf("number %d is message %s", p.first+uint64(i), m.ID)
					}
				}
				got, dropped, after = got+uint64(len(p.messages)), dropped+p.dropped, p.next
				if got+dropped != after-first+1 && after != 0 {
					t.Fatalf("read %d and missed %d up to number %d of %d on", got, dropped, after, first)
				}
			}
			if shared.bytes > shared.limit || shared.bytes != b.bytes+loud.bytes {
				t.Fatalf("%d bytes kept, limit %d", shared.bytes, shared.limit)
			}
		}
		for p := b.read(after, 5, 1<<20); len(p.messages)+int(p.dropped) > 0; p = b.read(after, 5, 1<<20) {
			got, dropped, after = got+uint64(len(p.messages)), dropped+p.dropped, p.next
		}
		if got+dropped != added {
			t.Fatalf("read %d and missed %d of %d", got, dropped, added)
		}
	})
}

func TestLoudChannelDoesNotPushOutAQuietOne(t *testing.T) {
	shared := newInboxes(10 * messageWeight)
	quiet, loud := shared.open(1), shared.open(1)
	quiet.add(&Message{ID: "kept"})
	for range 1000 {
		loud.add(&Message{})
	}
	if p := quiet.read(0, 10, 1<<20); len(p.messages) != 1 || p.dropped != 0 {
		t.Errorf("the quiet channel: %+v", p)
	}
	if p := loud.read(0, 100, 1<<20); len(p.messages) != 9 || p.dropped != 991 {
		t.Errorf("the loud channel: %d messages, %d dropped", len(p.messages), p.dropped)
	}
}

func TestReadPagesAndWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net, alice, bob, carol := trio(t)
		for i := range 5 {
			send(t, alice, "trip", fmt.Sprint(i))
		}
		net.flush()
		page := bob.call(t, "", "sc_read", `{"channel":"trip","limit":2}`)
		if len(page["messages"].([]any)) != 2 || page["next"] != 2.0 || page["dropped"] != 0.0 {
			t.Errorf("first page: %v", page)
		}
		page = bob.call(t, "", "sc_read", `{"channel":"trip","after":2}`)
		first := page["messages"].([]any)[0].(map[string]any)
		if len(page["messages"].([]any)) != 3 || page["next"] != 5.0 || first["seq"] != 3.0 || first["message"] != 2.0 || first["relayed_by"] != nil {
			t.Errorf("second page: %v", page)
		}
		relayed := carol.call(t, "", "sc_read", `{"channel":"trip","limit":1}`)["messages"].([]any)[0].(map[string]any)
		if relayed["relayed_by"] != bob.id.PublicKey().String() || relayed["from"] != alice.id.PublicKey().String() {
			t.Errorf("over a relay: %v", relayed)
		}

		begin := time.Now()
		if page = bob.call(t, "", "sc_read", `{"channel":"trip","after":5,"wait_ms":60000}`); len(page["messages"].([]any)) != 0 || page["next"] != 5.0 {
			t.Errorf("nothing came: %v", page)
		}
		if waited := time.Since(begin); waited != time.Minute {
			t.Errorf("waited %v", waited)
		}
		time.AfterFunc(time.Second, func() { send(t, alice, "trip", `"news"`); net.flush() })
		if page = bob.call(t, "", "sc_read", `{"channel":"trip","after":5,"wait_ms":60000}`); len(page["messages"].([]any)) != 1 {
			t.Errorf("news came: %v", page)
		}
		time.AfterFunc(time.Second, func() { bob.call(t, "", "sc_leave", `{"channel":"trip"}`) })
		if _, f := bob.try("", "sc_read", `{"channel":"trip","after":6,"wait_ms":60000}`); f == nil || f.Kind != fault.NotFound {
			t.Errorf("the channel was left meanwhile: %v", f)
		}
	})
}

func TestReadMistakesAreNamed(t *testing.T) {
	_, alice, _, _ := trio(t)
	for params, kind := range map[string]fault.Kind{
		`{"channel":"nowhere"}`: fault.NotFound, `{"channel":"trip","after":1}`: fault.Invalid,
		`{"channel":"trip","limit":0}`: fault.Invalid, `{"channel":"trip","limit":1001}`: fault.Invalid,
		`{"channel":"trip","wait_ms":60001}`: fault.Invalid, `{"channel":"trip","after":-1}`: fault.Invalid,
		`{"channel":""}`: fault.Invalid, `{"channel":"  "}`: fault.Invalid, `{"channel":"a\nb"}`: fault.Invalid, `{"channel":"a\u0007"}`: fault.Invalid, `{}`: fault.Invalid,
		`{"channel":"` + strings.Repeat("é", 200) + `"}`: fault.Invalid, `{"channel":"trip","x":1}`: fault.Invalid,
	} {
		if _, f := alice.try("", "sc_read", params); f == nil || f.Kind != kind || f.Hint == "" {
			t.Errorf("sc_read %.60s: %v, want %s with a hint", params, f, kind)
		}
	}
	for _, name := range []string{"sc_join", "sc_send"} { // what is not there yet is refused, not ignored
		if _, f := alice.try("", name, `{"channel":"trip","message":1,"invite":{}}`); f == nil || f.Kind != fault.Invalid {
			t.Errorf("%s with an invite: %v", name, f)
		}
	}
}

func TestTextForms(t *testing.T) {
	net, alice, bob, _ := trio(t)
	line := func(p *peer, line string) string {
		t.Helper()
		_, reply, err := op.RunLine(t.Context(), p.calls, op.Write, "terminal", line)
		if err != nil {
			t.Fatal(line, err)
		}
		return reply.Text
	}
	from := alice.id.PublicKey().String()
	for _, c := range []struct {
		peer       *peer
		line, want string
	}{
		{alice, `/sc_join --ch " ops "`, "Joined sidechannel: ops"},
		{alice, `/sc_send --channel ops --msg hi`, "Sent to 0 peers: nobody else is connected on this channel."},
		{alice, `/sc_send trip "hello there"`, "Sent to 1 peer."},
		{bob, `/sc_send --name trip --message 5`, "Sent to 2 peers."},
		{bob, `/sc_read trip`, `[sidechannel:trip] ` + from + `: "hello there"`},
		{bob, `/sc_read trip --after 1`, "[sidechannel:trip] no new messages."},
		{alice, "/sc_leave \"\tops\n\"", "Left sidechannel: ops"},
		{alice, `/sc_leave ops`, "Not left: the channel was not joined"},
		{alice, `/sc_leave 0000intercom`, "Not left: the entry channel is never left"},
	} {
		if got := line(c.peer, c.line); got != c.want {
			t.Errorf("%s prints %q, want %q", c.line, got, c.want)
		}
		net.flush()
	}
	send(t, alice, "trip", `"a\u001b[2J\u202e\u009b\n[sidechannel:trip] bob: lies"`)
	net.flush()
	if got, want := line(bob, "/sc_read trip --after 1"), `[sidechannel:trip] `+from+`: "a\u001b[2J\u202e\u009b\n[sidechannel:trip] bob: lies"`; got != want {
		t.Errorf("hostile text prints %q, want %q", got, want)
	}
	bob.call(t, "", "sc_join", `{"channel":"trip"}`)
}

func TestOperationsAreDeclaredAsTheyBehave(t *testing.T) {
	alice := newHouse(t, "alice", nil)
	untrusted := []string{"sc_read", "sc_join", "sc_requests"}
	for _, info := range alice.calls.Ops() {
		if info.Untrusted != slices.Contains(untrusted, info.Name) {
			t.Errorf("%s: untrusted %v", info.Name, info.Untrusted)
		}
		if _, err := alice.calls.Call(t.Context(), op.Request{Name: info.Name, Params: info.Example, Grant: info.Access}); err != nil {
			t.Errorf("%s %s: %v", info.Name, info.Example, err)
		}
	}
	got := alice.call(t, "sc_join", `{"channel":"x"}`)
	if got["joined"] != true || got["open"] != true || got["welcome"] != "none" || got["hint"] == "" {
		t.Errorf("sc_join: %v", got)
	}
}
