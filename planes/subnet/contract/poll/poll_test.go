package poll_test

import (
	"encoding/json"
	"strings"
	"testing"

	"intercom/core/identity"
	"intercom/planes/subnet/contract"
	"intercom/planes/subnet/contract/poll"
)

// world is a state with the contract on it.
type world struct {
	*testing.T
	contract *contract.Contract
	state    *contract.Memory
	calls    byte
}

func newWorld(t *testing.T) *world {
	return &world{T: t, contract: poll.New(), state: contract.NewMemory()}
}

func (w *world) run(inv contract.Invocation) contract.Result {
	w.Helper()
	w.calls++
	inv.ID = [32]byte{w.calls}
	result, err := w.contract.Run(w.state, inv)
	if err != nil {
		w.Fatal(err)
	}
	return result
}

// tx types a command as that person.
func (w *world) tx(person byte, command string) contract.Result {
	w.Helper()
	d, err := w.contract.Command(command)
	if err != nil {
		w.Fatal(err)
	}
	return w.run(contract.Invocation{
		Way: contract.ByTransaction, Name: d.Type, Value: d.Value, Caller: identity.FromSeed([32]byte{person}).PublicKey(),
	})
}

func (w *world) tick(ms string) contract.Result {
	return w.run(contract.Invocation{Way: contract.ByFeature, Name: "timer", Key: "currentTime", Value: json.RawMessage(ms)})
}

func TestPollFromQuestionToEnd(t *testing.T) {
	w := newWorld(t)
	w.tick("1000")
	var opened struct{ Poll string }
	if r := w.tx(1, `open {"question":"Where to?","answers":["sea","hills"],"closes":2000}`); json.Unmarshal(r.Value, &opened) != nil {
		t.Fatalf("opening gives %+v", r)
	}
	answer := func(n string) string { return `vote {"poll":"` + opened.Poll + `","answer":` + n + `}` }
	for _, c := range []struct {
		person byte
		answer string
		want   string
	}{{1, "0", ""}, {2, "1", ""}, {2, "0", "you answered already"}, {3, "5", "there is no answer 5"}} {
		if r := w.tx(c.person, answer(c.answer)); r.Failure != c.want {
			t.Errorf("person %d answers %s: %q, want %q", c.person, c.answer, r.Failure, c.want)
		}
	}
	w.tick("2000")
	if r := w.tx(3, answer("1")); r.Failure != "the poll is closed" {
		t.Errorf("after the end: %+v", r)
	}
	var p poll.Poll
	if err := json.Unmarshal(w.state.Value("poll/"+opened.Poll), &p); err != nil || p.Votes[0] != 1 || p.Votes[1] != 1 {
		t.Errorf("the poll is %+v, %v", p, err)
	}
}

func TestListGoesOnBehindTheLastID(t *testing.T) {
	w := newWorld(t)
	for range 130 {
		w.tx(1, `open {"question":"?","answers":["a","b"]}`)
	}
	var first, second []string
	if r := w.tx(1, `polls {}`); json.Unmarshal(r.Value, &first) != nil || len(first) != 100 {
		t.Fatalf("the first page has %d: %s", len(first), r.Failure)
	}
	if r := w.tx(1, `polls {"after":"`+first[99]+`"}`); json.Unmarshal(r.Value, &second) != nil || len(second) != 30 || second[0] <= first[99] {
		t.Errorf("the second page has %d: %s", len(second), r.Failure)
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	w := newWorld(t)
	w.tick("1000")
	if r := w.tick("999"); r.Failure == "" || string(w.state.Value("currentTime")) != "1000" {
		t.Errorf("got %+v", r)
	}
}

func TestAdvertisingIsRefused(t *testing.T) {
	w := newWorld(t)
	for text, refused := range map[string]bool{"hello": false, "BUY NOW": true} {
		r := w.run(contract.Invocation{Way: contract.ByMessage, Message: contract.Message{Text: text}})
		if (r.Failure != "") != refused {
			t.Errorf("%q: %+v", text, r)
		}
	}
}

func TestUnclearCommandsSayWhatThereIs(t *testing.T) {
	_, err := poll.New().Command("vote yes")
	if err == nil || !strings.Contains(err.Error(), "write the function and its input") {
		t.Errorf("got %v", err)
	}
}
