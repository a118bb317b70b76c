package machine

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"intercom/core/fault"
)

// The weak points of transactions.

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

// W5, W6: a proof is judged by the state alone and at once: what is not known yet is
// refused without a mark, and holds when the state knows it.
func TestW5ProofsAreJudgedByTheStateAlone(t *testing.T) {
	w := newWorld(t, true)
	command := w.command(bob, "ping", "null")
	ahead := w.pay(command, 1, nil)
	ahead.Proof = bytes.Replace(ahead.Proof, []byte(`"trust"`), []byte(`"trust and the next"`), 1)
	w.refused(bob, ahead, fault.Denied)
	w.refused(bob, &MsbSet{[]byte("other validators")}, fault.Invalid)
	w.do(eve, &MsbSet{[]byte("trust and the next")})
	w.refused(eve, &MsbSet{[]byte("trust and the next")}, fault.Invalid)
	if out := w.do(bob, ahead); out.Tx == nil || out.Tx.Failure() != "" {
		t.Errorf("got %+v", out)
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
	w.refused(eve, w.pay(command, 1, nil), fault.NotFound) // the command was for one payment
	again := w.entry(eve, &Command{key(bob), "ping", []byte("null")})
	w.apply(again)
	w.refused(eve, w.pay(again, 1, nil), fault.Conflict) // and the payment for one command
	w.do(eve, w.pay(again, 2, nil))
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
	for name, change := range map[string]func(p *proof){
		"requester": func(p *proof) { p.Claim.Requester = key(eve) }, "subnet": func(p *proof) { p.Claim.Subnet = key(bob) },
		"code": func(p *proof) { p.Code = 7 }, "command": func(p *proof) { p.Claim.Command[31]++ }, "network": func(p *proof) { p.Trust = "other" },
	} {
		if out := w.refused(eve, w.pay(command, 1, change), fault.Denied); out.Refused.Message == "" {
			t.Error(name)
		}
	}
	if out := w.do(eve, w.pay(command, 1, nil)); out.Tx.Requester != key(bob) {
		t.Errorf("it ran for %s", out.Tx.Requester)
	}
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

// W73: a command with a member more than the function takes does nothing.
func TestW73CommandsAreClosed(t *testing.T) {
	w := newWorld(t, false)
	out := w.do(bob, &Command{key(bob), "set", []byte(`{"extra":1,"key":"a","v":1}`)})
	if !strings.Contains(out.Tx.Failure(), `unknown member "extra"`) {
		t.Errorf("got %q", out.Tx.Failure())
	}
	w.want("app/kv/a", "")
}

// Each proof is verified once for each trust, however often a tail is carried out.
func TestProofsAreVerifiedOnce(t *testing.T) {
	w := newWorld(t, true)
	counting := &counter{}
	w.m = New(key(boot), tester(), counting)
	good, bad := w.pay(w.command(bob, "ping", "null"), 1, nil), w.pay(w.command(bob, "ping", "null"), 2, nil)
	bad.Proof = []byte("no proof")
	for range 5 {
		for _, b := range []Body{good, bad} {
			if _, err := w.m.Try(w.state, key(bob), b, w.height, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	if counting.asked != 2 {
		t.Errorf("the port was asked %d times about 2 proofs", counting.asked)
	}
	w.do(eve, &MsbSet{[]byte("trust and the next")})
	w.refused(bob, good, fault.Denied) // what held under other validators
	if counting.asked != 3 {
		t.Errorf("the port was asked %d times", counting.asked)
	}
}

type counter struct {
	port
	asked int
}

func (c *counter) Verify(trust, proof []byte, claim Claim) (Fact, error) {
	c.asked++
	return c.port.Verify(trust, proof, claim)
}
