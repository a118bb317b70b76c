package intersplit

import (
	"strings"
	"testing"
	"time"
)

// balanceOf is what a person reads of a channel, and what a program does.
func (p *peer) balanceOf(channel string) (text string, result BalanceResult) {
	p.world.t.Helper()
	reply := p.must("expense_balance", `{"channel":"`+channel+`"}`)
	decodeResult(p.world.t, reply, &result)
	return reply.Text, result
}

// Whoever comes to a channel with members is answered with what they have, in the
// first call and in whatever operation it is.
func TestTheFirstAnswerInAChannelHasWhatMembersHave(t *testing.T) {
	w := newWorld(t)
	alice := w.join(1)
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	for i, call := range [][2]string{
		{"expense_balance", `{"channel":"trip"}`}, {"expense_list", `{"channel":"trip"}`}, {"expense_stats", `{"channel":"trip"}`},
		{"expense_explain", `{"channel":"trip","member":"bob"}`}, {"expense_history", `{"channel":"trip","id":"last"}`},
		{"expense_export", `{"channel":"trip","format":"text"}`}, {"expense_assist", `{"channel":"trip","text":"who owes what"}`},
		{"expense_assist", `{"channel":"trip","text":"why does bob owe"}`}, {"expense_assist", `{"channel":"trip","text":"dinner 30 alice with bob"}`},
	} {
		late := w.join(byte(10 + i))
		if got := late.must(call[0], call[1]).Text; !strings.Contains(got, "30.00") && !strings.Contains(got, "15.00") || strings.Contains(got, "not synced") || strings.Contains(got, "new: ") {
			t.Errorf("%s: %s", call[0], got)
		}
		late.leave()
	}
}

// A peer that was started again knows what came meanwhile before it answers.
func TestTheFirstAnswerAfterARestartHasWhatCameMeanwhile(t *testing.T) {
	w := newWorld(t)
	s := memory(t)
	alice, bob := w.join(1), w.joinWith(2, s)
	bob.must("expense_list", `{"channel":"trip"}`)
	bob.leave()
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	again := w.joinWith(2, s)
	if _, err := again.Join(t.Context(), "trip"); err != nil { // as the channels remember
		t.Fatal(err)
	}
	if text, got := again.balanceOf("trip"); got.Entries != 1 || got.Joined || got.Synced != nil {
		t.Errorf("%+v\n%s", got, text)
	}
}

func TestWhoIsAloneIsToldOnlyThatNobodyIsThereYet(t *testing.T) {
	p := newWorld(t).join(1)
	text, got := p.balanceOf("trip")
	if got.Synced == nil || *got.Synced || !strings.Contains(got.Hint, "no member is connected yet") || strings.Contains(text, "synced") {
		t.Errorf("just come, empty, alone: %+v\n%s", got, text)
	}
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	if text, got = p.balanceOf("trip"); got.Synced != nil || strings.Contains(text, "synced") {
		t.Errorf("its own ledger: %+v\n%s", got, text)
	}
}

// Members who give nothing are waited for once, and the answers say so.
func TestWhatMembersDoNotGiveIsSaidToBeMissing(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	alice.refuse(bob, true)
	for range 2 {
		if text, got := bob.balanceOf("trip"); got.Synced == nil || got.Entries != 0 || !strings.Contains(text, "- not synced: members") {
			t.Errorf("%+v\n%s", got, text)
		}
	}
	alice.refuse(bob, false)
	until(t, "bob has it", func() bool {
		_, got := bob.balanceOf("trip")
		return got.Synced == nil && got.Entries == 1
	})
}

// refuse has a peer give another nothing, or again what it asks for.
func (p *peer) refuse(other *peer, refused bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused[other.id.PublicKey()] = refused
}

// Members who hold others to be inviters exchange nothing, and every one of them
// is told: by an event, in the list of rooms, and in what it reads.
func TestDifferentInvitersAreAConflictThatIsTold(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	alice.setPolicy(Policy{InviteOnly: true, Inviters: keysOf(alice)})
	bob.setPolicy(Policy{InviteOnly: true, Inviters: keysOf(alice, bob)})
	alice.must("expense_add", expense("alice", "30"))
	bob.must("expense_add", expense("bob", "40"))
	for _, pair := range [][2]*peer{{alice, bob}, {bob, alice}} {
		p, other := pair[0], pair[1].id.PublicKey().String()
		var room RoomFacts
		until(t, "the room tells", func() bool {
			var rooms RoomsResult
			decodeResult(t, p.must("expense_rooms", `{}`), &rooms)
			room = rooms.Rooms[0]
			return len(room.Disagree) == 1
		})
		if d := room.Disagree[0]; d.Peer != other || !strings.Contains(d.Reason, "inviters") {
			t.Errorf("%+v", d)
		}
		if events := p.told("expense_conflict"); len(events) != 1 || !strings.Contains(events[0], other) {
			t.Errorf("events: %v", events)
		}
		if text, got := p.balanceOf("trip"); got.Synced == nil || got.Entries != 1 || !strings.Contains(text, "expense_rooms names it") {
			t.Errorf("%+v\n%s", got, text)
		}
	}
	bob.setPolicy(Policy{InviteOnly: true, Inviters: keysOf(alice)})
	until(t, "they agree", func() bool {
		var rooms RoomsResult
		decodeResult(t, bob.must("expense_rooms", `{}`), &rooms)
		return len(rooms.Rooms[0].Disagree) == 0
	})
}

func TestHowLongACallWaits(t *testing.T) {
	now := time.Now()
	var a arrivals
	a.init()
	left := func(after time.Duration) time.Duration {
		return a.patience(a.at("trip"), now.Add(after))
	}
	if left(0) > 0 {
		t.Error("waits in a channel where it is not")
	}
	a.meet([]string{"trip"}, nil, now)
	if left(0) != meetTime || left(meetTime) > 0 {
		t.Error("alone", left(0), left(meetTime))
	}
	a.see("trip", now.Add(time.Minute))
	a.meet([]string{"trip"}, []pair{{"trip", small}}, now.Add(2*time.Minute)) // it was there before
	if left(time.Minute) != firstTime || left(time.Minute+firstTime) > 0 {
		t.Error("with a member", left(time.Minute))
	}
	a.settle("trip")
	a.settle("trip")
	if left(time.Minute) > 0 {
		t.Error("waits though it is in step")
	}
	a.come("trip", true, now.Add(time.Hour)) // it left and came again
	a.meet(nil, nil, now.Add(time.Minute))   // seen before it came
	if left(time.Hour) != meetTime {
		t.Error("come again", left(time.Hour))
	}
	a.meet(nil, nil, now.Add(2*time.Hour))
	if left(2*time.Hour) > 0 || len(a.in) != 0 {
		t.Error("waits in a channel that it left")
	}
}
