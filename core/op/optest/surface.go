package optest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
)

// Client is one caller on a surface. Params is JSON text and is sent as it is,
// malformed or not.
type Client interface {
	Call(ctx context.Context, name string, params string) (json.RawMessage, *fault.Error)
	Close() error
}

// Start opens a fresh client of a surface that serves the caller with the given
// access. What it starts ends with the test.
type Start func(t *testing.T, c op.Caller, grant op.Access) Client

// patience bounds every wait of the suite; no outcome depends on it.
const patience = 20 * time.Second

// Surface runs the suite.
func Surface(t *testing.T, start Start) {
	for _, c := range []struct {
		name string
		test func(*testing.T, *Peer, Start)
	}{
		{"ExamplesAreAnswered", examples},
		{"ValuesArriveAsSent", values},
		{"MistakesAreNamed", mistakes},
		{"EveryKindArrives", kinds},
		{"AccessIsChecked", access},
		{"PanicIsContained", panics},
		{"CancelReachesTheOperation", cancels},
		{"OversizeIsRefusedAndServingGoesOn", oversize},
		{"LongAnswersArrive", long},
		{"HundredCallsAtOnce", hundred},
		{"ClosingEndsCalls", closing},
		{"StoppingPeerAnswersUnavailable", stopping},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, NewPeer(t), start) })
	}
}

func open(t *testing.T, p *Peer, start Start, grant op.Access) Client {
	t.Helper()
	client := start(t, p, grant)
	t.Cleanup(func() { client.Close() })
	return client
}

