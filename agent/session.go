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
	end     context.CancelCauseFunc
	tasks   sync.WaitGroup // keeper and pusher
	reading atomic.Bool    // whether the reader waits for a frame, so that pongs are seen
	writing atomic.Int32   // how many frames are being written
}

func newSession(b *Bridge, conn *websocket.Conn, v *visitor) *session {
	return &session{
		bridge: b, conn: conn, visitor: v,
		client:   fmt.Sprintf("sc-bridge/%d", b.clients.Add(1)),
		interest: interest{filter: b.filter, scope: b.scope},
		lane:     lane{room: newRoom(b.limits.Pending, b.limits.PendingBytes)},
	}
}

// run serves the connection to its end, and returns when all it started has
// ended.
func (s *session) run(ctx context.Context) {
	s.ctx, s.end = context.WithCancelCause(ctx)
	s.tell("sc-bridge: a connection", "from", s.visitor.RemoteAddr())
	s.tasks.Go(s.keep)
	if s.write(s.bridge.hello) == nil {
		if cursor, ok := s.authenticate(); ok {
			s.tell("sc-bridge: let in")
			s.tasks.Go(func() { s.push(cursor) })
			s.serve()
		}
	}
	s.end(nil)
	s.tell("sc-bridge: gone", "why", context.Cause(s.ctx))
	s.lane.wait.Wait()
	s.tasks.Wait()
	s.visitor.Close()
	if s.bridge.release != nil {
		s.bridge.release(s.client)
	}
}

// tell logs what became of the connection, for who asked to see it.
func (s *session) tell(what string, attrs ...any) {
	s.bridge.log.Log(s.ctx, s.bridge.detail, what, append(attrs, "client", s.client)...)
}

// close ends the connection for a reason that the client is told.
func (s *session) close(code websocket.StatusCode, reason string) {
	s.end(websocket.CloseError{Code: code, Reason: reason})
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
			s.write(s.answer(r))
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
func (s *session) answer(r request) (reply []byte) {
	defer func() {
		if p := recover(); p != nil {
			s.bridge.log.Error("sc-bridge: a request panicked", "panic", p, "stack", string(debug.Stack()))
			reply = withID(r.id, fail(fault.Of(errors.New("panic"))))
		}
	}()
	return withID(r.id, s.dispatch(s.ctx, r))
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
		s.end(err)
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
			s.farewell()
			return
		}
	}
}

// farewell closes the connection and tells the client why. A client that does
// not answer in time is cut off.
func (s *session) farewell() {
	why := websocket.CloseError{Code: websocket.StatusGoingAway, Reason: "the peer is stopping"}
	errors.As(context.Cause(s.ctx), &why)
	s.visitor.lastBytes(256 << 10)
	cut := time.AfterFunc(grace, func() { s.visitor.Close() })
	defer cut.Stop()
	s.conn.Close(why.Code, why.Reason)
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
