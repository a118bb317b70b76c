package outbox_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/fault"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/outbox"
)

func TestATransferIsConfirmedAndEveryChangeToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var l teller
		w := newWorld()
		b := open(t, store.NewDisk(), w, func(c *outbox.Config) { c.OnChange = l.told }).run()
		defer b.close()
		e := b.put("k")
		if e.State != outbox.Created || e.Kind != bus.KindTransfer || e.Expiry != outbox.Life || e.Key != "k" {
			t.Fatalf("%+v", e)
		}
		if done := b.becomes(e.ID, outbox.Confirmed); done.Height != 1 || done.Code != bus.OK {
			t.Errorf("%+v", done)
		}
		synctest.Wait()
		if got, want := l.of(e.ID), []outbox.State{outbox.Created, outbox.Sent, outbox.Accepted, outbox.Confirmed}; !slices.Equal(got, want) {
			t.Errorf("told %v, want %v", got, want)
		}
		if kept, err := b.Get(e.ID); err != nil || kept.State != outbox.Confirmed || !slices.Equal(kept.Raw, e.Raw) || len(b.Pending()) != 0 {
			t.Errorf("%+v, %v, pending %d", kept, err, len(b.Pending()))
		}
	})
}

func TestNothingIsOfferedThatIsNotOnTheDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := open(t, store.NewDisk(), w)
		w.offered = func(s *bus.Signed) (r bus.Result, err error, ok bool) {
			after := open(t, b.disk.Crash(0), w)
			defer after.close()
			if _, err := after.Get(s.ID); err != nil {
				t.Error(err)
			}
			return
		}
		b.run()
		defer b.close()
		b.becomes(b.put("").ID, outbox.Confirmed)
	})
}

func TestOneKeyMakesOneTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		b := open(t, store.NewDisk(), w)
		var calls sync.WaitGroup
		ids := make([]bus.ID, 50)
		for i := range ids {
			calls.Go(func() { ids[i] = b.put("key").ID })
		}
		calls.Wait()
		if same := slices.Compact(ids); len(same) != 1 || len(b.Pending()) != 1 {
			t.Fatalf("%d transactions, %d pending", len(same), len(b.Pending()))
		}
		_, err := b.Put(t.Context(), "key", []byte("other"), transfer(2, 9))
		if fault.KindOf(err) != fault.Conflict {
			t.Error(err)
		}
		// The key holds over a cut of power and after the end.
		b = open(t, b.crash(0), w).run()
		defer func() { b.close() }()
		b.becomes(ids[0], outbox.Confirmed)
		if e := b.put("key"); e.ID != ids[0] || e.State != outbox.Confirmed {
			t.Errorf("%+v", e)
		}
	})
}

func TestWhatCannotBeSentIsRefused(t *testing.T) {
	b := open(t, store.NewDisk(), newWorld(), func(c *outbox.Config) { c.Pending = 2 })
	defer b.close()
	elsewhere := bus.Tx{Network: "elsewhere", Nonce: bus.NewNonce(), Expiry: 9, Body: bus.Transfer{To: payee}}.Sign(payer)
	noNonce := bus.Tx{Network: network, Expiry: 9, Body: bus.Transfer{To: payee}}.Sign(payer)
	good := bus.Tx{Network: network, Nonce: bus.NewNonce(), Expiry: 9, Body: bus.Transfer{To: payee}}.Sign(payer)
	signed := func(s *bus.Signed) func() (*bus.Signed, error) { return func() (*bus.Signed, error) { return s, nil } }
	for _, c := range []struct {
		name, key string
		make      func() (*bus.Signed, error)
		want      fault.Kind
	}{
		{"another network", "", signed(elsewhere), fault.Invalid},
		{"no form", "", signed(noNonce), fault.Invalid},
		{"a key too long", string(make([]byte, outbox.MaxKey+1)), signed(good), fault.Invalid},
		{"no signature", "", func() (*bus.Signed, error) { return nil, fault.New(fault.Denied, "no key") }, fault.Denied},
		{"good", "", signed(good), ""},
		{"the same again", "", signed(good), fault.Conflict},
		{"a second", "", transfer(1, 9), ""},
		{"too many", "", transfer(1, 9), fault.Limited},
	} {
		if _, err := b.Put(t.Context(), c.key, nil, c.make); fault.KindOf(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := b.Get(bus.ID{1}); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	if _, err := b.Wait(t.Context(), bus.ID{1}, outbox.Sent); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func TestWaitingEndsWithItsContextAndTellsHowFarItCame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.idle = true
		b := open(t, store.NewDisk(), w).run()
		defer b.close()
		id := b.put("").ID
		if e, err := b.Wait(t.Context(), id, outbox.Accepted); err != nil || e.State != outbox.Accepted {
			t.Fatal(e.State, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if e, err := b.Wait(ctx, id, outbox.Confirmed); !errors.Is(err, context.DeadlineExceeded) || e.State != outbox.Accepted {
			t.Errorf("%s, %v", e.State, err)
		}
	})
}

func TestTheOldestThatEndedAreForgottenWithTheirKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.offered = func(s *bus.Signed) (bus.Result, error, bool) {
			return bus.Result{}, fault.New(fault.Unavailable, "no"), s.Expiry == 1
		}
		b := open(t, store.NewDisk(), w, func(c *outbox.Config) { c.Keep = 8 }).run()
		defer b.close()
		stuck, err := b.Put(t.Context(), "stuck", nil, transfer(1, 1))
		if err != nil {
			t.Fatal(err)
		}
		w.mu.Lock()
		w.height = -1000 // it does not expire
		w.mu.Unlock()
		var ids []bus.ID
		for i := range 30 {
			e := b.put(string(rune('a' + i)))
			b.becomes(e.ID, outbox.Confirmed)
			ids = append(ids, e.ID)
		}
		synctest.Wait()
		kept := 0
		for _, id := range ids {
			if _, err := b.Get(id); err == nil {
				kept++
			}
		}
		if kept < 8 || kept > 10 {
			t.Errorf("%d are kept", kept)
		}
		if e := b.put("a"); e.ID == ids[0] {
			t.Error("the key of a forgotten one still stands for it")
		}
		if e := b.put(string(rune('a' + 29))); e.ID != ids[29] {
			t.Error("the key of one that is kept is forgotten")
		}
		if e, err := b.Get(stuck.ID); err != nil || e.Ended() {
			t.Error(e.State, err)
		}
	})
}

func TestASpaceBelongsToOneNetwork(t *testing.T) {
	b := open(t, store.NewDisk(), newWorld())
	defer b.close()
	_, err := outbox.Open(outbox.Config{Space: b.store.Space("outbox"), Network: "another", Port: newWorld(), Log: quiet})
	if fault.KindOf(err) != fault.Conflict {
		t.Error(err)
	}
}

func TestABrokenDiskEndsRunning(t *testing.T) {
	w := newWorld()
	b := open(t, store.NewDisk(), w)
	b.put("")
	w.offered = func(*bus.Signed) (bus.Result, error, bool) {
		b.store.Close()
		return bus.Result{}, nil, true
	}
	if err := b.Run(t.Context()); fault.KindOf(err) != fault.Unavailable {
		t.Error(err)
	}
}
