package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"intercom/core/op"
	"intercom/rpc"
)

type (
	subtractIn struct {
		Minuend    int `json:"minuend" jsonschema:"from this"`
		Subtrahend int `json:"subtrahend" jsonschema:"take this"`
	}
	sumIn struct {
		Values []int `json:"values" jsonschema:"the numbers"`
	}
	number struct {
		Value int `json:"value" jsonschema:"the number"`
	}
	list struct {
		Values []any `json:"values" jsonschema:"the values"`
	}
	helloIn struct {
		N int `json:"n" jsonschema:"a number"`
	}
	none struct{}
)

// specification are the methods of the specification's examples.
func specification() []*op.Op {
	return []*op.Op{
		op.New(op.Spec[subtractIn, number]{
			Name: "subtract", Owner: "test", Summary: "Subtract", Access: op.Read, Example: `{"minuend":42,"subtrahend":23}`,
			Run: func(_ context.Context, in subtractIn) (number, error) { return number{in.Minuend - in.Subtrahend}, nil },
		}),
		op.New(op.Spec[sumIn, number]{
			Name: "sum", Owner: "test", Summary: "Add up", Access: op.Write, Example: `{"values":[1]}`,
			Run: func(_ context.Context, in sumIn) (sum number, err error) {
				for _, v := range in.Values {
					sum.Value += v
				}
				return sum, nil
			},
		}),
		op.New(op.Spec[none, list]{
			Name: "get_data", Owner: "test", Summary: "Give data", Access: op.Read, Example: `{}`,
			Run: func(context.Context, none) (list, error) { return list{[]any{"hello", 5}}, nil },
		}),
		op.New(op.Spec[helloIn, none]{
			Name: "notify_hello", Owner: "test", Summary: "Say hello", Access: op.Write, Example: `{"n":7}`,
			Run: func(context.Context, helloIn) (none, error) { return none{}, nil },
		}),
	}
}

// TestScripts plays the scripts in testdata over both framings. Whether nothing
// more is answered than the script says, the next message shows, and at the end
// a last one.
func TestScripts(t *testing.T) {
	for _, file := range []string{"testdata/specification.txt", "testdata/conduct.txt"} {
		script, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, framing := range []rpc.Framing{rpc.Lines, rpc.ContentLength} {
			t.Run(file+"/"+string(framing), func(t *testing.T) {
				r, _ := newRegistry(t, specification()...)
				play(t, serve(t, r, rpc.Options{Framing: framing}), string(script))
			})
		}
	}
}

func play(t *testing.T, s *session, script string) {
	section, sent := "", ""
	for line := range strings.Lines(script + "> {\"jsonrpc\":\"2.0\",\"method\":\"get_data\",\"id\":\"end\"}\n" +
		"< {\"jsonrpc\":\"2.0\",\"result\":{\"values\":[\"hello\",5]},\"id\":\"end\"}\n") {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "##"):
			section = line
		case strings.HasPrefix(line, ">"):
			sent = strings.TrimSpace(line[1:])
			s.send(t, sent)
		case strings.HasPrefix(line, "<"):
			got := s.next(t)
			if want := strings.TrimSpace(line[1:]); !alike(t, got.raw, []byte(want)) {
				t.Errorf("%s\n sent %s\n got  %s\n want %s", section, sent, got.raw, want)
			}
		}
	}
}

// alike compares answers: ids as they are written, results by value, errors by
// their code.
func alike(t *testing.T, got, want []byte) bool {
	t.Helper()
	if want[0] == '[' {
		var g, w []json.RawMessage
		if json.Unmarshal(got, &g) != nil || json.Unmarshal(want, &w) != nil {
			return false
		}
		return slices.EqualFunc(g, w, func(a, b json.RawMessage) bool { return alike(t, a, b) })
	}
	var g, w answer
	if json.Unmarshal(got, &g) != nil || json.Unmarshal(want, &w) != nil {
		return false
	}
	if !bytes.Equal(g.ID, w.ID) || g.Version != "2.0" || (g.Error == nil) != (w.Error == nil) {
		return false
	}
	if g.Error != nil {
		return g.Error.Code == w.Error.Code && g.Error.Data.Kind != "" && g.Error.Data.Hint != "" && g.Error.Message != "" && len(g.Result) <= len("null")
	}
	var a, b any
	return json.Unmarshal(g.Result, &a) == nil && json.Unmarshal(w.Result, &b) == nil && reflect.DeepEqual(a, b)
}
