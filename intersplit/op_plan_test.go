package intersplit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestPlanNeedsNoRoom(t *testing.T) {
	p := newWorld(t).join(1)
	for params, want := range map[string]string{
		`{"balances":{}}`:                                                  "everybody is even",
		`{"balances":" {\"a\":1,\"b\":\"-1\"}"}`:                           "b -> a: 1.00",
		`{"balances":""}`:                                                  "everybody is even",
		`{"balances":{"Ann":"25.00","ben":-10,"cleo":"-15"}}`:              "ben -> ann: 10.00\ncleo -> ann: 15.00",
		`{"balances":"ann:25,ben:-10,cleo:-15","around":"Ben"}`:            "ben -> ann: 25.00\ncleo -> ben: 15.00",
		`{"balances":{"ann":"25","ben":"-25"},"currency":"jpy"}`:           "ben -> ann: 25 JPY",
		`{"balances":{"a":"99999999999999.99","b":"-99999999999999.99"}}`:  "b -> a: 99999999999999.99",
		`{"balances":{"a":1,"b":-1,"c":"-0"},"mode":"minimal"}`:            "b -> a: 1.00",
		`{"balances":{"a":6,"b":-2,"c":-4,"d":-3,"e":10,"f":-7}}`:          "b -> a: 2.00\nc -> a: 4.00\nd -> e: 3.00\nf -> e: 7.00",
		`{"balances":{"a":1,"b":-1},"mode":"around","around":"the  Bank"}`: "b -> the bank: 1.00\nthe bank -> a: 1.00\n2 payments, at least 1 are needed",
	} {
		if got := p.must("expense_plan", params).Text; got != want {
			t.Errorf("%s: %s", params, got)
		}
	}
	want := `{"settlements":[{"from":"b","to":"a","amount":"1.00","currency":""}],"payments":1,"lower_bound":1,"optimal":true}`
	if got := string(p.must("expense_plan", `{"balances":{"a":1,"b":-1}}`).Value); got != want {
		t.Error(got)
	}
	if got := string(p.must("expense_plan", `{"balances":{}}`).Value); got != `{"settlements":[],"payments":0,"lower_bound":0,"optimal":true}` {
		t.Error(got)
	}
	if len(p.Joined()) != 0 {
		t.Error("a plan joined a channel")
	}
}

func TestPlanRefusesClearly(t *testing.T) {
	p := newWorld(t).join(1)
	for params, want := range map[string]string{
		`{"balances":{"a":"10.50","b":"-3"}}`:                             "the balances add up to 7.50, not to zero",
		`{"balances":{"a":"3","b":"-10"},"currency":"JPY"}`:               "the balances add up to -7 JPY, not to zero",
		`{"balances":{"Ann":1,"ann ":-1}}`:                                `"ann" has two balances`,
		`{"balances":{"a":1,"a":-1}}`:                                     `"a"`,
		`{"balances":{" ":0}}`:                                            "a name is blank",
		`{"balances":{"a":"1e3","b":"-1000"}}`:                            `"1e3"`,
		`{"balances":{"a":"1000000000000000000","b":"-10"}}`:              "beyond the limit",
		`{"balances":{"a":"NaN"}}`:                                        `"NaN"`,
		`{"balances":{"a":"１２"}}`:                                         "１２",
		`{"balances":{"a":"+1","b":-1}}`:                                  `"+1"`,
		`{"balances":{"a":0.001,"b":-0.001}}`:                             "3 decimals",
		`{"balances":{"a":"1","b":-1},"mode":"direct"}`:                   "each pair",
		`{"balances":{"a":"1","b":-1},"mode":"around"}`:                   "names no member",
		`{"balances":{"a":"1","b":-1},"mode":"minimal","around":"a"}`:     "does not go around",
		`{"balances":{"a":"1","b":-1},"mode":"best"}`:                     "best",
		`{"balances":{"a":"1","b":-1},"currency":"money"}`:                "money",
		`{"balances":"{\"a\":1"}`:                                         "no JSON object",
		`{"balances":["a"]}`:                                              "balances",
		`{}`:                                                              "balances",
		`{"balances":{"a":null}}`:                                         "a",
		`{"balances":{"a":true}}`:                                         "a",
		`{"balances":{"a,b":0}}`:                                          "a,b",
		`{"balances":{"` + strings.Repeat("x", 65) + `":0}}`:              "too long",
		`{"balances":{"a":1,"b":-1},"around":"` + `\u202e` + `"}`:         "U+202E",
		`{"balances":{"a":"0x10","b":-16}}`:                               `"0x10"`,
		`{"balances":"ann:10,ben"}`:                                       "blank",
		`{"balances":{"a":"1","b":"-1"},"currency":"EUR","channel":"x"}`:  "channel",
		`{"balances":{"a":"-1.00","b":"0.99","c":"0.02"},"currency":""}`:  "0.01",
		`{"balances":{"a":"1.234,56","b":"-1"}}`:                          "1.234,56",
		`{"balances":{"a":"99999999999999.999","b":"-99999999999999.99"}`: "",
	} {
		reply, err := p.call("expense_plan", params)
		if err == nil {
			t.Errorf("%s: %s", params, reply.Text)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", params, err)
		}
	}
}

func TestPlanOfManyIsQuick(t *testing.T) {
	p := newWorld(t).join(1)
	balances := map[string]string{}
	for i := range 5000 {
		balances[fmt.Sprint("debtor", i)] = fmt.Sprintf("-%d.%02d", i+1, i%100)
		balances[fmt.Sprint("creditor", i)] = fmt.Sprintf("%d.%02d", i+1, i%100)
	}
	params, err := json.Marshal(map[string]any{"balances": balances})
	if err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	var out PlanResult
	decodeResult(t, p.must("expense_plan", string(params)), &out)
	if out.Payments != 5000 || !out.Optimal || time.Since(begun) > 10*time.Second {
		t.Errorf("%d payments in %v", out.Payments, time.Since(begun))
	}
	balances["one"], balances["more"] = "1", "-1"
	if params, err = json.Marshal(map[string]any{"balances": balances}); err != nil {
		t.Fatal(err)
	}
	if _, err := p.call("expense_plan", string(params)); err == nil {
		t.Error("10002 balances were taken")
	}
}
