package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"intercom/core/event"
	"intercom/core/fault"
)

// grace is how long a client has to answer that the connection closes.
const grace = 500 * time.Millisecond

// session is one connection from handshake to end. Its goroutines: the reader
// (run itself), the keeper, after auth the pusher, and the requests in work.
type session struct {
	bridge   *Bridge
	conn     *websocket.Conn
	visitor  *visitor
	client   string // its name towards operations
	interest interest
	lane     lane

	ctx     context.Context // ends with the connection
	end     context.CancelFunc
	tasks   sync.WaitGroup // keeper and pusher
	reading atomic.Bool    // whether the reader waits for a frame, so that pongs are seen
	writing atomic.Int32   // how many frames are being written

	closing sync.Once
	code    websocket.StatusCode // why the bridge ends the connection
	reason  string
}

func newSession(b *Bridge, conn *websocket.Conn, v *visitor) *session {
	return &session{
		bridge: b, conn: conn, visitor: v,
		client:   fmt.Sprintf("sc-bridge/%d", b.clients.Add(1)),
		interest: interest{filter: b.filter, scope: b.scope},
		lane:     lane{room: newRoom(b.limits.Pending, b.limits.PendingBytes)},
		code:     websocket.StatusGoingAway, reason: "the peer is stopping",
	}
}

// run serves the connection to its end, and returns when all it started has
// ended.
func (s *session) run(ctx context.Context) {
	s.ctx, s.end = context.WithCancel(ctx)
	s.tasks.Go(s.keep)
	if s.write(s.bridge.hello) == nil {
		if cursor, ok := s.authenticate(); ok {
			s.tasks.Go(func() { s.push(cursor) })
			s.serve()
		}
	}
	s.end()
	s.lane.wait.Wait()
	s.tasks.Wait()
	s.visitor.Close()
	if s.bridge.release != nil {
		s.bridge.release(s.client)
	}
}

// close ends the connection for a reason that the client is told.
func (s *session) close(code websocket.StatusCode, reason string) {
	s.closing.Do(func() { s.code, s.reason = code, reason })
	s.end()
}

// authenticate reads until the token came, within the limits for strangers. It
// gives the place in the events from which the client is told.
func (s *session) authenticate() (cursor event.Cursor, ok bool) {
	limits := s.bridge.limits
	s.conn.SetReadLimit(limits.AuthBytes)
	s.visitor.SetReadDeadline(s.visitor.since.Add(limits.AuthTime))
	for range limits.Attempts {
		frame, err := s.read()
		if err != nil {
			s.close(websocket.StatusPolicyViolation, "no auth in time")
			return "", false
		}
		r, reply, right := s.knock(frame)
		if !right {
			if s.reply(r, reply) != nil {
				return "", false
			}
			continue
		}
		if !s.visitor.gate.admit(s.visitor) {
			s.reply(r, fail(fault.New(fault.Limited, "Too many clients.").WithHint("close another client of this peer first")))
			s.close(websocket.StatusTryAgainLater, "too many clients")
			return "", false
		}
		s.conn.SetReadLimit(limits.FrameBytes)
		s.visitor.SetReadDeadline(time.Time{})
		if cursor, err = s.bridge.caller.Now(s.ctx); err != nil {
			s.close(websocket.StatusTryAgainLater, "the peer does not answer")
			return "", false
		}
		return cursor, s.reply(r, reply) == nil
	}
	s.close(websocket.StatusPolicyViolation, "too many attempts")
	return "", false
}

// knock judges one frame of a stranger. A wrong token is answered at a pace.
func (s *session) knock(frame []byte) (r request, reply any, right bool) {
	r, text := parse(frame)
	if text != "" {
		return r, refuse(text), false
	}
	if name, _ := r.verb(); name != "auth" {
		return r, refuse(unauthorized), false
	}
	reply, right = s.bridge.guard.answer(r)
	if !right {
		s.pause(s.bridge.guard.pace.delay(time.Now()))
	}
	return r, reply, right
}

// pause waits, but not beyond the end of the connection.
func (s *session) pause(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// serve takes requests until the connection ends.
func (s *session) serve() {
	for {
		frame, err := s.read()
		if err != nil {
			if errors.Is(err, websocket.ErrMessageTooBig) {
				s.close(websocket.StatusMessageTooBig, "frame too large")
			}
			return
		}
		r, text := parse(frame)
		s.lane.do(s.ctx, r.size, s.patience(r), func() {
			if text != "" {
				s.reply(r, refuse(text))
				return
			}
			s.reply(r, s.answer(r))
		})
	}
}

// patience is how long a request keeps later ones waiting. Without an id its
// reply can be told from others only by its place.
func (s *session) patience(r request) time.Duration {
	switch {
	case r.id == nil:
		return never
	case r.waits():
		return 0
	default:
		return s.bridge.limits.Patience
	}
}

// answer gives the reply to a request. A bug of ours ends the request, not the
// peer.
func (s *session) answer(r request) (reply any) {
	defer func() {
		if p := recover(); p != nil {
			s.bridge.log.Error("sc-bridge: a request panicked", "panic", p, "stack", string(debug.Stack()))
			reply = fail(fault.Of(errors.New("panic")))
		}
	}()
	return s.dispatch(s.ctx, r)
}

func (s *session) read() ([]byte, error) {
	s.reading.Store(true)
	defer s.reading.Store(false)
	// A context that can end would close the connection without a word; the
	// keeper closes it instead.
	_, frame, err := s.conn.Read(context.Background())
	return frame, err
}

func (s *session) reply(r request, frame any) error {
	return s.write(withID(r.id, frame))
}

// write sends one frame. Replies and events share the connection; whoever finds
// it stuck waits, up to the write time.
func (s *session) write(frame []byte) error {
	s.writing.Add(1)
	defer s.writing.Add(-1)
	err := s.conn.Write(context.Background(), websocket.MessageText, frame)
	if err != nil {
		s.end()
	}
	return err
}

// keep pings an idle client and closes the connection at its end.
func (s *session) keep() {
	ticker := time.NewTicker(s.bridge.limits.PingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			s.ping()
		case <-s.ctx.Done():
			cut := time.AfterFunc(grace, func() { s.visitor.Close() })
			defer cut.Stop()
			s.closing.Do(func() {})
			s.conn.Close(s.code, s.reason)
			return
		}
	}
}

// ping asks whether the client is there. While a frame is being written its
// deadline tells, and while the reader is busy no pong would be seen.
func (s *session) ping() {
	if s.writing.Load() > 0 || !s.reading.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.bridge.limits.PingTime)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil && s.reading.Load() {
		s.close(websocket.StatusPolicyViolation, "no answer to a ping")
	}
}
