package intersplit

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

func TestTwoPeersSplitATrip(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	bob.must("expense_list", `{"channel":"trip-nyc"}`)

	reply := alice.must("expense_add", `{"channel":"trip-nyc","payer":"Alice","amount":30,"split":"alice,bob","note":"dinner"}`)
	var added AddResult
	decodeResult(t, reply, &added)
	if added.SentTo != 1 || !added.Joined || added.Entry.By != alice.id.PublicKey().Address() || added.Entry.Payer != "alice" {
		t.Errorf("added %+v", added)
	}
	if want := "[expense:trip-nyc] added 30.00 by alice split=alice,bob"; reply.Text != want {
		t.Errorf("said %q", reply.Text)
	}
	until(t, "bob has the dinner", func() bool {
		return strings.Contains(bob.must("expense_list", `{"channel":"trip-nyc"}`).Text, "entries=1")
	})
	bob.must("expense_add", `{"ch":"trip-nyc","p":"bob","a":"10","with":["alice","bob"],"memo":"snacks"}`)
	until(t, "alice has the snacks", func() bool {
		return strings.Contains(alice.must("expense_list", `{"channel":"trip-nyc"}`).Text, "entries=2")
	})
	const want = `[expense:trip-nyc] entries=2 total=40.00
- balances:
  alice: +10.00
  bob: -10.00
- settlements:
  bob -> alice: 10.00`
	for _, p := range []*peer{alice, bob} {
		if got := p.must("expense_balance", `{"room":"trip-nyc"}`).Text; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if alice.export("trip-nyc") != bob.export("trip-nyc") {
		t.Error("the exports differ")
	}
}

func TestTheTerminalTakesUpstreamsLines(t *testing.T) {
	p := newWorld(t).join(1)
	for line, want := range map[string]string{
		`/expense_add --channel "trip nyc" --payer "Ann Marie" --amount 30 --split "ann marie, bob" --note "dinner & wine" --tags food,fun`: "[expense:trip nyc] added 30.00 by ann marie split=ann marie,bob",
		`/expense_add --room x --p ann --a -3.50 --with ann,bob --memo back`:                                                                "[expense:x] added -3.50 by ann split=ann,bob",
		`/expense_add --ch y --payers "ann:2,bob:1" --amount 3 --split "ann:2,bob:1" --mode shares`:                                         "[expense:y] added 3.00 by ann:2.00,bob:1.00 split=ann:2,bob:1 shares",
		`/expense_list --channel z`:  "[expense:z] no expenses yet.",
		`/expense_clear --channel z`: "[expense:z] ledger cleared.",
	} {
		_, reply, err := op.RunLine(context.Background(), p.ops, op.Write, "", line)
		if err != nil || reply.Text != want {
			t.Errorf("%s: %q, %v", line, reply.Text, err)
		}
	}
}

// Messages are lost, doubled and reordered, a peer is away for a while, and one
// comes when the first author is gone: all end with the same room.
func TestPeersConverge(t *testing.T) {
	w := newWorld(t)
	w.lossy = true
	peers := []*peer{w.join(1), w.join(2), w.join(3)}
	for _, p := range peers {
		p.must("expense_list", `{"channel":"trip"}`)
	}
	for i := range 60 {
		if i == 20 {
			peers[2].setOnline(false)
		}
		if i == 50 {
			peers[2].setOnline(true)
		}
		p := peers[i%3]
		if i == 30 {
			p.must("expense_clear", `{"channel":"trip"}`)
		}
		p.must("expense_add", fmt.Sprintf(`{"channel":"trip","payer":"m%d","amount":"%d.01","split":"m0,m1,m2"}`, i%3, i+1))
	}
	same := func(peers []*peer) func() bool {
		return func() bool {
			for _, p := range peers {
				if p.export("trip") != peers[0].export("trip") {
					return false
				}
			}
			return true
		}
	}
	until(t, "three peers agree", same(peers))
	peers[0].leave()
	late := w.join(4)
	late.must("expense_list", `{"channel":"trip"}`)
	until(t, "the late one has everything", same([]*peer{peers[1], late}))
	if !strings.Contains(late.export("trip"), "m2") {
		t.Error("the room is empty")
	}
}

// An entry whose parent was lost is completed at once, not at the next refresh.
func TestWhatWasLostIsFetchedWhenItIsMissed(t *testing.T) {
	w := newWorld(t)
	w.refresh = time.Hour
	alice, bob := w.join(1), w.join(2)
	bob.must("expense_list", `{"channel":"trip"}`)
	add := func(amount int) {
		alice.must("expense_add", fmt.Sprintf(`{"channel":"trip","payer":"alice","amount":"%d","split":"alice,bob"}`, amount))
	}
	has := func(n int) func() bool {
		return func() bool {
			return strings.Contains(bob.must("expense_list", `{"channel":"trip"}`).Text, fmt.Sprintf("entries=%d", n))
		}
	}
	add(1)
	until(t, "bob has the first", has(1))
	until(t, "they have compared", func() bool {
		bob.schedule.mu.Lock()
		defer bob.schedule.mu.Unlock()
		m := bob.schedule.meetings[pair{"trip", alice.id.PublicKey()}]
		return m != nil && !m.compared.IsZero()
	})
	tap := bob.listen
	bob.listen = func(Message) {}
	add(2)
	bob.listen = tap
	add(3)
	until(t, "bob has all three", has(3))
}

func TestEntriesOutliveTheProcess(t *testing.T) {
	w := newWorld(t)
	disk := memory(t)
	p := w.joinWith(1, disk)
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","key":"k"}`)
	before := p.export("trip")
	p.leave()
	again := w.joinWith(1, disk)
	if again.export("trip") != before {
		t.Error("the room changed")
	}
	again.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","key":"k"}`)
	if again.export("trip") != before {
		t.Error("the key was forgotten")
	}
}

func TestAKeyStandsForOneEntry(t *testing.T) {
	p := newWorld(t).join(1)
	const params = `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","key":"k"}`
	first := p.must("expense_add", params)
	if second := p.must("expense_add", params); strings.Replace(string(first.Value), `,"joined":true`, "", 1) != string(second.Value) {
		t.Errorf("first %s, then %s", first.Value, second.Value)
	}
	for _, other := range []string{
		strings.Replace(params, "30", "31", 1),
		strings.Replace(params, "alice,bob", "bob,alice", 1),
	} {
		if _, err := p.call("expense_add", other); fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", other, err)
		}
	}
	if _, err := p.call("expense_clear", `{"channel":"trip","key":"k"}`); fault.KindOf(err) != fault.Conflict {
		t.Error("a clear took the key of an expense:", err)
	}
	p.must("expense_add", strings.Replace(params, "trip", "other", 1)) // keys count per channel
	if got := p.must("expense_list", `{"channel":"trip"}`).Text; !strings.Contains(got, "entries=1") {
		t.Error(got)
	}
}

