package intersplit

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/intersplit/persist"
)

// contractState is a contract's state in memory, which carries the functions of
// package persist out as a subnet would: a call does all it says or nothing. What is
// confirmed comes a step later, when settle is called.
type contractState struct {
	mu     sync.Mutex
	local  map[string]json.RawMessage
	sure   map[string]json.RawMessage
	calls  int
	refuse error // of the next call
}

func newContractState() *contractState {
	return &contractState{local: map[string]json.RawMessage{}, sure: map[string]json.RawMessage{}}
}

func (c *contractState) settle() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, value := range c.local {
		c.sure[key] = value
	}
}

func (c *contractState) Get(_ context.Context, key string, confirmed bool) (json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if confirmed {
		return c.sure[key], nil
	}
	return c.local[key], nil
}

func (c *contractState) Call(_ context.Context, function string, value json.RawMessage, sim bool, _ time.Duration) (Transaction, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(value) > 15<<10 {
		return Transaction{}, fault.New(fault.Invalid, "%d bytes", len(value))
	}
	if c.refuse != nil {
		return Transaction{}, c.refuse
	}
	var in persist.Upsert
	if err := json.Unmarshal(value, &in); err != nil || function != persist.UpsertRoom {
		return Transaction{}, fmt.Errorf("%s: %v", function, err)
	}
	d := &calling{under: c.local, over: map[string]json.RawMessage{}, tx: fmt.Sprintf("%064x", c.calls+1)}
	if _, err := (persist.Rooms{Feed: FeedOf}).Upsert(d, in); err != nil {
		return Transaction{}, fault.New(fault.Invalid, "%v", err)
	}
	if sim {
		return Transaction{State: "simulated"}, nil
	}
	c.calls++
	for key, value := range d.over {
		c.local[key] = value
	}
	return Transaction{Tx: d.tx, State: "accepted"}, nil
}

// calling is one call's changes.
type calling struct {
	under, over map[string]json.RawMessage
	tx          string
}

func (d *calling) Read(key string, into any) bool {
	raw, ok := d.over[key]
	if !ok {
		raw, ok = d.under[key]
	}
	return ok && json.Unmarshal(raw, into) == nil
}

func (d *calling) Put(key string, value any)  { d.over[key], _ = json.Marshal(value) }
func (d *calling) Del(key string)             { delete(d.over, key) }
func (d *calling) Step(int)                   {}
func (d *calling) Caller() identity.PublicKey { return identity.PublicKey{1} }
func (d *calling) Tx() string                 { return d.tx }

func TestARoomIsPersistedInPartsAndRestoredWhole(t *testing.T) {
	w := newWorld(t)
	a := w.join(1)
	for i := range 60 {
		a.must("expense_add", fmt.Sprintf(`{"channel":"trip","payer":"ann","amount":"%d","split":"ann,ben","note":"%s"}`, i+1, strings.Repeat("x", 100)))
	}
	var tried, done, again PersistResult
	decodeResult(t, a.must("expense_persist", `{"channel":"trip","sim":true}`), &tried)
	if tried.State != "simulated" || tried.Added != 60 || w.contract.calls != 0 {
		t.Errorf("%+v", tried)
	}
	decodeResult(t, a.must("expense_persist", `{"channel":"trip"}`), &done)
	if done.Added != 60 || done.Transactions < 3 || done.Transactions != w.contract.calls || done.Settled {
		t.Errorf("%+v, %d calls", done, w.contract.calls)
	}
	decodeResult(t, a.must("expense_persist", `{"channel":"trip"}`), &again)
	if again.Tx != done.Tx || again.Transactions != 0 || again.State != "accepted" {
		t.Errorf("%+v", again)
	}
	b := newWorld(t)
	b.contract = w.contract
	far := b.join(2)
	var got RestoreResult
	decodeResult(t, far.must("expense_restore", `{"channel":"trip"}`), &got)
	if got.Source != "contract" || got.Confirmed || got.Added != 60 || got.Total != 60 {
		t.Errorf("%+v", got)
	}
	if far.export("trip") != a.export("trip") {
		t.Error("the rooms differ")
	}
	w.contract.settle()
	decodeResult(t, far.must("expense_restore", `{"channel":"trip"}`), &got)
	if !got.Confirmed || got.Added != 0 {
		t.Errorf("%+v", got)
	}
}

func TestPersistingAClearedRoomWritesTheClear(t *testing.T) {
	w := newWorld(t)
	a := w.join(1)
	a.must("expense_add", `{"channel":"trip","payer":"ann","amount":"30","split":"ann,ben"}`)
	a.must("expense_persist", `{"channel":"trip"}`)
	a.must("expense_clear", `{"channel":"trip"}`)
	var done PersistResult
	decodeResult(t, a.must("expense_persist", `{"channel":"trip"}`), &done)
	if done.Added != 1 || done.Entries != 2 {
		t.Errorf("%+v", done)
	}
	other := newWorld(t)
	other.contract = w.contract
	b := other.join(2)
	b.must("expense_restore", `{"channel":"trip"}`)
	if text := b.must("expense_balance", `{"channel":"trip"}`).Text; strings.Contains(text, "ann") {
		t.Error(text)
	}
}

