package machine

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// The weak points of upstream's subnet that live in the state machine, each as an
// attack that fails.

// W2: no entry ends the process, and none stops the next one.
func TestW2NothingEndsTheMachine(t *testing.T) {
	w := newWorld(t, false)
	w.refused(bob, &MuteStatus{key(bob), true}, fault.Denied) // before there is an admin
	for _, name := range []string{"hasOwnProperty", "valueOf", "isPrototypeOf", "__proto__"} {
		if out := w.do(bob, &Command{key(bob), name, []byte("null")}); out.Tx.Failure() != "Unknown contract operation type." {
			t.Errorf("%s gives %v", name, out.Tx)
		}
	}
	if out := w.do(bob, &Command{key(bob), "set", []byte(`{"key":"a","v":16}`)}); out.Tx.Failure() != "The contract panicked." {
		t.Errorf("a panic gives %v", out.Tx)
	}
	w.do(boot, &AddAdmin{key(adminKey)})
	w.refused(adminKey, &RemoveIndexer{key(boot)}, fault.Conflict)
	w.refused(adminKey, &RemoveWriter{key(boot)}, fault.Conflict)
	w.refusedEntry(w.raw(bob, []byte("nonsense")), fault.Invalid)
	w.refusedEntry(w.raw(bob, nil), fault.Invalid)
	again := w.entry(boot, w.first(false))
	w.refusedEntry(again, fault.Invalid)
	if again.Parents = nil; fault.KindOf(w.m.Begin(w.state, again, 3)) != fault.Conflict {
		t.Error("a subnet begins twice")
	}
	w.do(bob, &Command{key(bob), "ping", []byte("null")})
}

// W4: what is simulated beside never touches what is applied.
func TestW4SimulationsDoNotMeetTheState(t *testing.T) {
	w := newWorld(t, false)
	w.do(bob, &Command{key(bob), "set", []byte(`{"key":"a","v":1}`)})
	w.leaves() // committed
	committed, err := w.tree.Last()
	if err != nil {
		t.Fatal(err)
	}
	var simulations sync.WaitGroup
	for i := range 4 {
		simulations.Go(func() {
			for range 50 {
				d := contract.Dispatch{Type: "set", Value: json.RawMessage(fmt.Sprintf(`{"key":"a","v":"sim%d"}`, i))}
				if r, err := w.m.Simulate(committed, key(eve), d, 0); err != nil || r.Failure != "" {
					t.Errorf("%+v, %v", r, err)
				}
			}
		})
	}
	for n := range 50 {
		out := w.do(bob, &Command{key(bob), "ping", []byte("null")})
		if got := w.value("app/ping/" + out.Tx.Tx); !strings.Contains(got, key(bob).String()) {
			t.Fatalf("call %d left %s", n, got)
		}
	}
	simulations.Wait()
	w.want("app/kv/a", "1")
}

// W7, W8: what was signed for one thing is good for nothing else.
func TestW7SignaturesAreForOneThing(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	e := w.entry(adminKey, &EnableWhitelist{true})
	copy(e.Sig[:], who(adminKey).Sign(e.Preimage()))
	if !identity.Verify(e.Author, e.Preimage(), e.Sig[:]) {
		t.Fatal("the entry does not verify")
	}
	changed := *e
	changed.Body, _ = Encode(&EnableTransactions{true})
	if identity.Verify(changed.Author, changed.Preimage(), e.Sig[:]) {
		t.Error("the signature holds for another operation")
	}
	elsewhere := *e
	elsewhere.Feed = FeedOf(key(bob))
	if identity.Verify(elsewhere.Author, elsewhere.Preimage(), e.Sig[:]) || fault.KindOf(w.m.Check(&elsewhere)) != fault.Invalid {
		t.Error("the entry is good in another subnet")
	}
	a, _ := Encode(&Feature{"oracle", "k1", []byte("2")})
	b, _ := Encode(&Feature{"oracle", "k", []byte("12")})
	if bytes.Equal(a, b) {
		t.Error("where the key ends and the value begins is not signed")
	}
	w.refused(bob, &Feature{"oracle", "price", []byte("1")}, fault.Denied)
	w.do(adminKey, &Feature{"oracle", "price", []byte("1")})
	w.want("app/oracle/price", "1")
}

// W9: before a subnet began there is nothing to crash on.
func TestW9BeforeTheFirstEntryNothingIsApplied(t *testing.T) {
	w := emptyWorld(t, tester())
	w.seq[eve] = 0
	e := w.entry(boot, &AddAdmin{key(adminKey)})
	w.refusedEntry(e, fault.Denied)
	if err := w.m.Admit(w.state, e); fault.KindOf(err) != fault.Denied {
		t.Errorf("it is admitted: %v", err)
	}
}

// W13: a key of another size is no key.
func TestW13SizesAreExact(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	raw, _ := Encode(&AddWriter{key(stranger)})
	for _, size := range []int{0, 1, 31, 33} {
		body := bytes.Clone(raw[:len(raw)-32-4])
		body = append(append(body, 0, 0, 0, byte(size)), make([]byte, size)...)
		if err := w.m.Check(w.raw(adminKey, body)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a key of %d bytes: %v", size, err)
		}
	}
}

