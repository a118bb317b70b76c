package contract_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

type input struct {
	Name   string           `json:"name" rule:"min=1 max=8" about:"a name"`
	Count  int64            `json:"count,omitempty" rule:"min=-3 max=3"`
	Color  string           `json:"color,omitempty" rule:"one=red|blue"`
	Tags   []string         `json:"tags,omitempty" rule:"max=2"`
	Sum    contract.Decimal `json:"sum,omitempty"`
	Maybe  *bool            `json:"maybe,omitempty"`
	Any    json.RawMessage  `json:"any,omitempty"`
	Nested struct {
		On bool `json:"on"`
	} `json:"nested,omitempty"`
}

var caller = identity.FromSeed([32]byte{1}).PublicKey()

func call(t testing.TB, c *contract.Contract, on contract.Storage, name, value string) contract.Result {
	t.Helper()
	result, err := c.Run(on, contract.Invocation{
		Way: contract.ByTransaction, Name: name, Value: json.RawMessage(value), Caller: caller, ID: [32]byte{7}, TS: 1_700_000_000_000,
	})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// W13, W73: what is not declared is not taken, at any depth.
func TestSchemasAreClosed(t *testing.T) {
	c := contract.New("test", 1)
	ran := 0
	contract.Function(c, "f", "", func(*contract.Call, input) (any, error) { ran++; return nil, nil })
	contract.Function(c, "none", "", func(*contract.Call, contract.None) (any, error) { ran++; return nil, nil })
	for _, good := range []string{
		`{"name":"a"}`, `{"any":{"x":[1.5]},"color":"red","count":-3,"maybe":null,"name":"éééééééé","nested":{"on":true},"sum":"1.50","tags":["a",""]}`,
	} {
		if r := call(t, c, contract.NewMemory(), "f", good); r.Failure != "" {
			t.Errorf("%s: %s", good, r.Failure)
		}
	}
	for _, good := range []string{`null`, `{}`} {
		if r := call(t, c, contract.NewMemory(), "none", good); r.Failure != "" {
			t.Errorf("none %s: %s", good, r.Failure)
		}
	}
	before := ran
	for bad, want := range map[string]string{
		`null`: "is not of type object", `{}`: "name is missing", `[]`: "is not of type object", `{"name":""}`: "0 characters",
		`{"name":"123456789"}`: "9 characters", `{"name":1}`: "is not of type string", `{"extra":1,"name":"a"}`: `unknown member "extra"`,
		`{"name":"a","nested":{"extra":1,"on":true}}`: `unknown member "extra"`, `{"name":"a","nested":{}}`: "on is missing",
		`{"count":4,"name":"a"}`: "from -3 to 3", `{"count":1.5,"name":"a"}`: "whole numbers", `{"color":"green","name":"a"}`: "one of", `{"color":"grün","name":"a"}`: `"gr\u00fcn"`,
		`{"name":"a","tags":["","",""]}`: "3 items", `{"name":"a","tags":[1]}`: "tags[0] is not of type string", `{"name":"a","sum":"x"}`: "no Decimal",
		`{"NAME":"a"}`: "name is missing", `{"name":null}`: "not of type string",
	} {
		r := call(t, c, contract.NewMemory(), "f", bad)
		if !strings.HasPrefix(r.Failure, "Invalid schema: ") || !strings.Contains(r.Failure, want) {
			t.Errorf("%s: %q, want %q in it", bad, r.Failure, want)
		}
	}
	if ran != before {
		t.Error("a function ran with what does not fit")
	}
}

// W2: names that JavaScript objects inherit are names like any other.
func TestUnknownFunctionsAreRefused(t *testing.T) {
	c := contract.New("test", 1)
	contract.Feature(c, "oracle", "", func(*contract.Call, string, int64) error { return nil })
	for _, name := range []string{"hasOwnProperty", "__proto__", "constructor", "", "oracle"} {
		if r := call(t, c, contract.NewMemory(), name, "null"); r.Failure != "Unknown contract operation type." {
			t.Errorf("%q: %q", name, r.Failure)
		}
	}
}

// W15: nothing of a call that fails stays, whatever way it fails.
func TestCallsAreAtomic(t *testing.T) {
	c := contract.New("test", 1)
	c.Collection("l/")
	ways := map[string]struct {
		end  func(call *contract.Call) error
		want string
	}{
		"error":   {func(*contract.Call) error { return errors.New("7 unlucky") }, "7 unlucky"},
		"empty":   {func(*contract.Call) error { return errors.New("") }, "Error"},
		"panic":   {func(*contract.Call) error { panic("at 0xc000123") }, "The contract panicked."},
		"runtime": {func(call *contract.Call) error { call.Put("k", strings.Repeat("x", -len(call.Tx()))); return nil }, "The contract panicked."},
		"steps":   {func(call *contract.Call) error { call.Step(1 << 40); return nil }, "The budget of the call is exceeded."},
		"back":    {func(call *contract.Call) error { call.Step(-1); return nil }, "The budget of the call is exceeded."},
		"loop": {func(call *contract.Call) error {
			for {
				call.Get("k")
			}
		}, "The budget of the call is exceeded."},
		"bytes": {func(call *contract.Call) error {
			for i := range 100 {
				call.Put(fmt.Sprint("b", i), strings.Repeat("x", 60_000))
			}
			return nil
		}, "The budget of the call is exceeded."},
		"value":       {func(call *contract.Call) error { call.Put("k", strings.Repeat("x", contract.MaxValue)); return nil }, "put(key,value): the value of k has 65538 bytes, more than 65536"},
		"reserved":    {func(call *contract.Call) error { call.Put("msg/0", 1); return nil }, "put(key,value): msg/0is reserved"},
		"deleting":    {func(call *contract.Call) error { call.Del("admin"); return nil }, "del(key): adminis reserved"},
		"no key":      {func(call *contract.Call) error { call.Put("a\x00b", 1); return nil }, `put(key,value): "a\x00b" is no key`},
		"no value":    {func(call *contract.Call) error { call.Put("k", func() {}); return nil }, "put(key,value): the value of k is not JSON"},
		"not indexed": {func(call *contract.Call) error { call.Each("k", "", nil); return nil }, `each(prefix): "k" is not in a collection`},
		"other type":  {func(call *contract.Call) error { var n int; call.Read("l/old", &n); return nil }, "get(key): l/old does not hold what is expected"},
		"caught":      {func(call *contract.Call) error { defer func() { _ = recover() }(); call.Put("admin", 1); return nil }, "put(key,value): adminis reserved"},
	}
	for name, way := range ways {
		contract.Function(c, strings.ReplaceAll(name, " ", "_"), "", func(call *contract.Call, _ contract.None) (any, error) {
			call.Put("k", 1)
			call.Put("l/new", 1)
			call.Del("l/old")
			call.Put("l/old", "again")
			return nil, way.end(call)
		})
	}
	contract.Function(c, "set", "", func(call *contract.Call, _ contract.None) (any, error) { call.Put("l/old", "x"); return nil, nil })
	m := contract.NewMemory()
	call(t, c, m, "set", "null")
	for name, way := range ways {
		r := call(t, c, m, strings.ReplaceAll(name, " ", "_"), "null")
		if r.Failure != way.want || r.Value != nil || r.Changed != nil {
			t.Errorf("%s: %+v, want %q", name, r, way.want)
		}
		if got := m.Names(); !slices.Equal(got, []string{"l/old"}) || string(m.Value("l/old")) != `"x"` {
			t.Fatalf("%s left %v", name, got)
		}
	}
}

func TestStorageThatFailsIsNoOutcome(t *testing.T) {
	c := contract.New("test", 1)
	contract.Function(c, "get", "", func(call *contract.Call, _ contract.None) (any, error) { call.Get("k"); return nil, nil })
	if _, err := c.Run(brokenStorage{}, contract.Invocation{Way: contract.ByTransaction, Name: "get", Value: json.RawMessage("null")}); !errors.Is(err, errBroken) {
		t.Errorf("got %v", err)
	}
}

var errBroken = errors.New("the disk is gone")

type brokenStorage struct{ *contract.Memory }

func (brokenStorage) Get([]byte) ([]byte, bool, error) { return nil, false, errBroken }

// A collection is in order and complete, whatever was put and deleted.
func TestCollectionsAreLikeSortedMaps(t *testing.T) {
	c := contract.New("test", 1)
	c.Collection("l/")
	type change struct {
		Key string `json:"key"`
		Del bool   `json:"del"`
	}
	contract.Function(c, "do", "", func(call *contract.Call, all []change) (any, error) {
		for _, one := range all {
			if one.Del {
				call.Del(one.Key)
			} else {
				call.Put(one.Key, one.Key)
			}
		}
		return nil, nil
	})
	type query struct {
		Prefix string `json:"prefix"`
		After  string `json:"after"`
	}
	contract.Function(c, "list", "", func(call *contract.Call, q query) (any, error) {
		got := []string{}
		call.Each(q.Prefix, q.After, func(key string, value json.RawMessage) bool {
			if string(value) != `"`+key+`"` {
				t.Errorf("%s is %s", key, value)
			}
			got = append(got, key)
			return true
		})
		return got, nil
	})
	keys := rapid.Custom(func(t *rapid.T) string { return fmt.Sprintf("l/%d", rapid.IntRange(0, 400).Draw(t, "key")) })
	rapid.Check(t, func(rt *rapid.T) {
		m, model := contract.NewMemory(), map[string]bool{}
		for range rapid.IntRange(1, 6).Draw(rt, "rounds") {
			dels := rapid.IntRange(0, 4).Draw(rt, "deletions of 4")
			var all []change
			for i, key := range rapid.SliceOfN(keys, 0, 120).Draw(rt, "keys") {
				del := i%4 < dels
				all = append(all, change{key, del})
				delete(model, key)
				if !del {
					model[key] = true
				}
			}
			text, _ := json.Marshal(append([]change{}, all...))
			if r := call(t, c, m, "do", string(text)); r.Failure != "" {
				rt.Fatal(r.Failure)
			}
			q := query{Prefix: rapid.SampledFrom([]string{"l/", "l/1", "l/39", "l/x"}).Draw(rt, "prefix"), After: rapid.SampledFrom([]string{"", "l/2", "l/150"}).Draw(rt, "after")}
			want := []string{}
			for _, key := range slices.Sorted(maps.Keys(model)) {
				if strings.HasPrefix(key, q.Prefix) && key > q.After {
					want = append(want, key)
				}
			}
			text, _ = json.Marshal(q)
			wanted, _ := json.Marshal(want)
			if r := call(t, c, m, "list", string(text)); string(r.Value) != string(wanted) {
				rt.Fatalf("%s gives %s %s, want %s", text, r.Value, r.Failure, wanted)
			}
		}
	})
}

// W14: a name has one leaf, and no contract reaches one that is not its own.
func TestSpacesAreSeparate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"admin", "msg/1", "umsgl/ab", "administrator", "msgs", "sh/x", "app/x"})).Draw(t, "name")
		leaf := contract.Leaf(name)
		if leaf[0] != byte(contract.SpaceOf(name)) {
			t.Fatalf("%q stands in %q", name, leaf)
		}
		if back, ok := contract.NameOf(string(leaf)); name != "" && (!ok || back != name) {
			t.Fatalf("%q is read back as %q", name, back)
		}
	})
	for name, space := range map[string]contract.Space{
		"admin": contract.System, "admin/": contract.Own, "administrator": contract.Own, "tx/ab": contract.System, "txi": contract.Own,
		"msg/0": contract.Chat, "umsgl/ab": contract.Chat, "msgl": contract.Chat, "chat_last": contract.Own,
	} {
		if got := contract.SpaceOf(name); got != space {
			t.Errorf("%s is in %c, want %c", name, got, space)
		}
	}
}

