package rpc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/textproto"
	"strconv"
	"sync"
	"testing"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/rpc"
)

// answer is any message that a server sends.
type answer struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  json.RawMessage `json:"result"`
	Error   *struct {
		Code    int         `json:"code"`
		Message string      `json:"message"`
		Data    fault.Error `json:"data"` // kind and hint
	} `json:"error"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`

	raw []byte // as it came
}

// session is one served connection, seen from the client's side.
type session struct {
	framing rpc.Framing
	in      *io.PipeWriter
	out     *io.PipeReader
	stop    context.CancelFunc
	ended   chan error // what Serve returned
	answers chan answer
}

const patience = 20 * time.Second

// serve starts a server on pipes. The test fails when it does not end.
func serve(t testing.TB, caller op.Caller, options rpc.Options) *session {
	t.Helper()
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ctx, stop := context.WithCancel(context.Background())
	s := &session{
		framing: options.Framing, in: inW, out: outR, stop: stop,
		ended: make(chan error, 1), answers: make(chan answer, 100),
	}
	var wg sync.WaitGroup
	wg.Go(func() { s.ended <- rpc.Serve(ctx, inR, outW, caller, options) })
	wg.Go(s.receive)
	t.Cleanup(func() {
		stop()
		inW.Close()
		outR.Close()
		for range s.answers { // what nobody asked for
		}
		wg.Wait()
	})
	return s
}

// receive reads answers until the server closes its output.
func (s *session) receive() {
	defer close(s.answers)
	r := bufio.NewReader(s.out)
	for {
		body, err := s.message(r)
		if err != nil {
			return
		}
		var a answer
		if err := json.Unmarshal(body, &a); err != nil {
			a.Result = body // a batch
		}
		a.raw = body
		s.answers <- a
	}
}

func (s *session) message(r *bufio.Reader) ([]byte, error) {
	if s.framing != rpc.ContentLength {
		return r.ReadBytes('\n')
	}
	header, err := textproto.NewReader(r).ReadMIMEHeader()
	if err != nil {
		return nil, err
	}
	size, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil {
		return nil, err
	}
	body := make([]byte, size)
	_, err = io.ReadFull(r, body)
	return body, err
}

// send writes one message, framed.
func (s *session) send(t testing.TB, message string) {
	t.Helper()
	if s.framing == rpc.ContentLength {
		message = fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(message), message)
	} else {
		message += "\n"
	}
	if _, err := io.WriteString(s.in, message); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("writing: %v", err)
	}
}

// next is the next answer.
func (s *session) next(t testing.TB) answer {
	t.Helper()
	select {
	case a, ok := <-s.answers:
		if !ok {
			t.Fatal("the output has ended")
		}
		return a
	case <-time.After(patience):
		t.Fatal("waited in vain for an answer")
	}
	panic("unreachable")
}

// wait is what Serve returned.
func (s *session) wait(t testing.TB) error {
	t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(patience):
		t.Fatal("Serve does not return")
	}
	panic("unreachable")
}

// call is a request in the usual form.
func call(id any, method, params string) string {
	raw, _ := json.Marshal(id)
	name, _ := json.Marshal(method)
	return fmt.Sprintf(`{"jsonrpc":"2.0","id":%s,"method":%s,"params":%s}`, raw, name, params)
}

func newRegistry(t testing.TB, ops ...*op.Op) (*op.Registry, *event.Hub) {
	hub := event.NewHub("test", event.Limits{Events: 64})
	r := op.NewRegistry(hub, slog.New(slog.DiscardHandler))
	r.Add(r.Builtins()...)
	r.Add(ops...)
	t.Cleanup(r.Close)
	return r, hub
}