// W14: a contract reaches neither the system nor the chat.
func TestW14ContractsHaveKeysOfTheirOwn(t *testing.T) {
	c := contract.New("greedy", 1)
	type target struct {
		Key string `json:"key"`
	}
	contract.Function(c, "take", "", func(call *contract.Call, in target) (any, error) { call.Put(in.Key, 1); return nil, nil })
	w := emptyWorld(t, c)
	if err := w.m.Begin(w.state, w.entry(boot, w.first(false)), 1); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"admin", "msg/0", "msgl", "umsgl/x", "sh/x", "tx/x", "txl", "bnd/x", "wl/x", "wrl"} {
		out := w.do(boot, &Command{key(boot), "take", []byte(fmt.Sprintf(`{"key":%q}`, name))})
		if want := "put(key,value): " + name + "is reserved"; out.Tx.Failure() != want {
			t.Errorf("%s: %q", name, out.Tx.Failure())
		}
	}
	w.want("admin", "")
	w.want("msg/0", "")
}

// W17: peers with another contract find out at once.
func TestW17OtherContractsAreRefused(t *testing.T) {
	w := newWorld(t, true)
	if err := w.m.Suits(w.state); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		m    *Machine
		kind fault.Kind
	}{
		"version": {New(key(boot), contract.New("vectors", 2), port{}), fault.Conflict},
		"subnet":  {New(key(bob), tester(), port{}), fault.Conflict},
		"no port": {New(key(boot), tester(), nil), fault.Unavailable},
	} {
		if err := c.m.Suits(w.state); fault.KindOf(err) != c.kind || fault.Of(err).Hint == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	empty := emptyWorld(t, contract.New("vectors", 2))
	first := empty.first(false)
	first.Contract = tester().Version()
	if err := empty.m.Begin(empty.state, empty.entry(boot, first), 1); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), tester().Version().String()) {
		t.Errorf("got %v", err)
	}
	if _, err := New(key(boot), tester(), nil).Apply(w.state, w.command(bob, "ping", "null"), 3); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a machine without a port goes on: %v", err)
	}
}

// W19: what is refused or never finished does not make the state grow for ever.
func TestW19RefusalsAndCommandsAreBounded(t *testing.T) {
	w := newWorld(t, true)
	for range 3 * RefusalsKept {
		w.apply(w.entry(eve, &SetChatStatus{true}))
	}
	before := len(w.leaves())
	for range RefusalsKept {
		w.apply(w.entry(eve, &SetChatStatus{true}))
	}
	if after := len(w.leaves()); after != before {
		t.Errorf("%d leaves became %d", before, after)
	}
	if all, total, err := Refusals(w.state, key(eve), 1000); err != nil || len(all) != RefusalsKept || total != 4*RefusalsKept {
		t.Errorf("%d of %d refusals, %v", len(all), total, err)
	}
	first := w.command(bob, "ping", "null")
	for range CommandsKept {
		w.command(bob, "ping", "null")
	}
	before = len(w.leaves())
	for range 20 {
		w.command(bob, "ping", "null")
	}
	if after := len(w.leaves()); after != before {
		t.Errorf("%d leaves became %d", before, after)
	}
	w.refused(bob, w.pay(first, 1, nil), fault.NotFound)
	again := w.command(eve, "ping", "null") // by whoever paid, or by anybody for them
	if ids, err := Commands(w.state, key(bob)); err != nil || len(ids) != CommandsKept {
		t.Errorf("%d wait, %v", len(ids), err)
	}
	w.do(eve, w.pay(again, 1, nil))
}

// W20: a user's messages are found, writers are counted, and authors may delete.
func TestW20ListsLeadSomewhere(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetChatStatus{true})
	w.do(eve, &Post{Text: "one"})
	w.do(bob, &SetNick{key(bob), "bob"})
	out := w.do(bob, &Post{Text: "two"})
	w.want("umsg/"+key(bob).String()+"/0", `"msg/1"`)
	if p, ok, err := MessageAt(w.state, 1); err != nil || !ok || *p.Msg != "two" || p.Entry != out.Entry || p.TS != out.TS || p.Nick != "bob" {
		t.Errorf("message 1 is %+v, %v", p, err)
	}
	w.want("wrl", "5")
	w.do(bob, &DeleteMessage{MessageRef{Entry: out.Entry}})
	w.refused(bob, &DeleteMessage{MessageRef{Entry: out.Entry}}, fault.Conflict)
	s, err := SettingsOf(w.state)
	if err != nil || s.Writers != 5 || !s.Chat || s.Messages != 2 || s.Admin != key(adminKey) || s.Subnet != key(boot) || s.Contract != tester().Version() {
		t.Errorf("the settings are %+v, %v", s, err)
	}
}

// W74: nobody writes what moderation writes, and an old pin does not undo a new one.
func TestW74TheStateDecidesWhatIsPinnedAndDeleted(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetChatStatus{true})
	w.do(adminKey, &SetMod{key(mod), true})
	w.do(bob, &Post{Text: "x"})
	var m Message
	if err := json.Unmarshal([]byte(w.value("msg/0")), &m); err != nil || m.Pinned || m.PinID != nil || m.DeletedBy != nil {
		t.Errorf("msg/0 is %+v, %v", m, err)
	}
	w.do(mod, &PinMessage{ref(0), true})
	w.do(mod, &UnpinMessage{0})
	w.do(mod, &PinMessage{ref(0), true})
	w.do(mod, &UnpinMessage{0})
	if err := json.Unmarshal([]byte(w.value("msg/0")), &m); err != nil || !m.Pinned || *m.PinID != 1 {
		t.Errorf("msg/0 is %+v, %v", m, err)
	}
	w.refused(mod, &UnpinMessage{2}, fault.NotFound)
	w.do(mod, &DeleteMessage{ref(0)})
}
