package feed

import (
	"context"
	"errors"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

// Session is what a peer needs to know of one sync stream.
type Session struct {
	// Remote is the peer at the other end, as the transport proved it. What it
	// sends counts against it.
	Remote identity.PublicKey

	// May tells whether the feed may be exchanged with Remote. It is asked at
	// the beginning and before each batch, so that a right that is taken away
	// ends the stream. Nil is never.
	May func(feed FeedID) bool

	// Terms is what both owners of the feed must agree on before anything is
	// exchanged, at most 4 KiB, nil for nothing; Agree compares it with the
	// other peer's, nil for whatever it is. An error of Agree ends the stream.
	Terms func(feed FeedID) []byte
	Agree func(feed FeedID, theirs []byte) error

	// Progress is told how far the exchange is, after each batch and at its end;
	// nil for nobody. It is called by the goroutine that syncs or serves.
	Progress func(Progress)

	// MaxBytes is how many bytes of entries one Sync moves; 0 means 64 MiB. Too
	// low and a long way takes many streams; too high and one peer keeps
	// another busy for long.
	MaxBytes int64
}

// Progress is how far one exchange is.
type Progress struct {
	Feed   FeedID
	Stored int    // entries of the other peer that were stored
	Sent   int    // entries that the other peer stored
	Theirs uint64 // entries that the other peer said it has; 0 when it did not say
}

func (s *Session) progress(p Progress) {
	if s.Progress != nil {
		s.Progress(p)
	}
}

// Result is what one Sync or Fetch did.
type Result struct {
	Received int   // entries stored
	Waiting  int   // entries received that are parked or held
	Sent     int   // entries that the other peer stored
	Turns    int   // messages sent that were answered: round trips
	Overhead int64 // bytes both ways, beside those of entries
	More     bool  // the session's bound is reached: sync again to go on
}

// Bounds of a session that no honest one reaches.
const (
	maxTurns       = 1024      // of Sync; then More
	maxServed      = 4096      // requests answered on one stream
	maxServedBytes = 512 << 20 // bytes moved on one stream
	defaultBytes   = 64 << 20
)

func (s *Session) terms(feed FeedID) []byte {
	if s.Terms == nil {
		return nil
	}
	return s.Terms(feed)
}

func (s *Session) agree(feed FeedID, theirs []byte) error {
	if s.Agree == nil {
		return nil
	}
	return s.Agree(feed, theirs)
}

// allowed asks the gate.
func (s *Session) allowed(feed FeedID) error {
	if s.May == nil || !s.May(feed) {
		return fault.New(fault.Denied, "feed %s is not for %s", feed, s.Remote).
			WithHint("only those who may read it get it")
	}
	return nil
}

// taken is what became of entries that the other peer sent.
type taken struct{ stored, known, waiting, refused int }

// decodeAll decodes what the other peer sent.
func decodeAll(feed FeedID, raw [][]byte) ([]*Entry, error) {
	all := make([]*Entry, len(raw))
	for i, r := range raw {
		e, err := Decode(r)
		if err != nil {
			return nil, err
		}
		if e.Feed != feed {
			return nil, broke("an entry of feed %s", e.Feed)
		}
		all[i] = e
	}
	return all, nil
}

// take stores what the other peer sent. An entry dated ahead for which there is
// no room is passed over; any other refused entry ends the session, and so does
// one for which this peer's feed is full.
func (f *Feeds) take(ctx context.Context, s *Session, all []*Entry) (taken, error) {
	ready, refused := f.checkAll(ctx, all, f.check)
	t, err := f.takeChecked(ctx, s, ready)
	if err == nil {
		err = refused
	}
	return t, err
}

func (f *Feeds) takeChecked(ctx context.Context, s *Session, ready []*checked) (t taken, err error) {
	for len(ready) > 0 {
		outcomes, err := f.addAll(ctx, ready, s.Remote, time.Now())
		for _, outcome := range outcomes {
			switch outcome {
			case Stored:
				t.stored++
			case Known:
				t.known++
			default:
				t.waiting++
			}
		}
		ready = ready[len(outcomes):]
		if errors.Is(err, errNoRoom) {
			t.refused++
			ready = ready[1:]
		} else if err != nil {
			return t, err
		}
	}
	return t, nil
}
