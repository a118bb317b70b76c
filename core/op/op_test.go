package op_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
)

type item struct {
	Name string `json:"name" jsonschema:"a name"`
}

type in struct {
	Channel string   `json:"channel" jsonschema:"where"`
	Limit   op.Limit `json:"limit,omitempty" jsonschema:"how many"`
	Sim     op.Flag  `json:"sim,omitempty" jsonschema:"only pretend"`
	Tags    []string `json:"tags,omitempty" jsonschema:"tags"`
	Items   []item   `json:"items,omitempty" jsonschema:"items"`
}

type out struct {
	Items []item  `json:"items" jsonschema:"items"`
	Owner *string `json:"owner" jsonschema:"null when there is none"`
}

func declare(run func(in) (out, error)) (*op.Registry, *event.Hub) {
	hub := event.NewHub("test", event.Limits{})
	r := op.NewRegistry(hub, slog.New(slog.NewTextHandler(io.Discard, nil)))
	r.Add(r.Builtins()...)
	r.Add(op.New(op.Spec[in, out]{
		Name: "item_list", Owner: "test", Summary: "List items", Access: op.Read,
		Synonyms: map[string][]string{"channel": {"ch"}}, Args: []string{"channel"}, Example: `{"channel":"x"}`,
		Run: func(_ context.Context, i in) (out, error) { return run(i) },
	}))
	return r, hub
}

func TestSchemaIsClosedAndListsAreNeverNull(t *testing.T) {
	r, _ := declare(func(in) (out, error) { return out{}, nil })
	info := r.Ops()[len(r.Ops())-1]
	for _, text := range []string{string(info.Input), string(info.Output)} {
		if strings.Contains(text, `["null","array"]`) || !strings.Contains(text, `"additionalProperties":false`) {
			t.Error(text)
		}
	}
	if !strings.Contains(string(info.Output), `["null","string"]`) {
		t.Errorf("a result may be null: %s", info.Output)
	}
	names := []string{}
	for _, p := range info.Parameters() {
		names = append(names, p.Name)
		if p.Description == "" || p.Required != (p.Name == "channel") {
			t.Errorf("%+v", p)
		}
	}
	if want := []string{"channel", "limit", "sim", "tags", "items"}; !slices.Equal(names, want) {
		t.Errorf("parameters %q, want %q", names, want)
	}
}

func TestAllProblemsAreNamedAtOnce(t *testing.T) {
	r, _ := declare(func(in) (out, error) { t.Error("ran"); return out{}, nil })
	_, err := r.Call(t.Context(), op.Request{Name: "item_list", Grant: op.Read, Params: json.RawMessage(`{"limit":5000,"items":[{"nam":1}]}`)})
	for _, named := range []string{"channel", "5000", "1000", "nam", "items.0.name"} {
		if err == nil || !strings.Contains(err.Error(), named) {
			t.Errorf("%v does not name %q", err, named)
		}
	}
	if hint := fault.Of(err).Hint; !strings.Contains(hint, "channel: where") {
		t.Errorf("hint %q", hint)
	}
}

func TestLineBecomesParameters(t *testing.T) {
	var got in
	r, _ := declare(func(i in) (out, error) { got = i; return out{Items: []item{}}, nil })
	for line, want := range map[string]in{
		`/item_list --channel "trip nyc" --limit 3`:       {Channel: "trip nyc", Limit: 3},
		`item_list --ch=a\ b --sim`:                       {Channel: "a b", Sim: true},
		`item list x --sim 0 --tags a,b`:                  {Channel: "x", Tags: []string{"a", "b"}},
		`/item_list channel 'x"y' sim 1`:                  {Channel: `x"y`, Sim: true},
		`/item_list --sim --channel x`:                    {Channel: "x", Sim: true},
		`/item_list --channel x --items '[{"name":"n"}]'`: {Channel: "x", Items: []item{{"n"}}},
		`/item_list --channel 2025`:                       {Channel: "2025"},
	} {
		got = in{}
		if _, _, err := op.RunLine(t.Context(), r, op.Read, "", line); err != nil {
			t.Errorf("%s: %v (%s)", line, err, fault.Of(err).Hint)
			continue
		}
		if a, b := show(got), show(want); a != b {
			t.Errorf("%s gave %s, want %s", line, a, b)
		}
	}
	for _, line := range []string{``, `/`, `/item_listx --channel a`, `/item_list --channel`, `/item_list --channel "a`, `/item_list a b`, `/item_list --channel a --ch b`, `/item_list --channel a --limit many`} {
		if _, _, err := op.RunLine(t.Context(), r, op.Read, "", line); err == nil {
			t.Errorf("%q was accepted", line)
		}
	}
	for _, line := range []string{`events_read --wait-ms 0`, `events_read --wait_ms=0`} {
		if _, _, err := op.RunLine(t.Context(), r, op.Read, "", line); err != nil {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func show(v any) string {
	raw, _ := json.Marshal(v)
	return string(raw)
}

func TestTokensNeverPanicAndKeepPlainWords(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		words := rapid.SliceOf(rapid.StringMatching(`[a-z0-9=-]{1,8}`)).Draw(rt, "words")
		got, err := op.Tokens(strings.Join(words, "  "))
		if err != nil || strings.Join(got, " ") != strings.Join(words, " ") {
			rt.Fatalf("%q became %q, %v", words, got, err)
		}
		_, _ = op.Tokens(rapid.String().Draw(rt, "line"))
	})
}

func TestEventsReadWaitsOnlyAsLongAsAsked(t *testing.T) {
	r, hub := declare(func(in) (out, error) { return out{}, nil })
	hub.Publish("a", map[string]int{"n": 1})
	reply, err := r.Call(t.Context(), op.Request{Name: "events_read", Grant: op.Read, Params: json.RawMessage(`{"wait_ms":0}`)})
	if err != nil || !strings.Contains(string(reply.Value), `"kind":"a"`) {
		t.Fatalf("%s %v", reply.Value, err)
	}
	reply, err = r.Call(t.Context(), op.Request{Name: "events_read", Grant: op.Read, Params: json.RawMessage(`{"after":"test:1","wait_ms":1}`)})
	if err != nil || string(reply.Value) != `{"untrusted":true,"events":[],"next":"test:1"}` {
		t.Fatalf("%s %v", reply.Value, err)
	}
}

func TestDeclaringTwiceIsABug(t *testing.T) {
	r, _ := declare(func(in) (out, error) { return out{}, nil })
	defer func() {
		if recover() == nil {
			t.Error("a second operation of that name was taken")
		}
	}()
	r.Add(r.Builtins()...)
}

func TestClosedRegistryEndsReaders(t *testing.T) {
	p := optest.NewPeer(t)
	ended := make(chan error)
	go func() {
		_, err := p.Events(t.Context(), p.Hub.Now(), 1)
		ended <- err
	}()
	p.Close()
	if err := <-ended; fault.KindOf(err) != fault.Unavailable {
		t.Errorf("a reader of a closed registry got %v", err)
	}
}

func BenchmarkCall(b *testing.B) {
	r, _ := declare(func(in) (out, error) { return out{Items: []item{}}, nil })
	params := json.RawMessage(`{"channel":"x","limit":10}`)
	for b.Loop() {
		if _, err := r.Call(b.Context(), op.Request{Name: "item_list", Grant: op.Read, Params: params}); err != nil {
			b.Fatal(err)
		}
	}
}
