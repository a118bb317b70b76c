package agent

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFilterVectors(t *testing.T) {
	raw, err := os.ReadFile("testdata/filter.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		Parse []struct {
			Expr   string
			Parsed [][]string
		}
		Match []struct {
			Expr, Text string
			Match      bool
		}
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	if len(vectors.Parse) == 0 || len(vectors.Match) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range vectors.Parse {
		if got := append([][]string{}, parseFilter(v.Expr)...); !reflect.DeepEqual(got, v.Parsed) {
			t.Errorf("%q parsed as %v, want %v", v.Expr, got, v.Parsed)
		}
	}
	for _, v := range vectors.Match {
		if got := parseFilter(v.Expr).matches(v.Text); got != v.Match {
			t.Errorf("%q on %q: %v", v.Expr, v.Text, got)
		}
	}
}

func TestFilterTextIsTheTextOrTheJSON(t *testing.T) {
	for message, want := range map[string]string{
		`"a \"quoted\" <b>"`:            `a "quoted" <b>`,
		`{"b": 1.50, "a":["\u00e9\/"]}`: `{"b":1.50,"a":["é/"]}`,
		`"\u003cb\u003e"`:               `<b>`,
		`{"x":"\u003cb\u003e\n"}`:       `{"x":"<b>\n"}`,
		`[true, null]`:                  `[true,null]`,
	} {
		if got := filterText(json.RawMessage(message)); got != want {
			t.Errorf("%s gave %s, want %s", message, got, want)
		}
	}
}

func TestTextIsJavaScripts(t *testing.T) {
	for value, want := range map[string]string{
		``: "undefined", `null`: "null", `true`: "true", `"\u00e9 x"`: "é x", `{"a":1}`: "[object Object]",
		`[]`: "", `[1,null,["a",[2]],{}]`: "1,,a,2,[object Object]",
		`7`: "7", `7.0`: "7", `-0`: "0", `1e3`: "1000", `1e21`: "1e+21", `123456789012345678901`: "123456789012345680000",
		`0.000001`: "0.000001", `0.0000001`: "1e-7", `-1.5e-10`: "-1.5e-10", `1e400`: "Infinity", `-1e400`: "-Infinity",
	} {
		if got := asText(json.RawMessage(value)); got != want {
			t.Errorf("%s gave %q, want %q", value, got, want)
		}
	}
}

func TestTruthIsJavaScripts(t *testing.T) {
	for _, value := range []string{``, `null`, `false`, `0`, `-0`, `0.0`, `0e9`, `""`} {
		if truthy(json.RawMessage(value)) {
			t.Errorf("%s is taken for true", value)
		}
	}
	for _, value := range []string{`true`, `1`, `-1`, `1e-300`, `1e999`, `"0"`, `" "`, `[]`, `{}`} {
		if !truthy(json.RawMessage(value)) {
			t.Errorf("%s is taken for false", value)
		}
	}
}

func TestTrimIsJavaScripts(t *testing.T) {
	if got := trim("\uFEFF\u00a0\u2028 \tx\u0085 \n"); got != "x\u0085" {
		t.Errorf("%q", got)
	}
}

func TestObjectReadsJSONTextAndBase64(t *testing.T) {
	for value, want := range map[string]string{
		`{"a":1}`:                `{"a":1}`,
		`" {\"a\":1} "`:          `{"a":1}`,
		`"eyJhIjoxfQ=="`:         `{"a":1}`,
		`"eyJhIjoxfQ"`:           `{"a":1}`,
		`"eyJhIjoiPz8_In0"`:      `{"a":"???"}`,
		`"eyJhIjoiPz8/In0="`:     `{"a":"???"}`,
		`"[1]"`:                  ``,
		`[1]`:                    ``,
		`7`:                      ``,
		`true`:                   ``,
		`"{broken"`:              ``,
		`"!!!"`:                  ``,
		`"e30x"`:                 ``,
		`"bnVsbA=="`:             ``,
		`"   "`:                  ``,
		`"eyJhIjoxfQ==eyJhIjo="`: ``,
	} {
		if got := string(object(json.RawMessage(value))); got != want {
			t.Errorf("%s gave %q, want %q", value, got, want)
		}
	}
}