func ctxOf(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func examples(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	for _, info := range p.Ops() {
		switch info.Name {
		case "toy_panic", "toy_wait", "toy_secret":
			continue
		}
		if _, f := client.Call(ctxOf(t), info.Name, string(info.Example)); f != nil {
			t.Errorf("%s %s: %v", info.Name, info.Example, f)
		}
	}
}

func values(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	for params, want := range map[string]string{
		`{"text":"<é😀&>","any":"ü"}`:                        `{"text":"<é😀&>","count":0,"flag":false,"list":[],"any":"ü"}`,
		`{"text":"","flag":1,"list":["a","b"]}`:             `{"text":"","count":0,"flag":true,"list":["a","b"]}`,
		`{"msg":"synonym","any":{"n":9007199254740993}}`:    `{"text":"synonym","count":0,"flag":false,"list":[],"any":{"n":9007199254740993}}`,
		`{"text":"x","flag":"0","any":[0,false,"",[null]]}`: `{"text":"x","count":0,"flag":false,"list":[],"any":[0,false,"",[null]]}`,
	} {
		got, f := client.Call(ctxOf(t), "toy_echo", params)
		if f != nil {
			t.Errorf("%s: %v (%s)", params, f, f.Hint)
			continue
		}
		if !same(got, []byte(want)) {
			t.Errorf("%s gave %s, want %s", params, got, want)
		}
	}
}

// same compares JSON texts; numbers keep their digits.
func same(a, b []byte) bool {
	var x, y any
	for text, v := range map[*any][]byte{&x: a, &y: b} {
		dec := json.NewDecoder(bytes.NewReader(v))
		dec.UseNumber()
		if dec.Decode(text) != nil {
			return false
		}
	}
	return fmt.Sprint(x) == fmt.Sprint(y)
}

func mistakes(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	for _, c := range []struct {
		name, params string
		kind         fault.Kind
		named        string // what the message must name
	}{
		{"toy_echo", `{}`, fault.Invalid, "text"},
		{"toy_echo", `{"text":"a","colour":1}`, fault.Invalid, "colour"},
		{"toy_echo", `{"text":7}`, fault.Invalid, "7"},
		{"toy_echo", `{"text":null}`, fault.Invalid, "text"},
		{"toy_echo", `{"text":"a","count":"many"}`, fault.Invalid, "many"},
		{"toy_echo", `{"text":"a","count":1.5}`, fault.Invalid, "1.5"},
		{"toy_echo", `{"text":"a","color":"blue"}`, fault.Invalid, "blue"},
		{"toy_echo", `{"text":"a","list":[1]}`, fault.Invalid, "list"},
		{"toy_echo", `{"text":"a","list":"a"}`, fault.Invalid, "list"},
		{"toy_echo", `{"text":"a","msg":"b"}`, fault.Invalid, "msg"},
		{"toy_ehco", `{}`, fault.Unknown, "toy_ehco"},
		{"", `{}`, fault.Unknown, ""},
	} {
		_, f := client.Call(ctxOf(t), c.name, c.params)
		switch {
		case f == nil:
			t.Errorf("%s %s was accepted", c.name, c.params)
		case c.name == "" && (f.Kind == fault.Unknown || f.Kind == fault.Invalid):
		case f.Kind != c.kind:
			t.Errorf("%s %s: kind %q, want %q (%s)", c.name, c.params, f.Kind, c.kind, f.Message)
		case !strings.Contains(f.Message, c.named):
			t.Errorf("%s %s: %q does not name %q", c.name, c.params, f.Message, c.named)
		case f.Hint == "":
			t.Errorf("%s %s: %q has no hint", c.name, c.params, f.Message)
		}
	}
	for _, params := range []string{`[1]`, `"text"`, `7`} {
		if _, f := client.Call(ctxOf(t), "toy_echo", params); f == nil || f.Kind != fault.Invalid {
			t.Errorf("parameters %s: %v", params, f)
		}
	}
	if _, f := client.Call(ctxOf(t), "toy_echo", `{"text":"still there"}`); f != nil {
		t.Errorf("after the mistakes: %v", f)
	}
}

func kinds(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	for _, kind := range fault.Kinds {
		_, f := client.Call(ctxOf(t), "toy_fail", fmt.Sprintf(`{"kind":%q}`, kind))
		if f == nil || f.Kind != kind || f.Hint != "ask for less" || !strings.Contains(f.Message, "failed as asked") {
			t.Errorf("%s arrived as %+v", kind, f)
		}
	}
}

func access(t *testing.T, p *Peer, start Start) {
	reader, writer := open(t, p, start, op.Read), open(t, p, start, op.Write)
	if _, f := reader.Call(ctxOf(t), "toy_fail", `{"kind":""}`); f == nil || (f.Kind != fault.Denied && f.Kind != fault.Unknown) {
		t.Errorf("a reader wrote: %v", f)
	}
	if _, f := writer.Call(ctxOf(t), "toy_secret", `{}`); f == nil || (f.Kind != fault.Denied && f.Kind != fault.Unknown) {
		t.Errorf("a writer learned a secret: %v", f)
	}
	if _, f := reader.Call(ctxOf(t), "toy_echo", `{"text":"a"}`); f != nil {
		t.Errorf("a reader may read: %v", f)
	}
}

func panics(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	_, f := client.Call(ctxOf(t), "toy_panic", `{}`)
	if f == nil || f.Kind != fault.Internal || strings.Contains(f.Message+f.Hint, "secret-of-a-panic") {
		t.Errorf("a panic arrived as %+v", f)
	}
	if _, f := client.Call(ctxOf(t), "toy_echo", `{"text":"a"}`); f != nil {
		t.Errorf("after the panic: %v", f)
	}
}

func cancels(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	ctx, cancel := context.WithCancel(ctxOf(t))
	done := make(chan *fault.Error, 1)
	go func() {
		_, f := client.Call(ctx, "toy_wait", `{}`)
		done <- f
	}()
	receive(t, p.Waiting, "the call to begin")
	cancel()
	receive(t, p.Cancelled, "the operation to be cancelled")
	if f := receive(t, done, "the caller to return"); f == nil || f.Kind != fault.Cancelled {
		t.Errorf("a cancelled call gave %+v", f)
	}
	if _, f := client.Call(ctxOf(t), "toy_echo", `{"text":"a"}`); f != nil {
		t.Errorf("after the cancel: %v", f)
	}
}

func oversize(t *testing.T, p *Peer, start Start) {
	other := open(t, p, start, op.Write)
	client := open(t, p, start, op.Write)
	params := `{"text":"` + strings.Repeat("x", 32<<20) + `"}`
	if _, f := client.Call(ctxOf(t), "toy_echo", params); f == nil {
		t.Error("32 MiB of parameters were accepted")
	}
	if _, f := other.Call(ctxOf(t), "toy_echo", `{"text":"a"}`); f != nil {
		t.Errorf("another client, after the oversize: %v", f)
	}
	again := open(t, p, start, op.Write)
	if _, f := again.Call(ctxOf(t), "toy_echo", `{"text":"a"}`); f != nil {
		t.Errorf("a new client, after the oversize: %v", f)
	}
}

func long(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	got, f := client.Call(ctxOf(t), "toy_size", `{"bytes":1000000}`)
	if f != nil || len(got) < 1000000 {
		t.Errorf("a million bytes arrived as %d: %v", len(got), f)
	}
}

func hundred(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			text := fmt.Sprintf("call %d", i)
			got, f := client.Call(ctxOf(t), "toy_echo", fmt.Sprintf(`{"text":%q}`, text))
			if f != nil || !strings.Contains(string(got), fmt.Sprintf("%q", text)) {
				t.Errorf("%s gave %s, %v", text, got, f)
			}
		})
	}
	wg.Wait()
}

func closing(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	const calls = 5
	done := make(chan *fault.Error, calls)
	for range calls {
		go func() {
			_, f := client.Call(ctxOf(t), "toy_wait", `{}`)
			done <- f
		}()
	}
	receive(t, p.Waiting, "a call to begin")
	client.Close()
	receive(t, p.Cancelled, "the operation to be cancelled")
	for range calls {
		if f := receive(t, done, "the callers to return"); f == nil {
			t.Error("a call of a closed client succeeded")
		}
	}
	again := open(t, p, start, op.Write)
	if _, f := again.Call(ctxOf(t), "toy_echo", `{"text":"a"}`); f != nil {
		t.Errorf("a new client, after the close: %v", f)
	}
}

func stopping(t *testing.T, p *Peer, start Start) {
	client := open(t, p, start, op.Write)
	done := make(chan *fault.Error, 1)
	go func() {
		_, f := client.Call(ctxOf(t), "toy_wait", `{}`)
		done <- f
	}()
	receive(t, p.Waiting, "the call to begin")
	p.Close()
	if f := receive(t, done, "the call in flight to be answered"); f == nil || f.Kind != fault.Unavailable {
		t.Errorf("the call in flight got %+v", f)
	}
}

func receive[T any](t *testing.T, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}