func TestAKeyRacesToOneEntry(t *testing.T) {
	p := newWorld(t).join(1)
	results := make(chan error, 32)
	for range cap(results) {
		go func() {
			_, err := p.call("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","key":"k"}`)
			results <- err
		}()
	}
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := p.must("expense_list", `{"channel":"trip"}`).Text; !strings.Contains(got, "entries=1") {
		t.Error(got)
	}
}

// A repeated call means the currency that it meant the first time.
func TestAKeyKeepsItsCurrency(t *testing.T) {
	p := newWorld(t).join(1)
	const params = `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","key":"k"}`
	p.must("expense_add", params)
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","currency":"jpy"}`)
	p.must("expense_add", params)
	if _, err := p.call("expense_add", strings.Replace(params, `"k"`, `"k2"`, 1)); fault.KindOf(err) != fault.Invalid {
		t.Error("a currency was guessed:", err)
	}
}

func TestACallThatIsRefusedOrDryChangesNothing(t *testing.T) {
	p := newWorld(t).join(1)
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	before := p.export("trip")
	for _, params := range []string{
		`{}`,
		`{"channel":"","payer":"a","amount":"1","split":"a"}`,
		`{"payer":"a","amount":"1","split":"a"}`,
		`{"channel":"trip","amount":"1","split":"a"}`,
		`{"channel":"trip","payer":" ","amount":"1","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"1000000000000000000","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":1000000000000000000,"split":"a"}`,
		`{"channel":"trip","payer":"a","amount":1e3,"split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"1e3","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"NaN","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"-0","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":-0,"split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"１２","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"1,000","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":null,"split":"a"}`,
		`{"channel":"trip","payer":"a","amount":true,"split":"a"}`,
		`{"channel":"trip","payer":"a","amount":0.001,"split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":""}`,
		`{"channel":"trip","payer":"a","amount":"1","split":[]}`,
		`{"channel":"trip","payer":"a","amount":"1","split":","}`,
		`{"channel":"trip","payer":"a","amount":"1","split":[1]}`,
		`{"channel":"trip","payer":"a","amount":"1","split":[{"member":"a","valeu":"1"}]}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"a:1"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"a:"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"\u202ea"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"` + strings.Repeat("m,", 10_000) + `"}`,
		`{"channel":"trip","payer":"a","payers":"a:1","amount":"1","split":"a"}`,
		`{"channel":"trip","payers":"a:1,b:1","amount":"1","split":"a"}`,
		`{"channel":"trip","payers":[{"member":"a"}],"amount":"1","split":"a"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"a","currency":"DEM"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"a","mode":"fair"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"a","note":"two\nlines"}`,
		`{"channel":"trip","payer":"a","amount":"1","split":"a","convert_to":"EUR"}`,
		`{"channel":"trip","ch":"trip","payer":"a","amount":"1","split":"a"}`,
	} {
		_, err := p.call("expense_add", params)
		if f := fault.Of(err); f == nil || f.Kind == fault.Internal || f.Hint == "" {
			t.Errorf("%.100s: %v", params, err)
		}
	}
	for _, call := range [][2]string{
		{"expense_add", `{"channel":"trip","payer":"a","amount":"1","split":"a","dry_run":true}`},
		{"expense_add", `{"channel":"elsewhere","payer":"a","amount":"1","split":"a","dry_run":1}`},
		{"expense_clear", `{"channel":"trip","dry_run":true}`},
	} {
		p.must(call[0], call[1])
	}
	if p.export("trip") != before || len(p.Joined()) != 1 {
		t.Error("something changed")
	}
}

func TestAClearSaysWhatWentAndLeavesATrace(t *testing.T) {
	p := newWorld(t).join(1)
	if got := p.must("expense_list", `{"channel":"trip"}`).Text; got != "[expense:trip] no expenses yet." {
		t.Error(got)
	}
	if got := string(p.must("expense_clear", `{"channel":"trip"}`).Value); got != `{"channel":"trip","cleared":0,"totals":[],"sent_to":0}` {
		t.Error(got)
	}
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"3","split":"alice,bob","currency":"EUR"}`)
	const want = `{"channel":"trip","cleared":2,"totals":[{"currency":"","amount":"30.00"},{"currency":"EUR","amount":"3.00"}],"sent_to":0`
	if got := string(p.must("expense_clear", `{"channel":"trip","dry_run":true}`).Value); got != want+`,"dry_run":true}` {
		t.Error(got)
	}
	for range 2 { // the second is the same call again
		if got := string(p.must("expense_clear", `{"channel":"trip","key":"c"}`).Value); !strings.HasPrefix(got, want+`,"id":"`) {
			t.Error(got)
		}
	}
	var list ListResult
	decodeResult(t, p.must("expense_list", `{"channel":"trip"}`), &list)
	if list.Count != 0 || len(list.Entries) != 0 || list.Cleared == nil || list.Cleared.Expenses != 2 {
		t.Errorf("%+v", list)
	}
	if got := p.must("expense_balance", `{"channel":"trip"}`).Text; got != "[expense:trip] entries=0 total=0.00\n- no balances yet.\n- settlements: none" {
		t.Error(got)
	}
}