func TestWelcomeMovesIntoTheInvite(t *testing.T) {
	for invite, want := range map[string]string{
		`{}`:                        `{"welcome":{"w":1}}`,
		`{"payload":{},"sig":"00"}`: `{"payload":{},"sig":"00","welcome":{"w":1}}`,
		`{"welcome":null,"sig":""}`: `{"sig":"","welcome":{"w":1}}`,
		`{"welcome":{"own":1}}`:     `{"welcome":{"own":1}}`,
	} {
		a := admission{invite: json.RawMessage(invite), welcome: json.RawMessage(`{"w":1}`)}
		a.embedWelcome()
		if string(a.invite) != want || a.welcome != nil {
			t.Errorf("%s became %s", invite, a.invite)
		}
	}
}

// TestMembersAreWhatJSONSees compares the splitting of objects with the
// standard decoder, over objects written in many ways.
func TestMembersAreWhatJSONSees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.MapOf(rapid.String(), rapid.OneOf(
			rapid.Map(rapid.String(), func(s string) any { return s }),
			rapid.Map(rapid.Float64(), func(f float64) any { return f }),
			rapid.Map(rapid.SliceOf(rapid.String()), func(l []string) any { return l }),
			rapid.Map(rapid.MapOf(rapid.String(), rapid.Bool()), func(m map[string]bool) any { return m }),
			rapid.Just[any](nil),
		)).Draw(t, "value")
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(t, "indented") {
			raw, _ = json.MarshalIndent(value, "\t", " ")
		}
		var want map[string]json.RawMessage
		if err := json.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		got := map[string]json.RawMessage{}
		for _, m := range members(raw) {
			got[m.name] = m.value
		}
		if len(got) != len(want) {
			t.Fatalf("%s gave %d members, want %d", raw, len(got), len(want))
		}
		for name, value := range want {
			if string(got[name]) != string(value) {
				t.Fatalf("member %q of %s is %s, want %s", name, raw, got[name], value)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, frame := range []string{
		`{"id":7,"type":"send","channel":"a","message":{"x":[1,"\"]}"]}}`, `{"id":1e3,"type":"ping","params":{"wait_ms":1}}`,
		`[]`, `null`, ` {"a" : [ ] , "b":{ } } `, `{"id":-0.0,"channels":[1,null,"x"]}`, `{"type":"\ud800"}`, "\xff", `{`, ``, `"x"`,
		`{"invite":"eyJhIjoxfQ==","welcome":{}}`,
	} {
		f.Add([]byte(frame))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		r, text := parse(frame)
		if text != "" {
			return
		}
		if reply := withID(r.id, plain{Type: "pong"}); !json.Valid(reply) {
			t.Fatalf("reply %s", reply)
		}
		if params, _ := r.params(); !json.Valid(params) {
			t.Fatalf("parameters %s of %s", params, frame)
		}
		r.waits()
		r.verb()
		r.channel()
		r.channels()
		for _, m := range r.members {
			asText(m.value)
			parseFilter(asText(m.value)).matches(filterText(m.value))
			if !json.Valid([]byte(stringify(m.value))) {
				t.Fatalf("%s became %s", m.value, stringify(m.value))
			}
			if truthy(m.value) {
				if o := object(m.value); o != nil {
					a := admission{invite: o, welcome: json.RawMessage(`{}`)}
					a.embedWelcome()
					if !json.Valid(a.invite) {
						t.Fatalf("invite %s", a.invite)
					}
				}
			}
		}
	})
}

func TestSubscriptionIsBounded(t *testing.T) {
	var i interest
	var many []string
	for n := range maxChannels {
		many = append(many, strings.Repeat("x", n%100)+string(rune('a'+n/100)))
	}
	if _, f := i.subscribe(many); f != nil {
		t.Fatal(f)
	}
	if _, f := i.subscribe(many[:3]); f != nil {
		t.Errorf("what is subscribed already: %v", f)
	}
	if _, f := i.subscribe([]string{"one more"}); f == nil {
		t.Error("one more was accepted")
	}
	if _, f := (&interest{}).subscribe([]string{strings.Repeat("x", maxChannelText+1)}); f == nil {
		t.Error("a long name was accepted")
	}
	for range 3 * maxChannels {
		i.leave(strings.Repeat("y", len(i.left.order)%300) + "z")
	}
	if len(i.left.order) > maxChannels {
		t.Errorf("%d channels left are remembered", len(i.left.order))
	}
}
