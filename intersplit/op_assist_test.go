package intersplit

import (
	"encoding/json"
	"strings"
	"testing"

	"intercom/core/fault"
)

func askAssist(t *testing.T, p *peer, text string, confirm bool) (AssistResult, error) {
	t.Helper()
	params, err := json.Marshal(map[string]any{"channel": "trip", "text": text, "confirm": confirm})
	if err != nil {
		t.Fatal(err)
	}
	reply, err := p.call("expense_assist", string(params))
	var out AssistResult
	if err == nil {
		decodeResult(t, reply, &out)
	}
	return out, err
}

// A trip in sentences: nothing is recorded before it is confirmed.
func TestATripInSentences(t *testing.T) {
	p := newWorld(t).join(1)
	for _, c := range []struct{ text, operation, balance string }{
		{"add alice 30 split alice,bob note dinner", "expense_add", "alice: +15.00|bob: -15.00"},
		{"dinner 48 alice with bob, cleo", "expense_add", "alice: +47.00|bob: -31.00|cleo: -16.00"},
		{"alice paid bob back 25", "expense_pay", "alice: +72.00|bob: -56.00|cleo: -16.00"},
		{"undo", "expense_undo", "alice: +47.00|bob: -31.00|cleo: -16.00"},
		{"rent 1200 paid by alice: alice 500, bob 400, cleo 300", "expense_add", "alice: +747.00|bob: -431.00|cleo: -316.00"},
		{"wine 30 paid by bob, alice 2 shares, bob 1", "expense_add", "alice: +727.00|bob: -411.00|cleo: -316.00"},
		{"refund 3 to bob, same split", "expense_add", "alice: +729.00|bob: -413.00|cleo: -316.00"},
		{"delete last", "expense_delete", "alice: +727.00|bob: -411.00|cleo: -316.00"},
		{"settle", "expense_settle", "alice: 0.00|bob: 0.00|cleo: 0.00"},
	} {
		before := p.must("expense_balance", `{"channel":"trip"}`).Text
		tried, err := askAssist(t, p, c.text, false)
		if strings.Contains(string(tried.Result), `"state":"duplicate"`) {
			t.Errorf("%s: a preview is no duplicate: %s", c.text, tried.Result)
		}
		if err != nil || tried.Done || tried.Question != "" || tried.Operation != c.operation || tried.Result == nil {
			t.Fatalf("%s: %+v %v", c.text, tried, err)
		}
		if after := p.must("expense_balance", `{"channel":"trip"}`).Text; after != before {
			t.Fatalf("%s: recorded before it was confirmed: %s", c.text, after)
		}
		if done, err := askAssist(t, p, c.text, true); err != nil || !done.Done {
			t.Fatalf("%s: %+v %v", c.text, done, err)
		}
		for _, line := range strings.Split(c.balance, "|") {
			if got := p.must("expense_balance", `{"channel":"trip"}`).Text; !strings.Contains(got, "  "+line) {
				t.Fatalf("%s: no %q in %s", c.text, line, got)
			}
		}
	}
}

// The last entry is the last that is still in effect, however it is said.
func TestDeleteLastGoesBackEntryByEntry(t *testing.T) {
	p := newWorld(t).join(1)
	for _, note := range []string{"one", "two", "three", "four", "five", "six"} {
		p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob","note":"`+note+`"}`)
	}
	deleted := func(want string) {
		t.Helper()
		var out Written
		done, err := askAssist(t, p, "delete last", true)
		if err != nil || json.Unmarshal(done.Result, &out) != nil || out.Entry.Note != want || out.Entry.State != "deleted" {
			t.Errorf("%+v %v, want %s deleted", done, err, want)
		}
	}
	deleted("six")
	deleted("five")
	p.must("expense_undo", `{"channel":"trip","id":"`+p.write("expense_delete", `{"channel":"trip","id":"last"}`).Change.ID+`"}`) // four is back
	deleted("four")
	if e := p.write("expense_edit", `{"channel":"trip","id":"last","note":"3"}`).Entry; e.Note != "3" {
		t.Errorf("%+v", e)
	}
	deleted("3")
	if got := p.must("expense_history", `{"channel":"trip","id":"last"}`).Text; !strings.Contains(got, "note=two") {
		t.Error(got)
	}
	p.must("expense_clear", `{"channel":"trip"}`)
	if _, err := askAssist(t, p, "delete last", true); fault.KindOf(err) != fault.NotFound {
		t.Error(err)
	}
	refused(t, p, "trip", fault.NotFound, [][2]string{{"expense_delete", `{"channel":"trip","id":"last"}`}})
}

func TestQuestionsOfTheLedgerAreAnsweredAtOnce(t *testing.T) {
	p := newWorld(t).join(1)
	p.must("expense_add", `{"channel":"trip","payer":"alice","amount":"30","split":"alice,bob"}`)
	for text, want := range map[string]string{
		"balance": "expense_balance", "who owes what": "expense_balance", "export csv": "expense_export", "why does bob owe": "expense_explain",
	} {
		got, err := askAssist(t, p, text, false)
		if err != nil || !got.Done || got.Operation != want || got.Result == nil {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	if got, err := askAssist(t, p, "export csv", false); err != nil || !strings.Contains(string(got.Result), "bob,alice,15.00") {
		t.Errorf("%+v %v", got, err)
	}
}

func TestARoomIsPersistedAndRestoredInWords(t *testing.T) {
	p := newWorld(t).join(1)
	p.must("expense_add", `{"channel":"trip","payer":"ann","amount":"30","split":"ann,ben"}`)
	for _, text := range []string{"persist", "restore"} {
		if got, err := askAssist(t, p, text, true); err != nil || !got.Done || got.Operation != "expense_"+text {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
}

func TestWhatIsNotClearIsAskedAndNotDone(t *testing.T) {
	p := newWorld(t).join(1)
	p.must("expense_add", `{"channel":"trip","payer":"alex b","amount":"30","split":"alex b,alex m","currency":"EUR"}`)
	p.must("expense_add", `{"channel":"trip","payer":"alex b","amount":"30","split":"alex b,alex m","currency":"USD"}`)
	before := p.export("trip")
	for text, want := range map[string]string{
		"dinner 20 eur alex with bob":              "alex b or alex m",
		"dinner 1.234,56 eur bob with cleo":        "1.234,56",
		"dinner 25k eur bob with cleo":             "25k",
		"dinner 25 bob with cleo":                  "EUR or USD",
		"rent 1200 eur: bob 500, cleo 700":         "who paid",
		"ann paid 50 eur and ben paid 20 for taxi": "who shares it",
	} {
		got, err := askAssist(t, p, text, true)
		if err != nil || got.Done || !strings.Contains(got.Question, want) {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	for text, want := range map[string]fault.Kind{
		"make me a sandwich": fault.Invalid, "why does zoe owe": fault.NotFound,
		"export pdf": fault.Invalid,
	} {
		if got, err := askAssist(t, p, text, true); fault.KindOf(err) != want {
			t.Errorf("%s: %+v %v", text, got, err)
		}
	}
	if p.export("trip") != before {
		t.Error("something was recorded")
	}
}
