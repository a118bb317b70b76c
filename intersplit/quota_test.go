package intersplit

import (
	"strings"
	"testing"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
)

func TestNobodyHasMoreThanTheQuota(t *testing.T) {
	p := newWorld(t).join(1)
	p.must("expense_add", expense("alice", "30"))
	id := FeedOf("trip")
	for _, c := range []struct {
		author identity.PublicKey
		seq    uint64
		want   fault.Kind
	}{
		{p.id.PublicKey(), maxSeq - 1, ""}, {p.id.PublicKey(), maxSeq, fault.Limited},
		{identity.PublicKey{1}, maxSeq - 1, ""}, {identity.PublicKey{1}, maxSeq, fault.Invalid},
	} {
		err := p.guard(&feed.Entry{Feed: id, Author: c.author, Seq: c.seq}, feed.Size{})
		if fault.KindOf(err) != c.want || err != nil && !strings.Contains(err.Error(), "200000") {
			t.Errorf("seq %d: %v", c.seq, err)
		}
	}
	if err := p.guard(&feed.Entry{Feed: feed.FeedID{9}, Seq: maxSeq}, feed.Size{Bytes: 1 << 60}); err != nil {
		t.Error("another owner's feed:", err)
	}
}

// A room that is full on one peer says so there, and stays whole elsewhere.
func TestAFullRoomSaysThatItIsIncomplete(t *testing.T) {
	w := newWorld(t)
	alice := w.join(1)
	w.roomBytes = 30_000
	s := memory(t)
	bob := w.joinWith(2, s)
	bob.must("expense_list", `{"channel":"trip"}`)
	for range 30 {
		alice.must("expense_add", expense("alice", "30"))
	}
	rm := bob.room("trip", true)
	until(t, "bob's disk is full", rm.incomplete)
	if _, err := bob.call("expense_add", expense("bob", "1")); fault.KindOf(err) != fault.Limited || !strings.Contains(err.Error(), "trip") {
		t.Error(err)
	}
	if size, err := bob.feeds.Bytes(rm.id); size > 30_000 || err != nil {
		t.Error(size, err)
	}
	for _, name := range []string{"expense_balance", "expense_list"} {
		if got := bob.must(name, `{"channel":"trip"}`).Text; !strings.Contains(got, "incomplete") {
			t.Errorf("%s: %s", name, got)
		}
	}
	for _, name := range []string{"expense_balance", "expense_list", "expense_export"} {
		if got := string(bob.must(name, `{"channel":"trip"}`).Value); !strings.Contains(got, `"incomplete":true`) {
			t.Errorf("%s: %s", name, got)
		}
		if got := string(alice.must(name, `{"channel":"trip"}`).Value); strings.Contains(got, "incomplete") {
			t.Errorf("%s: %s", name, got)
		}
	}
	if alice.total() != "900.00" {
		t.Error(alice.total())
	}
	bob.leave()
	again := w.joinWith(2, s)
	again.must("expense_list", `{"channel":"trip"}`)
	if !again.room("trip", true).incomplete() {
		t.Error("after a restart a full room claims to be complete")
	}
}