// W17: what a contract does has a name, and any change gives another one.
func TestVersionChangesWithTheContract(t *testing.T) {
	f := func(*contract.Call, contract.None) (any, error) { return nil, nil }
	source := func(text string) fstest.MapFS {
		return fstest.MapFS{"a.go": {Data: []byte(text)}, "a_test.go": {Data: []byte(text + text)}, "notes": {Data: []byte(text + "n")}}
	}
	versions := map[contract.Version]string{}
	for name, build := range map[string]func(c *contract.Contract){
		"nothing":  func(*contract.Contract) {},
		"function": func(c *contract.Contract) { contract.Function(c, "f", "", f) },
		"about":    func(c *contract.Contract) { contract.Function(c, "f", "does", f) },
		"feature": func(c *contract.Contract) {
			contract.Feature(c, "f", "", func(*contract.Call, string, int64) error { return nil })
		},
		"message":    func(c *contract.Contract) { c.OnMessage(func(*contract.Call, contract.Message) error { return nil }) },
		"collection": func(c *contract.Contract) { c.Collection("l/") },
		"sources":    func(c *contract.Contract) { c.Sources(source("a\nb")) },
		"other code": func(c *contract.Contract) { c.Sources(source("a\nc")) },
	} {
		c := contract.New("test", 1)
		build(c)
		if other, taken := versions[c.Version()]; taken {
			t.Errorf("%s and %s have one version", name, other)
		}
		versions[c.Version()] = name
	}
	for name, c := range map[string]*contract.Contract{"number": contract.New("test", 2), "name": contract.New("tesu", 1)} {
		if other, taken := versions[c.Version()]; taken {
			t.Errorf("%s and %s have one version", name, other)
		}
	}
	a, b := contract.New("test", 1), contract.New("test", 1)
	a.Sources(source("a\nb"))
	b.Sources(source("a\r\nb"))
	if a.Version() != b.Version() {
		t.Error("line ends count")
	}
}

