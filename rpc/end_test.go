package rpc_test

import (
	"context"
	"encoding/json"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
	"intercom/rpc"
)

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
