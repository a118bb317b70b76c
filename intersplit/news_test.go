package intersplit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/intersplit/ledger"
)

// expenses makes n bodies.
func expenses(tb testing.TB, n int) []ledger.Body {
	tb.Helper()
	bodies := make([]ledger.Body, n)
	for i := range bodies {
		body, err := ledger.NewExpense(ledger.Expense{
			Amount: 300, Payers: []ledger.Part{{Member: "alice", Amount: 300}},
			Split: []ledger.Portion{{Member: "alice"}, {Member: "bob"}}, Note: fmt.Sprint("row ", i),
		})
		if err != nil {
			tb.Fatal(err)
		}
		bodies[i] = body
	}
	return bodies
}

// told reads all events of a kind so far.
func (p *peer) told(kind string) (all []string) {
	p.world.t.Helper()
	cursor := event.Cursor("")
	p.hub.Publish("end", nil)
	for {
		batch, err := p.hub.Read(p.world.t.Context(), cursor, 1000)
		if err != nil {
			p.world.t.Fatal(err)
		}
		for _, e := range batch.Events {
			if e.Kind == kind {
				all = append(all, string(e.Data))
			}
		}
		cursor = batch.Next
		if batch.Events[len(batch.Events)-1].Kind == "end" {
			return all
		}
	}
}

// What is added at once in great number is one message, one fetch and a few
// events.
func TestManyEntriesAreAnnouncedByTheirHeads(t *testing.T) {
	w := newWorld(t)
	w.refresh = time.Hour // the announcement alone brings them
	alice, bob := w.join(1), w.join(2)
	messages := 0
	hear := bob.listen
	bob.listen = func(m Message) { messages++; hear(m) }
	bob.must("expense_list", `{"channel":"trip"}`)
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	until(t, "they have met", func() bool { return strings.Contains(bob.must("expense_list", `{"channel":"trip"}`).Text, "entries=1") })
	messages = 0

	rm := alice.room("trip", true)
	all, sent, err := alice.recordAll(t.Context(), rm, expenses(t, 500))
	if err != nil || len(all) != 500 || sent != 1 {
		t.Fatal(len(all), sent, err)
	}
	until(t, "bob has them", func() bool { return bob.export("trip") == alice.export("trip") })
	if messages != 1 {
		t.Errorf("%d messages", messages)
	}
	for _, p := range []*peer{alice, bob} {
		until(t, "the rest is told by its number", func() bool {
			events, entries := p.told("expense_changed"), 0
			for _, data := range events {
				var c changed
				if err := json.Unmarshal([]byte(data), &c); err != nil {
					t.Fatal(err)
				}
				entries += max(c.Entries, 1)
			}
			return entries == 501 && len(events) < 60
		})
	}
}

func TestAFewEntriesAtOnceAreAnnouncedEach(t *testing.T) {
	w := newWorld(t)
	w.refresh = time.Hour
	alice, bob := w.join(1), w.join(2)
	bob.must("expense_list", `{"channel":"trip"}`)
	alice.must("expense_list", `{"channel":"trip"}`)
	if _, sent, err := alice.recordAll(t.Context(), alice.room("trip", true), expenses(t, 20)); sent != 1 || err != nil {
		t.Fatal(sent, err)
	}
	until(t, "bob has them", func() bool { return bob.export("trip") == alice.export("trip") })
}

// Whoever waits for a long exchange sees it move; a short one says nothing.
func TestALongExchangeTellsItsProgress(t *testing.T) {
	w := newWorld(t)
	alice := w.join(1)
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	rm := alice.room("trip", true)
	alice.leave()
	now := time.Now()
	alice.now = func() time.Time { return now }
	for _, took := range []time.Duration{time.Millisecond, 3 * time.Second} {
		report := alice.reporter(identity.PublicKey{7})
		report.begin(rm)
		now = now.Add(took)
		report.tell(feed.Progress{Feed: rm.id, Stored: 5, Theirs: 9})
		report.end()
	}
	got := alice.told("expense_sync")
	if len(got) != 2 || !strings.Contains(got[0], `"have":1,"theirs":9`) || strings.Contains(got[0], "done") || !strings.Contains(got[1], `"done":true`) {
		t.Error(got)
	}
}
