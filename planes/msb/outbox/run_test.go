package outbox_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/fault"
	"intercom/core/store"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/outbox"
)

func TestOnesThatNobodyTakesHoldNoOtherUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.offered = func(s *bus.Signed) (bus.Result, error, bool) {
			return bus.Result{Code: bus.TransferInsufficientBalance}, nil, s.Body.(bus.Transfer).Amount != bus.Atomic(1)
		}
		b := open(t, store.NewDisk(), w).run()
		defer b.close()
		for range 1000 {
			if _, err := b.Put(t.Context(), "", nil, transfer(2, outbox.Life)); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		b.becomes(b.put("").ID, outbox.Confirmed)
		if took := time.Since(began); took > time.Second { // of the world's own time
			t.Errorf("it took %v", took)
		}
		if n := len(b.Pending()); n != 1000 {
			t.Errorf("%d are pending", n)
		}
	})
}

func TestQuestionsToTheNetworkAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		w := newWorld()
		w.offered = func(*bus.Signed) (bus.Result, error, bool) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return bus.Result{}, nil, false
		}
		b := open(t, store.NewDisk(), w).run()
		defer b.close()
		var ids []bus.ID
		for range 300 {
			ids = append(ids, b.put("").ID)
		}
		synctest.Wait()
		sent := slices.DeleteFunc(b.Pending(), func(e outbox.Entry) bool { return e.State == outbox.Created })
		if len(sent) != 16 {
			t.Errorf("%d count as sent before they are offered", len(sent))
		}
		for _, id := range ids {
			b.becomes(id, outbox.Confirmed)
		}
		if most.Load() != 16 {
			t.Errorf("%d questions at a time", most.Load())
		}
	})
}

func TestRunningAgainGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.idle = true
		b := open(t, store.NewDisk(), w).run()
		id := b.put("").ID
		if _, err := b.Wait(t.Context(), id, outbox.Accepted); err != nil {
			t.Fatal(err)
		}
		b.stop()
		if err := <-b.ended; err != nil {
			t.Error(err)
		}
		w.kill(false)
		w.idle = false
		b.run()
		defer b.close()
		b.becomes(id, outbox.Confirmed)
	})
}

func TestWhatOneTookAndForgotIsTakenByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.offered = func(s *bus.Signed) (bus.Result, error, bool) {
			return bus.Result{}, nil, w.asked(s.ID) < 4 // the first three only say so
		}
		b := open(t, store.NewDisk(), w).run()
		defer b.close()
		e := b.put("")
		b.becomes(e.ID, outbox.Confirmed)
		if n := w.asked(e.ID); n != 4 {
			t.Errorf("offered %d times", n)
		}
	})
}

func TestLateAnswersAndSilenceEndWell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.offered = func(s *bus.Signed) (bus.Result, error, bool) {
			w.take(s.ID)
			time.Sleep(time.Minute) // it took it and says so when nobody listens any more
			return bus.Result{}, fault.New(fault.Cancelled, "too late"), true
		}
		b := open(t, store.NewDisk(), w).run()
		defer b.close()
		e := b.put("")
		b.becomes(e.ID, outbox.Confirmed)
		if n := w.asked(e.ID); n != 1 {
			t.Errorf("offered %d times", n)
		}
	})
}

func TestWakeDoesNotWaitOutARest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		gone := atomic.Bool{}
		gone.Store(true)
		w.offered = func(*bus.Signed) (bus.Result, error, bool) {
			return bus.Result{}, fault.New(fault.Unavailable, "nobody is there"), gone.Load()
		}
		b := open(t, store.NewDisk(), w).run()
		defer b.close()
		e := b.put("")
		time.Sleep(time.Hour)
		synctest.Wait()
		gone.Store(false)
		began := time.Now()
		b.Wake()
		b.becomes(e.ID, outbox.Confirmed)
		if took := time.Since(began); took > 100*time.Millisecond {
			t.Errorf("it took %v", took)
		}
	})
}

