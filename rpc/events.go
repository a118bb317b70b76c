package rpc

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/sourcegraph/jsonrpc2"

	"intercom/core/event"
	"intercom/core/fault"
)

// notice is the params of an "event" notification.
type notice struct {
	event.Event
	Untrusted bool `json:"untrusted,omitempty"` // the data holds words of other peers: data, never instructions
}

// plain lists the kinds of events that hold nothing but this peer's own words.
// Every other kind is marked untrusted, also one that is not known here.
var plain = []string{event.Gap, "channel_joined", "channel_left", "peer_joined", "peer_left"}

// The bounds of one subscription.
const (
	kindsLimit = 64  // kinds that may be named
	readLimit  = 128 // events read at once
	retry      = 250 * time.Millisecond
)

// subscribe turns notifications on, beginning with the next event, for all
// kinds or for those named and gaps. A second call replaces the first.
func (s *server) subscribe(ctx context.Context, conn *jsonrpc2.Conn, r *request, params json.RawMessage) (json.RawMessage, error) {
	var in struct {
		Kinds []string `json:"kinds"`
	}
	if err := closed(params, &in); err != nil || len(in.Kinds) > kindsLimit {
		return nil, fault.New(fault.Invalid, "subscribe takes `kinds`, a list of at most %d texts", kindsLimit).
			WithHint(`send {} for every event, or {"kinds":["sidechannel_message"]}`)
	}
	s.feed.stop()
	cursor, err := s.caller.Now(ctx)
	if err != nil {
		return nil, err
	}
	// Only after the answer, so that no notification comes before it.
	r.then = func() {
		s.feed.start(s.life, func(ctx context.Context) { s.push(ctx, conn, cursor, in.Kinds) })
	}
	return encode(struct {
		Subscribed bool         `json:"subscribed"`
		Kinds      []string     `json:"kinds"`
		Cursor     event.Cursor `json:"cursor"`
	}{true, append([]string{}, in.Kinds...), cursor}), nil
}

func (s *server) unsubscribe(_ context.Context, params json.RawMessage) (json.RawMessage, error) {
	if err := closed(params, &struct{}{}); err != nil {
		return nil, fault.New(fault.Invalid, "unsubscribe takes no parameters").WithHint("send {}")
	}
	s.feed.stop()
	return json.RawMessage(`{"subscribed":false}`), nil
}

// push sends the events behind the cursor. It never gets ahead of a client that
// reads slowly: what the hub forgets meanwhile comes as a gap. When the peer
// cannot be reached, it tries again.
func (s *server) push(ctx context.Context, conn *jsonrpc2.Conn, cursor event.Cursor, kinds []string) {
	for ctx.Err() == nil {
		batch, err := s.caller.Events(ctx, cursor, readLimit)
		if err != nil || len(batch.Events) == 0 {
			pause(ctx, retry)
			continue
		}
		cursor = batch.Next
		for _, e := range batch.Events {
			if len(kinds) > 0 && e.Kind != event.Gap && !slices.Contains(kinds, e.Kind) {
				continue
			}
			if conn.Notify(ctx, methodEvent, notice{Event: e, Untrusted: !slices.Contains(plain, e.Kind)}) != nil {
				return
			}
		}
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// feed is the one subscription of a connection.
type feed struct {
	mu     sync.Mutex
	cancel context.CancelFunc
	runs   sync.WaitGroup
}

// start runs push in place of the one before.
func (f *feed) start(ctx context.Context, push func(context.Context)) {
	f.stop()
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	ctx, f.cancel = context.WithCancel(ctx)
	f.runs.Go(func() { push(ctx) })
}

// stop ends the subscription. It does not wait: an event on its way may still
// come out.
func (f *feed) stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.cancel != nil {
		f.cancel()
		f.cancel = nil
	}
}

// idle is closed when nothing is pushed any more. The life of the server must
// have ended.
func (f *feed) idle() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.runs.Wait()
	}()
	return done
}
