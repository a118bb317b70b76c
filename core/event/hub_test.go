package event_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"intercom/core/event"
	"intercom/core/fault"
)

func read(t *testing.T, h *event.Hub, after event.Cursor, limit int) event.Batch {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // what is there now, without waiting
	batch, err := h.Read(ctx, after, limit)
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestReadGivesWhatComesAfterTheCursor(t *testing.T) {
	h := event.NewHub("run", event.Limits{})
	h.Publish("a", 1)
	after := h.Now()
	h.Publish("b", 2)
	h.Publish("c", 3)
	batch := read(t, h, after, 1)
	if len(batch.Events) != 1 || batch.Events[0].Kind != "b" || batch.Events[0].Seq != 2 {
		t.Fatalf("got %+v", batch)
	}
	if batch = read(t, h, batch.Next, 10); len(batch.Events) != 1 || string(batch.Events[0].Data) != "3" {
		t.Fatalf("got %+v", batch)
	}
	if again := read(t, h, batch.Next, 10); len(again.Events) != 0 || again.Next != batch.Next {
		t.Fatalf("an empty read moved the cursor: %+v", again)
	}
	if all := read(t, h, "", 10); len(all.Events) != 3 {
		t.Fatalf("the empty cursor gave %d events", len(all.Events))
	}
}

func TestReadWaitsForTheNextEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := event.NewHub("run", event.Limits{})
		got := make(chan event.Batch)
		go func() {
			batch, _ := h.Read(t.Context(), h.Now(), 10)
			got <- batch
		}()
		synctest.Wait()
		h.Publish("late", nil)
		if batch := <-got; len(batch.Events) != 1 || batch.Events[0].Kind != "late" {
			t.Errorf("got %+v", batch)
		}
	})
}

func TestOvertakenReaderIsToldHowManyItMissed(t *testing.T) {
	h := event.NewHub("run", event.Limits{Events: 2})
	after := h.Now()
	for i := range 5 {
		h.Publish("n", i)
	}
	batch := read(t, h, after, 10)
	if len(batch.Events) != 3 || batch.Events[0].Kind != event.Gap || string(batch.Events[0].Data) != `{"missed":3}` {
		t.Fatalf("got %+v", batch.Events)
	}
}

func TestBytesBoundTheRingToo(t *testing.T) {
	h := event.NewHub("run", event.Limits{Bytes: 10})
	for range 3 {
		h.Publish("n", "12345678") // ten bytes as JSON
	}
	if batch := read(t, h, "", 10); len(batch.Events) != 1 {
		t.Fatalf("kept %d events", len(batch.Events))
	}
}

func TestCursorOfAnotherRunGivesAGap(t *testing.T) {
	h := event.NewHub("new", event.Limits{})
	h.Publish("a", 1)
	batch := read(t, h, "old:17", 10)
	if len(batch.Events) != 2 || string(batch.Events[0].Data) != `{"missed":null}` || batch.Events[1].Kind != "a" {
		t.Fatalf("got %+v", batch.Events)
	}
}

func TestMadeUpCursorIsInvalid(t *testing.T) {
	h := event.NewHub("run", event.Limits{})
	for _, c := range []event.Cursor{"x", "run:", "run:-1", "run:1x", ":"} {
		if _, err := h.Read(t.Context(), c, 1); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", c, err)
		}
	}
}

// Whatever is published and read in whatever steps, a reader sees every number
// once and in order, or a gap that accounts exactly for what it did not see.
func TestEveryEventIsSeenOrAccountedFor(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		h := event.NewHub("run", event.Limits{Events: rapid.IntRange(1, 5).Draw(rt, "ring")})
		cursor, seen, published := h.Now(), uint64(0), uint64(0)
		for range rapid.IntRange(1, 20).Draw(rt, "steps") {
			for range rapid.IntRange(0, 8).Draw(rt, "publish") {
				h.Publish("n", nil)
				published++
			}
			batch := read(t, h, cursor, rapid.IntRange(1, 4).Draw(rt, "limit"))
			cursor = batch.Next
			for _, e := range batch.Events {
				if e.Kind == event.Gap {
					var missed uint64
					if _, err := fmt.Sscanf(string(e.Data), `{"missed":%d}`, &missed); err != nil {
						rt.Fatal(err)
					}
					seen += missed
					continue
				}
				if seen++; e.Seq != seen {
					rt.Fatalf("event %d came as number %d", e.Seq, seen)
				}
			}
		}
		if rest := read(t, h, cursor, 100); seen+uint64(len(rest.Events)) < published && rest.Events[0].Kind != event.Gap {
			rt.Fatalf("%d published, %d seen", published, seen)
		}
	})
}

func BenchmarkPublishAndRead(b *testing.B) {
	h := event.NewHub("run", event.Limits{})
	cursor := h.Now()
	for b.Loop() {
		h.Publish("n", nil)
		batch, _ := h.Read(b.Context(), cursor, 10)
		cursor = batch.Next
	}
}