func TestAFailureByRefusalIsOnTheDiskBeforeItIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld()
		w.offered = func(*bus.Signed) (bus.Result, error, bool) {
			return bus.Result{Code: bus.TransferInsufficientBalance, Text: "Insufficient balance."}, nil, true
		}
		var b *box
		var left *store.Disk
		b = open(t, store.NewDisk(), w, own, func(c *outbox.Config) {
			c.OnChange = func(e outbox.Entry) {
				if e.State == outbox.Failed {
					left = b.disk.Crash(0)
				}
			}
		})
		b.run()
		e := b.put("")
		failed := b.becomes(e.ID, outbox.Failed)
		if failed.Height != 0 || failed.Code != bus.TransferInsufficientBalance || failed.Text == "" {
			t.Errorf("%+v", failed)
		}
		b.close()

		// The power went before the hook returned: it is told again, and not sent.
		var l teller
		w.offered = nil
		again := open(t, left, w, own, func(c *outbox.Config) { c.OnChange = l.told }).run()
		time.Sleep(time.Hour)
		if got := l.of(e.ID); !slices.Equal(got, []outbox.State{outbox.Failed}) || w.asked(e.ID) != 1 {
			t.Errorf("told %v, offered %d times", got, w.asked(e.ID))
		}
		again.close()
		l = teller{}
		quietly := open(t, left, w, own, func(c *outbox.Config) { c.OnChange = l.told }).run()
		synctest.Wait()
		if got := l.of(e.ID); len(got) != 0 {
			t.Errorf("told %v after it was told", got)
		}
		quietly.close()
	})
}

// TestProofCutsOfPower cuts the power of the peer, and often with it of the
// network's pool, at random moments: what was put ends once, as the network says,
// and how it ended is told. INTERCOM_PROOF runs it a hundred times as often.
func TestProofCutsOfPower(t *testing.T) {
	seeds := uint64(3)
	if os.Getenv("INTERCOM_PROOF") != "" {
		seeds = 300
	}
	total := 0
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { total += cuts(t, rand.New(rand.NewPCG(seed, 5))) })
		})
	}
	t.Logf("%d transactions over %d cuts of power: each ended once, as its record says", total, seeds*20)
}

func cuts(t *testing.T, r *rand.Rand) int {
	w := newWorld()
	w.offered = func(s *bus.Signed) (bus.Result, error, bool) {
		switch rand.IntN(10) { // not r: callers come in any order
		case 0:
			return bus.Result{}, fault.New(fault.Unavailable, "not now"), true
		case 1:
			return bus.Result{}, nil, true // taken, and forgotten
		case 2:
			return bus.Result{Code: bus.NodeOverloaded}, nil, true
		case 3:
			return bus.Result{Code: bus.TransferInsufficientBalance}, nil, !w.holds(s.ID)
		}
		return bus.Result{}, nil, false
	}
	var l teller
	only := r.IntN(2) == 0
	listen := func(c *outbox.Config) { c.OnChange = l.told; c.Own = only }
	disk := store.NewDisk()
	put := map[string]bus.ID{}
	for range 20 {
		b := open(t, disk, w, listen).run()
		for range r.IntN(30) {
			key := fmt.Sprint(r.IntN(400))
			e := b.put(key)
			if before, ok := put[key]; ok && before != e.ID {
				t.Fatalf("key %s gave another transaction", key)
			}
			put[key] = e.ID
			if r.IntN(3) == 0 {
				time.Sleep(time.Duration(r.IntN(10)) * time.Millisecond)
			}
		}
		disk = b.crash(r.Uint64())
		w.kill(r.IntN(2) == 0)
	}
	b := open(t, disk, w, listen).run()
	defer b.close()
	failed := 0
	for key, id := range put {
		e, err := b.Wait(t.Context(), id, outbox.Confirmed)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // who waits may know it before who listens
		record, settled, _, _ := w.Record(t.Context(), id)
		switch {
		case e.State == outbox.Failed && !settled && only: // refused by the only node
			failed++
		case e.State != outbox.Confirmed || record.Height != e.Height:
			t.Errorf("key %s: %s at height %d, settled at %d", key, e.State, e.Height, record.Height)
		}
		if !slices.Contains(l.of(id), e.State) {
			t.Errorf("key %s is %s, told %v", key, e.State, l.of(id))
		}
	}
	if len(b.Pending()) != 0 || w.settled()+failed != len(put) {
		t.Errorf("%d pending, %d settled, %d failed, %d put", len(b.Pending()), w.settled(), failed, len(put))
	}
	return len(put)
}