func TestListsArePagedWithoutGaps(t *testing.T) {
	p := newWorld(t).join(1)
	for i := range 7 {
		p.must("expense_add", fmt.Sprintf(`{"channel":"trip","payer":"a","amount":"%d","split":"a,b"}`, i+1))
	}
	var got []string
	cursor := ""
	for range 4 {
		var page ListResult
		decodeResult(t, p.must("expense_list", `{"channel":"trip","limit":2,"cursor":"`+cursor+`"}`), &page)
		for _, e := range page.Entries {
			got = append(got, e.Amount)
		}
		cursor = page.NextCursor
	}
	if want := "1.00 2.00 3.00 4.00 5.00 6.00 7.00"; strings.Join(got, " ") != want || cursor != "" {
		t.Errorf("%v, then %q", got, cursor)
	}
	if _, err := p.call("expense_list", `{"channel":"trip","cursor":"7"}`); fault.KindOf(err) != fault.Invalid {
		t.Error(err)
	}
}

func TestEveryChangeIsAnEvent(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	bob.must("expense_list", `{"channel":"trip"}`)
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	for _, p := range []*peer{alice, bob} {
		batch, err := p.hub.Read(context.Background(), event.Cursor(""), 10)
		if err != nil {
			t.Fatal(err)
		}
		got := string(batch.Events[0].Data)
		if batch.Events[0].Kind != "expense_changed" || !strings.Contains(got, `"kind":"expense"`) || !strings.Contains(got, alice.id.PublicKey().Address()) {
			t.Error(batch.Events[0].Kind, got)
		}
	}
}

