package rpc_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

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

type countOut struct {
	N int64 `json:"n" jsonschema:"the count"`
}

// counter writes slowly and reads at once.
func counter() []*op.Op {
	var n atomic.Int64
	return []*op.Op{
		op.New(op.Spec[none, countOut]{
			Name: "count_up", Owner: "test", Summary: "Add one, slowly", Access: op.Write, Example: `{}`,
			Run: func(context.Context, none) (countOut, error) {
				was := n.Load()
				time.Sleep(time.Millisecond)
				n.Store(was + 1) // two at once would lose one
				return countOut{was + 1}, nil
			},
		}),
		op.New(op.Spec[none, countOut]{
			Name: "count", Owner: "test", Summary: "Tell the count", Access: op.Read, Example: `{}`,
			Run: func(context.Context, none) (countOut, error) { return countOut{n.Load()}, nil },
		}),
	}
}

func TestReadsSeeTheWritesBeforeThem(t *testing.T) {
	r, _ := newRegistry(t, counter()...)
	s := serve(t, r, rpc.Options{})
	for i := range 20 {
		s.send(t, call(fmt.Sprint("w", i+1), "count_up", `{}`))
		s.send(t, call(fmt.Sprint("r", i+1), "count", `{}`))
	}
	for range 40 {
		a := s.next(t)
		var n countOut
		json.Unmarshal(a.Result, &n)
		id := strings.Trim(string(a.ID), `"`)
		if want := id[1:]; id[0] == 'w' && fmt.Sprint(n.N) != want {
			t.Errorf("%s gave %d", id, n.N)
		} else if id[0] == 'r' && fmt.Sprint(n.N) < want && len(fmt.Sprint(n.N)) <= len(want) {
			t.Errorf("%s saw only %d", id, n.N)
		}
	}
}

func TestOneStuckWriteDoesNotHoldTheOthersForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, _ := newRegistry(t, op.New(op.Spec[none, none]{
			Name: "stuck", Owner: "test", Summary: "Wait for ever", Access: op.Write, Example: `{}`,
			Run: func(ctx context.Context, _ none) (none, error) { <-ctx.Done(); return none{}, ctx.Err() },
		}))
		s := serve(t, r, rpc.Options{})
		begun := time.Now()
		for i := range 5 {
			s.send(t, call(i, "stuck", `{}`))
		}
		s.send(t, call("quick", "ping", `{}`))
		if a := s.next(t); string(a.ID) != `"quick"` || time.Since(begun) > 2*time.Second {
			t.Errorf("%s after %v", a.ID, time.Since(begun))
		}
	})
}

func TestTooManyCallsAreLimitedAndCancelsStillArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := optest.NewPeer(t)
		s := serve(t, p, rpc.Options{Calls: 10})
		for i := range 20 {
			s.send(t, call(i, "toy_wait", `{}`))
		}
		s.send(t, `{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":0}}`)
		for range 10 {
			if a := s.next(t); a.Error == nil || a.Error.Data.Kind != fault.Limited {
				t.Errorf("call %s: %+v", a.ID, a.Error)
			}
		}
		if a := s.next(t); string(a.ID) != "0" || a.Error.Data.Kind != fault.Cancelled {
			t.Errorf("call %s: %+v", a.ID, a.Error)
		}
		s.send(t, call("free", "ping", `{}`))
		if a := s.next(t); a.Error != nil {
			t.Errorf("with a place free: %+v", a.Error)
		}
	})
}

func TestTheEndAnswersWhatIsInFlight(t *testing.T) {
	for name, end := range map[string]func(*session){
		"input":   func(s *session) { s.in.Close() },
		"context": func(s *session) { s.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := optest.NewPeer(t)
				s := serve(t, p, rpc.Options{Linger: 10 * time.Second})
				s.send(t, call(1, "toy_wait", `{}`))
				s.send(t, call(2, "events_read", `{"wait_ms":5000}`))
				<-p.Waiting
				synctest.Wait() // both have begun
				begun := time.Now()
				end(s)
				if a := s.next(t); string(a.ID) != "2" || a.Error != nil {
					t.Errorf("what ends in time: %s %+v", a.ID, a.Error)
				}
				if a := s.next(t); string(a.ID) != "1" || a.Error == nil || a.Error.Data.Kind != fault.Cancelled {
					t.Errorf("what does not: %s %+v", a.ID, a.Error)
				}
				if err := s.wait(t); err != nil || time.Since(begun) > 12*time.Second {
					t.Errorf("Serve gave %v after %v", err, time.Since(begun))
				}
			})
		})
	}
}

// TestCallThatIgnoresItsCancellationIsAnswered: the operation ends only long
// after Serve.
func TestCallThatIgnoresItsCancellationIsAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		deaf := op.New(op.Spec[none, none]{
			Name: "deaf", Owner: "test", Summary: "Hear nothing", Access: op.Read, Example: `{}`,
			Run: func(context.Context, none) (none, error) { time.Sleep(time.Hour); return none{}, nil },
		})
		r, _ := newRegistry(t, deaf)
		s := serve(t, r, rpc.Options{})
		s.send(t, `[`+call(1, "deaf", `{}`)+`,`+call(2, "ping", `{}`)+`]`)
		s.in.Close()
		var both []answer
		if a := s.next(t); json.Unmarshal(a.Result, &both) != nil || len(both) != 2 || both[0].Error.Data.Kind != fault.Cancelled || both[1].Error != nil {
			t.Errorf("the batch got %s", a.Result)
		}
		s.wait(t)
		time.Sleep(2 * time.Hour)
	})
}

func TestClientThatDoesNotReadDoesNotKeepServe(t *testing.T) {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	defer outR.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- rpc.Serve(ctx, inR, outW, optest.NewPeer(t), rpc.Options{Linger: 10 * time.Millisecond})
	}()
	io.WriteString(inW, call(1, "ping", `{}`)+"\n"+call(2, "ping", `{}`)+"\n")
	stop()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("Serve does not return")
	}
}

func TestClientThatIsGoneCancelsItsCalls(t *testing.T) {
	p := optest.NewPeer(t)
	s := serve(t, p, rpc.Options{Linger: time.Hour})
	s.send(t, call(1, "toy_wait", `{}`))
	<-p.Waiting
	s.out.Close()
	s.send(t, call(2, "ping", `{}`))
	<-p.Cancelled
	if err := s.wait(t); err == nil {
		t.Error("an output that cannot be written is no error")
	}
}
