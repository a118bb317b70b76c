package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/sourcegraph/jsonrpc2"

	"intercom/core/event"
	"intercom/core/op"
)

// readAll reads messages until the end and counts what was refused.
func readAll(t *testing.T, in io.Reader, o Options) (messages [][]byte, refused int) {
	f := newFramer(in, o)
	for {
		message, err := f.read()
		var refusal *jsonrpc2.Error
		switch {
		case errors.As(err, &refusal):
			refused++
		case err != nil:
			return messages, refused
		case len(message) > o.MaxBytes+2:
			t.Fatalf("a message has %d bytes", len(message))
		default:
			messages = append(messages, bytes.Clone(message))
		}
	}
}

// FuzzFraming: whatever arrives, and in whatever pieces, the same messages are
// read, and what one framer writes it reads again.
func FuzzFraming(f *testing.F) {
	for _, seed := range []string{
		"", "\n\n", "{}\n{}", "{}\r\n", strings.Repeat("x", 300) + "\n{}\n",
		"Content-Length: 2\r\n\r\n{}Content-Length: 2\r\n\r\n[]", "Content-Length: 300\r\n\r\n{}",
		"Content-Length: 9999999999999999999\r\n\r\n", "content-length:2\n\n{}junkContent-Length: 1\n\n1", "a: b\n\n", ":\n", "Content-Length: -1\n\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		for _, framing := range []Framing{Lines, ContentLength} {
			o := Options{Framing: framing, MaxBytes: 128}
			whole, refused := readAll(t, bytes.NewReader(sent), o)
			pieces, again := readAll(t, iotest.OneByteReader(bytes.NewReader(sent)), o)
			if refused != again || len(whole) != len(pieces) {
				t.Fatalf("%s: %d messages and %d refusals at once, %d and %d in pieces", framing, len(whole), refused, len(pieces), again)
			}
			var written []byte
			for i, message := range whole {
				if !bytes.Equal(message, pieces[i]) {
					t.Fatalf("%s: message %d differs", framing, i)
				}
				written = append(written, newFramer(nil, o).frame(bytes.TrimSpace(message))...)
			}
			if back, refused := readAll(t, bytes.NewReader(written), o); refused != 0 && framing == Lines || framing == Lines && len(back) != len(whole) {
				t.Fatalf("%s: %d of %d messages came back", framing, len(back), len(whole))
			}
		}
	})
}

// FuzzParse: every message gets a refusal or members, each of which is a
// request or a refusal, and ids are echoed as they stand.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"a","params":{"b":[1]}}`, `[]`, `[1,{}]`, `{"jsonrpc":"2.0","id":"\ud800","method":""}`,
		`{"id":1,"id":2}`, `{"jsonrpc":"2.0","method":"a","params":[1]}`, `null`, `"`, "\xff", strings.Repeat("[", 300), `{"":{"":{}}}`, `1e999`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, sent []byte) {
		if len(bytes.TrimSpace(sent)) == 0 {
			return // a framer gives none such but as a body of no bytes
		}
		members, isBatch, refusal := parse(sent)
		if (refusal == nil) == (len(members) == 0) || !isBatch && len(members) > 1 {
			t.Fatalf("%d members, refusal %v", len(members), refusal)
		}
		for _, m := range members {
			if (m.request == nil) == (m.refusal == nil) {
				t.Fatal("neither or both of request and refusal")
			}
			if m.request != nil && m.request.id != nil && !bytes.Contains(sent, m.request.id) {
				t.Fatalf("the id became %s", m.request.id)
			}
			if !json.Valid(answerTo(m.id, null, m.refusal)) {
				t.Fatalf("the answer to id %s is no JSON", m.id)
			}
		}
	})
}

// FuzzServe: every answer is a line of JSON with version and id, whatever was
// sent, and Serve returns.
func FuzzServe(f *testing.F) {
	f.Add([]byte(`{"jsonrpc":"2.0","id":1,"method":"ping"}` + "\n[1,2]\n\x00"))
	f.Add([]byte(`[{"jsonrpc":"2.0","id":1,"method":"subscribe"},{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}]`))
	f.Add([]byte(`[{"jsonrpc":"2.0","method":"unsubscribe"},{"jsonrpc":"2.0","id":[],"method":"no"}]`))
	f.Add([]byte(`{"jsonrpc":"2.0","id":null,"method":"$/cancelRequest","params":{"id":{}}}`))
	caller := op.NewRegistry(event.NewHub("fuzz", event.Limits{}), slog.New(slog.DiscardHandler))
	caller.Add(caller.Builtins()...)
	f.Fuzz(func(t *testing.T, sent []byte) {
		var out bytes.Buffer
		if err := Serve(t.Context(), bytes.NewReader(sent), &out, caller, Options{MaxBytes: 4096}); err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			var one struct{ Version, ID json.RawMessage }
			var many []json.RawMessage
			if json.Unmarshal(line, &many) != nil && json.Unmarshal(line, &one) != nil {
				t.Fatalf("answered %q", line)
			}
		}
	})
}