func TestTwoWhoPersistAtOnceLoseNothing(t *testing.T) {
	state := newContractState()
	var exports []string
	for seed := byte(1); seed <= 2; seed++ {
		w := newWorld(t)
		w.contract = state
		w.join(seed).must("expense_add", `{"channel":"trip","payer":"ann","amount":"30","split":"ann,ben"}`)
		for _, p := range w.peers {
			p.must("expense_persist", `{"channel":"trip"}`)
		}
	}
	for seed := byte(3); seed <= 4; seed++ {
		w := newWorld(t)
		w.contract = state
		p := w.join(seed)
		var got RestoreResult
		decodeResult(t, p.must("expense_restore", `{"channel":"trip","confirmed":false}`), &got)
		if got.Total != 2 {
			t.Errorf("%+v", got)
		}
		exports = append(exports, p.export("trip"))
	}
	if exports[0] != exports[1] {
		t.Error(exports)
	}
}

func TestARefusedTransactionIsSaid(t *testing.T) {
	w := newWorld(t)
	a := w.join(1)
	a.must("expense_add", `{"channel":"trip","payer":"ann","amount":"30","split":"ann,ben"}`)
	w.contract.refuse = fault.New(fault.Denied, "Peer is not writable.")
	if _, err := a.call("expense_persist", `{"channel":"trip"}`); fault.KindOf(err) != fault.Denied {
		t.Error(err)
	}
	if _, err := a.call("expense_restore", `{"channel":"none"}`); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
}

func TestForeignAndForgedEntriesAreNotPersisted(t *testing.T) {
	w := newWorld(t)
	a := w.join(1)
	a.must("expense_add", `{"channel":"trip","payer":"ann","amount":"30","split":"ann,ben"}`)
	a.must("expense_persist", `{"channel":"trip"}`)
	_, entries, _, err := persist.Load("trip", func(key string) (json.RawMessage, error) { return w.contract.Get(t.Context(), key, false) })
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	forged := "B" + entries[0][1:]
	spoiled := entries[0][:len(entries[0])-8] + "AAAAAA=="
	for name, in := range map[string]persist.Upsert{
		"of another room": {Channel: "other", Entries: entries},
		"forged":          {Channel: "trip", Entries: []string{forged}},
		"spoiled":         {Channel: "trip", Entries: []string{spoiled}},
		"no entry":        {Channel: "trip", Entries: []string{"!"}},
	} {
		raw, _ := json.Marshal(in)
		if _, err := w.contract.Call(t.Context(), persist.UpsertRoom, raw, false, 0); err == nil {
			t.Errorf("%s: it is taken", name)
		}
	}
	d := &calling{under: w.contract.local, over: map[string]json.RawMessage{}, tx: "x"}
	rooms := persist.Rooms{Feed: FeedOf}
	if _, err := rooms.Read(d, persist.Read{Channel: "none"}); err == nil {
		t.Error("a room that is not there is read")
	}
	if got, err := rooms.Read(d, persist.Read{Channel: "trip"}); err != nil || len(got.(persist.Contents).Entries) != 1 {
		t.Error(got, err)
	}
	if _, err := rooms.Delete(&stranger{d}, persist.Delete{Channel: "trip"}); err == nil {
		t.Error("a stranger deletes the room")
	}
	if got, err := rooms.Delete(d, persist.Delete{Channel: "trip"}); err != nil || got.(persist.Room).Parts != 0 {
		t.Error(got, err)
	}
}

type stranger struct{ *calling }

func (*stranger) Caller() identity.PublicKey { return identity.PublicKey{2} }

func TestARestoreThatReplacesUndoesTheRest(t *testing.T) {
	w := newWorld(t)
	a := w.join(1)
	a.must("expense_add", `{"channel":"trip","payer":"ann","amount":"30","split":"ann,ben"}`)
	a.must("expense_persist", `{"channel":"trip"}`)
	before := a.must("expense_balance", `{"channel":"trip"}`).Text
	a.must("expense_add", `{"channel":"trip","payer":"ben","amount":"8","split":"ann,ben"}`)
	a.must("expense_clear", `{"channel":"trip"}`)
	a.must("expense_add", `{"channel":"trip","payer":"ben","amount":"9","split":"ann,ben"}`)
	var got RestoreResult
	decodeResult(t, a.must("expense_restore", `{"channel":"trip","confirmed":false,"replace":true}`), &got)
	if got.Undone != 3 || got.Added != 0 {
		t.Errorf("%+v", got)
	}
	if after := a.must("expense_balance", `{"channel":"trip"}`).Text; after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
	var again RestoreResult
	decodeResult(t, a.must("expense_restore", `{"channel":"trip","confirmed":false,"replace":true}`), &again)
	if after := a.must("expense_balance", `{"channel":"trip"}`).Text; after != before || again.Undone != 0 {
		t.Errorf("replaced twice, it undoes %d and says:\n%s", again.Undone, after)
	}
}
