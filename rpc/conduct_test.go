package rpc_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
	"intercom/rpc"
)

func TestKindsHaveTheirNumbers(t *testing.T) {
	s := serve(t, optest.NewPeer(t), rpc.Options{})
	for kind, number := range map[fault.Kind]int{
		fault.Invalid: -32602, fault.Unknown: -32601, fault.Internal: -32603,
		fault.Denied: -32000, fault.NotFound: -32001, fault.Conflict: -32002,
		fault.Limited: -32003, fault.Unavailable: -32004, fault.Cancelled: -32005,
	} {
		s.send(t, call(1, "toy_fail", fmt.Sprintf(`{"kind":%q}`, kind)))
		if a := s.next(t); a.Error == nil || a.Error.Code != number || a.Error.Data.Kind != kind {
			t.Errorf("%s came as %+v, want %d", kind, a.Error, number)
		}
	}
}

func TestSecretsAreNeverGranted(t *testing.T) {
	s := serve(t, optest.NewPeer(t), rpc.Options{Grant: op.Secret})
	s.send(t, call(1, "toy_secret", `{}`))
	if a := s.next(t); a.Error == nil || a.Error.Data.Kind != fault.Denied {
		t.Errorf("a secret was given: %+v", a)
	}
}

func TestRepeatedIDInFlightIsRefusedAndTheFirstGoesOn(t *testing.T) {
	p := optest.NewPeer(t)
	s := serve(t, p, rpc.Options{})
	s.send(t, call("same", "toy_wait", `{}`))
	<-p.Waiting
	s.send(t, call("same", "ping", `{}`))
	if a := s.next(t); a.Error == nil || a.Error.Code != -32600 || string(a.ID) != "null" || !strings.Contains(a.Error.Message, "same") {
		t.Errorf("the repeated id: %s %+v", a.ID, a.Error)
	}
	s.send(t, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":"same"}}`)
	if a := s.next(t); a.Error == nil || a.Error.Code != -32005 || string(a.ID) != `"same"` {
		t.Errorf("the cancelled call: %s %+v", a.ID, a.Error)
	}
	s.send(t, call("same", "toy_echo", `{"text":"again"}`))
	if a := s.next(t); a.Error != nil {
		t.Errorf("the id is free again: %+v", a.Error)
	}
}

func TestIDsAreEqualByValueWhenCancelling(t *testing.T) {
	p := optest.NewPeer(t)
	s := serve(t, p, rpc.Options{})
	s.send(t, call("é", "toy_wait", `{}`))
	<-p.Waiting
	s.send(t, `{"jsonrpc":"2.0","id":1,"method":"$/cancelRequest","params":{"id":"\u00e9"}}`)
	for range 2 {
		if a := s.next(t); a.Error == nil && string(a.Result) != `{"cancelled":true}` {
			t.Errorf("got %s %s", a.ID, a.Result)
		}
	}
}

// TestHugeLineCostsNoMemory writes 100 MB without an end of line.
func TestHugeLineCostsNoMemory(t *testing.T) {
	s := serve(t, optest.NewPeer(t), rpc.Options{})
	piece := bytes.Repeat([]byte("x"), 1<<20)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	most := uint64(0)
	for range 100 {
		if _, err := s.in.Write(piece); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&now)
		most = max(most, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
	}
	s.send(t, "")
	if a := s.next(t); a.Error == nil || a.Error.Code != -32600 || string(a.ID) != "null" {
		t.Errorf("the line was answered with %+v", a)
	}
	s.send(t, call(1, "toy_echo", `{"text":"next"}`))
	if a := s.next(t); a.Error != nil {
		t.Errorf("the line behind it: %+v", a.Error)
	}
	if most > 40<<20 {
		t.Errorf("the heap grew by %d MiB", most>>20)
	}
}

func TestMessageOfTheLargestSizeIsServed(t *testing.T) {
	for _, framing := range []rpc.Framing{rpc.Lines, rpc.ContentLength} {
		s := serve(t, optest.NewPeer(t), rpc.Options{Framing: framing, MaxBytes: 1000})
		message := call(1, "toy_echo", `{"text":""}`)
		fits := strings.Replace(message, `""`, `"`+strings.Repeat("x", 1000-len(message))+`"`, 1)
		s.send(t, fits)
		if a := s.next(t); a.Error != nil {
			t.Errorf("%s: %d bytes were refused: %+v", framing, len(fits), a.Error)
		}
		s.send(t, strings.Replace(fits, "xx", "xxx", 1))
		if a := s.next(t); a.Error == nil || a.Error.Code != -32600 {
			t.Errorf("%s: 1001 bytes were taken", framing)
		}
		s.send(t, message)
		if a := s.next(t); a.Error != nil {
			t.Errorf("%s: after the oversize: %+v", framing, a.Error)
		}
	}
}

func TestBrokenHeadersAreAnsweredOnceAndReadingGoesOn(t *testing.T) {
	body := call(1, "ping", `{}`)
	good := fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	for _, c := range []struct {
		name, sent string
		broken     int // answers with -32700 before the good one
	}{
		{"lower case and bare line ends", strings.ToLower(good[:16]) + fmt.Sprintf("%d\n\n%s", len(body), body), 0},
		{"further headers", "Content-Type: application/json\r\n" + good, 0},
		{"empty lines before", "\r\n\r\n" + good, 0},
		{"no length", "Content-Type: text/plain\r\n\r\n" + body + good, 1},
		{"no number", "Content-Length: many\r\n\r\n" + body + good, 1},
		{"negative", "Content-Length: -5\r\n\r\n" + body + good, 1},
		{"more than fits a number", "Content-Length: 99999999999999999999\r\n\r\n" + good, 1},
		{"two lengths", "Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + good, 1},
		{"bare lines", body + "\n" + body + "\n" + good, 1},
		{"long garbage", strings.Repeat("garbage ", 100_000) + good, 1},
		{"body of no bytes", "Content-Length: 0\r\n\r\n" + good, 1},
		{"body that is not JSON", "Content-Length: 3\r\n\r\n{]}" + good, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := serve(t, optest.NewPeer(t), rpc.Options{Framing: rpc.ContentLength})
			io.WriteString(s.in, c.sent)
			for range c.broken {
				if a := s.next(t); a.Error == nil || a.Error.Code != -32700 {
					t.Errorf("got %+v", a)
				}
			}
			if a := s.next(t); a.Error != nil || string(a.ID) != "1" {
				t.Errorf("the good message got %+v", a.Error)
			}
		})
	}
}

func TestInputThatEndsInTheMiddleIsAnswered(t *testing.T) {
	for framing, sent := range map[rpc.Framing]string{
		rpc.Lines:         `{"jsonrpc":"2.0","method":`,
		rpc.ContentLength: "Content-Length: 100\r\n\r\n{",
	} {
		s := serve(t, optest.NewPeer(t), rpc.Options{Framing: framing})
		io.WriteString(s.in, sent)
		s.in.Close()
		if a := s.next(t); a.Error == nil || a.Error.Code != -32700 {
			t.Errorf("%s: got %+v", framing, a)
		}
		if err := s.wait(t); err != nil {
			t.Errorf("%s: %v", framing, err)
		}
	}
}

// TestLinesSentAtOnceAreAnsweredInFull is a script piped into the process: the
// last line has no end, and the input ends before anything is answered.
func TestLinesSentAtOnceAreAnsweredInFull(t *testing.T) {
	const calls = 1000
	var sent strings.Builder
	for i := range calls {
		sent.WriteString(call(i, "toy_echo", fmt.Sprintf(`{"text":"%d"}`, i)) + "\n")
	}
	out := &bytes.Buffer{}
	if err := rpc.Serve(t.Context(), strings.NewReader(strings.TrimSpace(sent.String())), out, optest.NewPeer(t), rpc.Options{}); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(out.String()) {
		var a answer
		if err := json.Unmarshal([]byte(line), &a); err != nil || a.Error != nil {
			t.Fatalf("%s: %v", line, err)
		}
		seen[string(a.ID)] = true
	}
	if len(seen) != calls {
		t.Errorf("%d of %d calls were answered", len(seen), calls)
	}
}