// What other programs write into the channel, and what strangers forge, changes
// nothing.
func TestOnlySignedEntriesOfTheRoomCount(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.join(1), w.join(2)
	for _, channel := range []string{"trip", "other"} {
		bob.must("expense_list", `{"channel":"`+channel+`"}`)
	}
	alice.must("expense_add", `{"channel":"other","payer":"alice","amount":"30","split":"alice,bob"}`)
	var sent Message
	tap := bob.listen
	bob.listen = func(m Message) { sent = m; tap(m) }
	alice.must("expense_add", `{"channel":"other","payer":"alice","amount":"30","split":"alice,bob"}`)
	before := bob.export("trip")
	for _, message := range []string{
		`{"app":"expense_split_v1","type":"expense_add","event":{"payer":"alice","amountCents":3000,"split":["bob"]}}`,
		`{"app":"expense_split_v1","event":{"entry":"AAAA"}}`,
		`{"app":"expense_split_v1","event":{"entry":"!"}}`,
		`{"app":"expense_split_v1","event":7}`,
		`{"app":"expense_split_v1"}`,
		string(sent.Message), // an entry of another room
	} {
		if err := bob.receive(context.Background(), Message{Channel: "trip", From: sent.From, Message: []byte(message)}); err == nil && message == string(sent.Message) {
			t.Error("an entry of another room was taken")
		}
	}
	if bob.export("trip") != before {
		t.Error("the room changed")
	}
}

func TestAPeerWithoutTheRightGetsNothing(t *testing.T) {
	w := newWorld(t)
	alice, mallory := w.join(1), w.join(2)
	alice.refused[mallory.id.PublicKey()] = true
	alice.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	mallory.must("expense_add", `{"channel":"trip","payer":"mallory","amount":"30","split":"alice"}`)
	for _, p := range [][2]*peer{{mallory, alice}, {alice, mallory}} {
		err := p[0].compare(t.Context(), errand{pair: pair{"trip", p[1].id.PublicKey()}})
		if fault.KindOf(err) != fault.Denied {
			t.Error(err)
		}
	}
	for _, p := range []*peer{alice, mallory} {
		if got := p.must("expense_list", `{"channel":"trip"}`).Text; strings.Count(got, " paid ") != 1 {
			t.Error(got)
		}
	}
}

func TestOperationsAreDescribed(t *testing.T) {
	p := newWorld(t).join(1)
	names := ""
	for _, info := range p.ops.Ops() {
		if info.Owner == owner {
			names += info.Name + " "
			if info.Name == "expense_undelete" {
				p.must("expense_delete", `{"channel":"trip-nyc","id":"last"}`)
			}
			if _, err := p.ops.Call(context.Background(), op.Request{Name: info.Name, Params: info.Example, Grant: op.Write}); err != nil && !(info.Name == "expense_restore" && fault.KindOf(err) == fault.NotFound) {
				t.Errorf("the example of %s: %v", info.Name, err)
			}
		}
	}
	if !strings.HasPrefix(names, "expense_add expense_list expense_balance expense_clear expense_persist expense_restore expense_export ") {
		t.Error(names)
	}
}
