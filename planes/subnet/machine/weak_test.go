package machine

import (
	"bytes"
	"encoding/json"
	"errors"
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

// W1: a settlement is for one command, to the last character.
func TestW1SettlementBindsTheCommand(t *testing.T) {
	w := newWorld(t, true)
	w.command(bob, "set", `{"key":"alice","v":1}`)
	paid := w.entry(bob, &Command{key(bob), "set", []byte(`{"key":"alice","v":1}`)})
	other := w.command(bob, "set", `{"key":"mallo","v":1}`)
	settled := w.pay(paid, 1, nil)
	settled.Command = other.ID()
	w.refused(bob, settled, fault.Denied)
	w.want("app/kv/mallo", "")
	if a, b := CommandHash(key(boot), "set", []byte("1")), CommandHash(key(bob), "set", []byte("1")); a == b {
		t.Error("the hash does not name the subnet")
	}
}

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

// W3: nobody becomes a writer without asking for it in this subnet, nor against a ban.
func TestW3StrangersDoNotJoinUnasked(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	until := w.height + 1000
	good := Request{Until: until}.Sign(who(stranger), key(boot))
	w.refused(bob, &Join{good}, fault.Denied) // it is off
	w.do(adminKey, &SetAutoAddWriters{true})
	for name, r := range map[string]Request{
		"unsigned":     {Key: key(stranger), Until: until},
		"other's":      {Key: key(90), Until: until, Sig: good.Sig},
		"later":        {Key: key(stranger), Until: until + 1, Sig: good.Sig},
		"other subnet": Request{Until: until}.Sign(who(stranger), key(bob)),
		"expired":      Request{Until: 1}.Sign(who(stranger), key(boot)),
	} {
		if out := w.refused(bob, &Join{r}, fault.Denied); out.Refused.Message == "" {
			t.Error(name)
		}
	}
	if err := w.m.Admit(w.state, w.entry(stranger, &Join{good})); fault.KindOf(err) != fault.Denied {
		t.Errorf("a stranger's own entry is admitted: %v", err)
	}
	w.do(bob, &Join{good})
	w.refused(bob, &Join{good}, fault.Conflict)
	w.do(stranger, &Command{key(stranger), "ping", []byte("null")})

	w.do(adminKey, &RemoveWriter{key(stranger)})
	w.want("bnd/"+key(stranger).String(), "true")
	w.refused(bob, &Join{good}, fault.Denied)
	w.refused(bob, &Join{Request{Until: until + 5}.Sign(who(stranger), key(boot))}, fault.Denied)
	w.refused(stranger, &Command{key(stranger), "ping", []byte("null")}, fault.Denied)
	w.do(adminKey, &RemoveWriter{key(91)}) // a ban before it ever came
	w.refused(bob, &Join{Request{Until: until}.Sign(who(91), key(boot))}, fault.Denied)
	w.do(adminKey, &AddWriter{key(stranger)})
	w.want("bnd/"+key(stranger).String(), "")
	w.do(stranger, &Command{key(stranger), "ping", []byte("null")})
}

// W3: joining is bounded, for each writer and in all; removing makes room.
func TestW3JoiningIsBounded(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetAutoAddWriters{true})
	guest := func(i int) *identity.Identity { return identity.FromSeed([32]byte{99, byte(i), byte(i >> 8)}) }
	ask := func(i int) *Join { return &Join{Request{Until: 1 << 40}.Sign(guest(i), key(boot))} }
	for i := range MaxJoinedByEach {
		w.do(bob, ask(i))
	}
	w.refused(bob, ask(MaxJoinedByEach), fault.Limited)
	w.do(adminKey, &RemoveWriter{guest(3).PublicKey()})
	w.do(bob, ask(MaxJoinedByEach))
	w.want("wrl", fmt.Sprint(5+MaxJoinedByEach))
	w.state.Set(ownLeaf("joined"), u64(MaxJoined))
	w.refused(eve, ask(MaxJoinedByEach+1), fault.Limited)
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

// W5, W6: a proof is judged by the state alone and at once: what is not known yet is
// refused without a mark, and holds when the state knows it.
func TestW5ProofsAreJudgedByTheStateAlone(t *testing.T) {
	w := newWorld(t, true)
	command := w.command(bob, "ping", "null")
	ahead := w.pay(command, 1, nil)
	ahead.Proof = bytes.Replace(ahead.Proof, []byte(`"trust"`), []byte(`"trust and the next"`), 1)
	w.refused(bob, ahead, fault.Invalid)
	w.refused(bob, &MsbSet{[]byte("other validators")}, fault.Invalid)
	w.do(eve, &MsbSet{[]byte("trust and the next")})
	w.refused(eve, &MsbSet{[]byte("trust and the next")}, fault.Invalid)
	if out := w.do(bob, ahead); out.Tx == nil || out.Tx.Failure() != "" {
		t.Errorf("got %+v", out)
	}
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

// W10: what was paid can be finished by anybody, whatever became of its author.
func TestW10AnyWriterFinishesWhatWasPaid(t *testing.T) {
	w := newWorld(t, true)
	w.do(boot, &AddAdmin{key(adminKey)})
	command := w.command(bob, "ping", "null")
	w.do(adminKey, &RemoveWriter{key(bob)})
	if ids, err := Commands(w.state, key(bob)); err != nil || len(ids) != 1 || ids[0] != command.ID() {
		t.Errorf("what waits is %v, %v", ids, err)
	}
	if c, ok, err := CommandIn(w.state, command.ID()); err != nil || !ok || c.Type != "ping" {
		t.Errorf("the command is %+v, %v", c, err)
	}
	out := w.do(eve, w.pay(command, 1, nil))
	if out.Tx.Requester != key(bob) || out.Tx.Failure() != "" {
		t.Errorf("got %+v", out.Tx)
	}
	if ids, _ := Commands(w.state, key(bob)); len(ids) != 0 {
		t.Errorf("%v still waits", ids)
	}
	w.refused(eve, w.pay(command, 1, nil), fault.Conflict)
	w.refused(eve, w.pay(command, 2, nil), fault.NotFound) // the command was for one payment
}

// W10: while transactions are off nothing that was paid is lost.
func TestW10PaidTransactionsWaitWhileTheyAreOff(t *testing.T) {
	w := newWorld(t, true)
	w.do(boot, &AddAdmin{key(adminKey)})
	command := w.command(bob, "ping", "null")
	w.do(adminKey, &EnableTransactions{false})
	w.refused(bob, w.pay(command, 1, nil), fault.Denied)
	w.refused(bob, &Command{key(bob), "ping", []byte("null")}, fault.Denied)
	w.do(adminKey, &EnableTransactions{true})
	w.do(bob, w.pay(command, 1, nil))
}

// W11: a command runs for who paid, and only if it was theirs.
func TestW11TheRequesterIsBound(t *testing.T) {
	w := newWorld(t, true)
	command := w.command(bob, "ping", "null")
	w.refused(eve, w.pay(command, 1, func(f *Fact) { f.Requester = key(eve) }), fault.Denied)
	for name, change := range map[string]func(f *Fact){
		"network": func(f *Fact) { f.Network = "other" }, "subnet": func(f *Fact) { f.Subnet = key(bob) },
		"code": func(f *Fact) { f.Code = 7 }, "command": func(f *Fact) { f.Command[31]++ },
	} {
		if out := w.refused(eve, w.pay(command, 1, change), fault.Denied); out.Refused.Message == "" {
			t.Error(name)
		}
	}
	if out := w.do(eve, w.pay(command, 1, nil)); out.Tx.Requester != key(bob) {
		t.Errorf("it ran for %s", out.Tx.Requester)
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

// W15: a call that fails leaves its record and nothing else; whatever was paid has
// one.
func TestW15FailuresAreRolledBackAndRecorded(t *testing.T) {
	w := newWorld(t, true)
	for n, c := range []struct{ value, err string }{
		{`{"key":"a","v":13}`, `7`}, {`{"key":"a","v":14}`, `"Error"`}, {`{"key":"a","v":15}`, `"plain text"`}, {`{"key":"a","v":16}`, `"The contract panicked."`},
		{`{"key":"ninechars","v":1}`, `"Invalid schema: key has 9 characters, and takes 1 to 8"`}, {`7`, `"Invalid schema: it is not of type object"`},
	} {
		command := w.command(bob, "set", c.value)
		out := w.do(bob, w.pay(command, byte(n+1), nil))
		var record struct{ Err json.RawMessage }
		if err := json.Unmarshal([]byte(w.value(numbered("txi", uint64(n)))), &record); err != nil || string(record.Err) != c.err || out.Code() != codeFailed {
			t.Errorf("%s is recorded with %s, code %d", c.value, record.Err, out.Code())
		}
		w.want("app/kv/a", "")
	}
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetChatStatus{true})
	w.refused(bob, &Post{Text: "forbidden"}, fault.Denied)
	w.want("app/last", "")
	w.refused(adminKey, &Feature{"nosuch", "k", []byte("1")}, fault.Invalid)
}

// W16: there is always an admin who wants to be one.
func TestW16AdminsAreSucceededInTwoSteps(t *testing.T) {
	w := newWorld(t, false)
	w.refused(bob, &AddAdmin{key(bob)}, fault.Denied)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.refused(boot, &AddAdmin{key(bob)}, fault.Conflict)
	if _, err := Encode(&UpdateAdmin{}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("nobody may become the admin: %v", err)
	}
	w.do(adminKey, &UpdateAdmin{key(stranger)})
	w.want("admin", quoted(key(adminKey)))
	w.refused(bob, &AcceptAdmin{}, fault.Denied)
	w.do(adminKey, &UpdateAdmin{key(adminKey)}) // taken back
	w.refused(stranger, &AcceptAdmin{}, fault.Denied)
	w.do(adminKey, &UpdateAdmin{key(stranger)})
	w.do(stranger, &AcceptAdmin{})
	w.want("admin", quoted(key(stranger)))
	w.refused(adminKey, &SetChatStatus{true}, fault.Denied)
	w.refused(stranger, &AcceptAdmin{}, fault.Denied)
	w.refused(stranger, &RemoveWriter{key(stranger)}, fault.Conflict)
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

// W18: who is needed is not removed.
func TestW18IndexersAreGuarded(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	consent := func(n byte, e identity.PublicKey, until uint64) Consent {
		return Consent{Indexer: Indexer{Key: e}, Until: until}.Sign(who(n), key(boot))
	}
	good := consent(bob, engine(bob), 1<<40)
	forged := good
	forged.Indexer.Key = engine(eve)
	elsewhere := Consent{Indexer: Indexer{Key: engine(bob)}, Until: 1 << 40}.Sign(who(bob), key(eve))
	w.refused(bob, &AddIndexer{good}, fault.Denied)
	w.refused(adminKey, &AddIndexer{forged}, fault.Denied)
	w.refused(adminKey, &AddIndexer{elsewhere}, fault.Denied)
	w.refused(adminKey, &AddIndexer{consent(bob, engine(bob), 1)}, fault.Denied)
	w.refused(adminKey, &AddIndexer{consent(bob, engine(boot), 1<<40)}, fault.Conflict)
	w.do(adminKey, &AddIndexer{good})
	w.refused(adminKey, &AddIndexer{good}, fault.Conflict)
	w.do(adminKey, &AddIndexer{consent(stranger, engine(stranger), 1<<40)})
	if now, ever, err := MayWrite(w.state, key(stranger)); !now || !ever || err != nil {
		t.Error("an indexer cannot write")
	}
	if list, err := w.m.Indexers(w.state); err != nil || len(list) != 3 || !less(list[0].Author, list[1].Author) || !less(list[1].Author, list[2].Author) {
		t.Errorf("the indexers are %v, %v", list, err)
	}
	w.refused(adminKey, &RemoveWriter{key(bob)}, fault.Conflict)
	w.refused(eve, &RemoveIndexer{key(bob)}, fault.Denied)
	w.do(bob, &RemoveIndexer{key(bob)}) // it may leave
	w.do(adminKey, &RemoveWriter{key(bob)})
	w.do(adminKey, &RemoveIndexer{key(boot)})
	w.refused(adminKey, &RemoveIndexer{key(stranger)}, fault.Conflict)
	w.refused(adminKey, &RemoveIndexer{key(eve)}, fault.NotFound)
}

// Who voted twice loses the vote, but for the last.
func TestTheGuiltyLoseTheirVotes(t *testing.T) {
	w := newWorld(t, false)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &AddIndexer{Consent{Indexer: Indexer{Key: engine(bob)}, Until: 1 << 40}.Sign(who(bob), key(boot))})
	if err := w.m.Guilty(w.state, []identity.PublicKey{engine(eve)}, 5); err != nil {
		t.Fatal(err)
	}
	if list, _ := w.m.Indexers(w.state); len(list) != 2 {
		t.Errorf("the indexers are %v", list)
	}
	if err := w.m.Guilty(w.state, []identity.PublicKey{engine(bob), engine(boot)}, 5); err != nil {
		t.Fatal(err)
	}
	if list, _ := w.m.Indexers(w.state); len(list) != 1 || list[0].Author != key(boot) {
		t.Errorf("the indexers are %v", list)
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

// W73: a command with a member more than the function takes does nothing.
func TestW73CommandsAreClosed(t *testing.T) {
	w := newWorld(t, false)
	out := w.do(bob, &Command{key(bob), "set", []byte(`{"extra":1,"key":"a","v":1}`)})
	if !strings.Contains(out.Tx.Failure(), `unknown member "extra"`) {
		t.Errorf("got %q", out.Tx.Failure())
	}
	w.want("app/kv/a", "")
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

// A storage that fails is an error and never an outcome, wherever it fails.
func TestStoragesThatFailStopTheMachine(t *testing.T) {
	w := newWorld(t, true)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetChatStatus{true})
	command := w.command(bob, "ping", "null")
	bodies := append(samples(), w.pay(command, 1, nil))
	for _, b := range bodies {
		for n := range 40 {
			f := &failing{Storage: w.state, left: n}
			e := w.entry(adminKey, b)
			e.Seq = 0
			out, err := w.m.Apply(f, e, w.height)
			if f.failed != (err != nil) || f.failed && (!errors.Is(err, errDisk) || f.wrote) {
				t.Fatalf("%s after %d reads: %+v, %v", b.Kind(), n, out, err)
			}
			if !f.failed {
				break
			}
		}
	}
}

var errDisk = errors.New("the disk is gone")

// failing is a storage that fails after some reads and keeps nothing.
type failing struct {
	contract.Storage
	left          int
	failed, wrote bool
}

func (f *failing) Get(k []byte) ([]byte, bool, error) {
	if f.left--; f.left < 0 {
		f.failed = true
		return nil, false, errDisk
	}
	return f.Storage.Get(k)
}

func (f *failing) Set(_, _ []byte) { f.wrote = true }
func (f *failing) Delete(_ []byte) { f.wrote = true }