func TestCommandsAreReadBeforeAnythingIsPaid(t *testing.T) {
	c := contract.New("test", 1)
	contract.Function(c, "f", "", func(*contract.Call, input) (any, error) { return nil, nil })
	contract.Function(c, "none", "", func(*contract.Call, contract.None) (any, error) { return nil, nil })
	for text, want := range map[string]string{
		"none": `{"type":"none","value":null}`, ` {"type":"f","value":{"name":"a","count":1}} `: `{"type":"f","value":{"count":1,"name":"a"}}`,
	} {
		d, err := c.Command(text)
		if got, _ := json.Marshal(d); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "nope", "f", `{"type":"f"}`, `{"type":"f","value":{"x":1}}`, `{`, `{"type":7}`} {
		if _, err := c.Command(text); fault.KindOf(err) != fault.Invalid || fault.Of(err).Hint == "" {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestBrokenDeclarationsPanic(t *testing.T) {
	none := func(*contract.Call, contract.None) (any, error) { return nil, nil }
	for name, declare := range map[string]func(c *contract.Contract){
		"twice": func(c *contract.Contract) { contract.Function(c, "f", "", none); contract.Function(c, "f", "", none) },
		"both": func(c *contract.Contract) {
			contract.Function(c, "f", "", none)
			contract.Feature(c, "f", "", func(*contract.Call, string, int64) error { return nil })
		},
		"float": func(c *contract.Contract) {
			contract.Function(c, "f", "", func(*contract.Call, float64) (any, error) { return nil, nil })
		},
		"map": func(c *contract.Contract) {
			contract.Function(c, "f", "", func(*contract.Call, map[string]string) (any, error) { return nil, nil })
		},
		"no tag": func(c *contract.Contract) {
			contract.Function(c, "f", "", func(*contract.Call, struct{ A string }) (any, error) { return nil, nil })
		},
		"bad rule": func(c *contract.Contract) {
			contract.Function(c, "f", "", func(*contract.Call, struct {
				A bool `json:"a" rule:"min=1"`
			}) (any, error) {
				return nil, nil
			})
		},
		"name": func(c *contract.Contract) { contract.Function(c, "a b", "", none) },
		"handlers": func(c *contract.Contract) {
			h := func(*contract.Call, contract.Message) error { return nil }
			c.OnMessage(h)
			c.OnMessage(h)
		},
		"collection": func(c *contract.Contract) { c.Collection("") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s is taken", name)
				}
			}()
			declare(contract.New("test", 1))
		}()
	}
}

func TestIDsAreTheSameEverywhere(t *testing.T) {
	c := contract.New("test", 1)
	contract.Function(c, "ids", "", func(call *contract.Call, _ contract.None) (any, error) {
		return []string{call.ID(), call.ID(), call.Tx(), call.Time().Format("2006-01-02T15:04:05Z07:00")}, nil
	})
	first, second := call(t, c, contract.NewMemory(), "ids", "null"), call(t, c, contract.NewMemory(), "ids", "null")
	var got []string
	if err := json.Unmarshal(first.Value, &got); err != nil || got[0] == got[1] || len(got[0]) != 32 || got[3] != "2023-11-14T22:13:20Z" {
		t.Errorf("got %s, %v", first.Value, err)
	}
	if string(first.Value) != string(second.Value) {
		t.Error("ids differ from run to run")
	}
}

// Whatever the value, it is refused by the schema or fits the type.
func FuzzValues(f *testing.F) {
	for _, seed := range []string{`{"name":"a"}`, `{"any":[1.5],"count":-3,"maybe":null,"name":"a","nested":{"on":true},"sum":"1.5","tags":["x"]}`, `null`, `[`, `{"name":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	c := contract.New("test", 1)
	contract.Function(c, "f", "", func(*contract.Call, input) (any, error) { return nil, nil })
	f.Fuzz(func(t *testing.T, value []byte) {
		if r := call(t, c, contract.NewMemory(), "f", string(value)); r.Failure != "" && !strings.HasPrefix(r.Failure, "Invalid schema: ") {
			t.Fatalf("%s gives %q", value, r.Failure)
		}
		_, err := c.Command(string(value))
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Fatalf("%s gives %v", value, err)
		}
	})
}
