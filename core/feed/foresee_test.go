package feed_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
)

// What is foreseen is what AddAll does, and nothing is stored before.
func TestWhatIsForeseenHappens(t *testing.T) {
	ctx, all := context.Background(), history(t, 40)
	late := &feed.Entry{Feed: room, Author: author(9).PublicKey(), Height: 1, TS: start.Add(time.Hour).UnixMilli()}
	late.Sig = [64]byte(author(9).Sign(late.Preimage()))
	here, there := inMemory(t), inMemory(t)
	for _, f := range []*feed.Feeds{here, there} {
		if _, err := f.AddAll(ctx, all[:3], neighbour, start); err != nil {
			t.Fatal(err)
		}
	}
	given := slices.Concat(all[:30], all[25:28], all[35:36], []*feed.Entry{late})
	x, err := here.Foresee(ctx, given, start)
	if n, countErr := here.Count(room); n != 3 || err != nil || countErr != nil {
		t.Fatal(n, err, countErr)
	}
	want, err := there.AddAll(ctx, given, neighbour, start)
	if err != nil || !slices.Equal(x.Outcomes, want) {
		t.Errorf("foreseen %v, want %v (%v)", x.Outcomes, want, err)
	}
	if got, err := here.AddForeseen(ctx, x, neighbour, start); err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v (%v)", got, want, err)
	}
	if !slices.Equal(listing(t, here), listing(t, there)) {
		t.Error("the feeds differ")
	}
}

func TestForeseeSaysWhichEntryIsRefused(t *testing.T) {
	ctx, all := context.Background(), history(t, 20)
	bent := *all[7]
	bent.Sig[3] ^= 1
	wrong := &feed.Entry{Feed: room, Author: author(1).PublicKey(), Height: 9, Parents: []feed.ID{all[2].ID()}, TS: start.UnixMilli()}
	wrong.Sig = [64]byte(author(1).Sign(wrong.Preimage()))
	f := inMemory(t)
	if _, err := f.AddAll(ctx, all, neighbour, start); err != nil {
		t.Fatal(err)
	}
	for want, given := range map[string][]*feed.Entry{
		"signature": slices.Concat(all[:7], []*feed.Entry{&bent}, all[8:]), // though the entry is stored
		"height":    slices.Concat(all[:7], []*feed.Entry{wrong}, all[7:]),
	} {
		x, err := f.Foresee(ctx, given, start)
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), want) || len(x.Outcomes) != 7 {
			t.Errorf("%s: %v after %d", want, err, len(x.Outcomes))
		}
	}
}
