package feed

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"math"
	"net"
	"strings"
	"testing"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
)

var stage = FeedID{'s'}

func signed(who byte, e Entry) *Entry {
	id := identity.FromSeed([32]byte{who})
	e.Author = id.PublicKey()
	e.Sig = [64]byte(id.Sign(e.Preimage()))
	return &e
}

// chain is n entries of the stage by one author.
func chain(who byte, n int) (all []*Entry) {
	for i := range n {
		e := Entry{Feed: stage, Seq: uint64(i), Height: uint64(i) + 1}
		if i > 0 {
			e.Parents = []ID{all[i-1].ID()}
		}
		all = append(all, signed(who, e))
	}
	return all
}

func raw(entries ...*Entry) (all [][]byte) {
	for _, e := range entries {
		all = append(all, e.Encode())
	}
	return all
}

func feeds(t testing.TB, entries ...*Entry) *Feeds {
	t.Helper()
	s, err := store.OpenMemory()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	f, err := Open(s.Space("feed"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.AddAll(context.Background(), entries, identity.PublicKey{}, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	return f
}

var trusting = Session{Remote: identity.PublicKey{7}, May: func(FeedID) bool { return true }}

// against runs Sync against a peer that answers as it likes; nil hangs up.
func against(t *testing.T, f *Feeds, reply func(turn int, m message) message) (Result, error) {
	t.Helper()
	near, far := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer far.Close()
		c, stop := dial(context.Background(), far)
		defer stop()
		for turn := 0; ; turn++ {
			m, err := c.receive()
			if err != nil {
				return
			}
			answer := reply(turn, m)
			if answer == nil || c.send(answer) != nil {
				return
			}
		}
	}()
	result, err := f.Sync(context.Background(), near, stage, trusting)
	near.Close()
	<-done
	return result, err
}

func TestSyncWithAPeerThatCheatsEndsAndStoresNothingWrong(t *testing.T) {
	mine, theirs := chain(1, 100), chain(2, 100)
	foreign := signed(2, Entry{Feed: FeedID{'x'}, Height: 1})
	forged := *theirs[0]
	forged.Body = []byte("changed")
	lie := func(sum byte) []piece { return []piece{{count: 9, sum: [32]byte{sum}}} }
	all := welcome{first: answer{listed: []Position{theirs[0].Position(), theirs[1].Position(), theirs[2].Position()}}}
	page := func(more bool, sent ...*Entry) func(int, message) message {
		return func(turn int, _ message) message {
			if turn == 0 {
				return all
			}
			return entries{more, raw(sent...)}
		}
	}
	for name, reply := range map[string]func(int, message) message{
		"the same false fingerprint for ever": func(turn int, m message) message {
			if turn == 0 {
				return welcome{first: answer{pieces: lie(0)}}
			}
			return answers{[]answer{{pieces: lie(byte(turn))}}}
		},
		"parts outside of what was asked": func(int, message) message {
			return welcome{first: answer{pieces: []piece{{hi: Position{Height: 9}}, {hi: Position{Height: 9}}, {}}}}
		},
		"a list that goes down": func(int, message) message {
			return welcome{first: answer{listed: []Position{{Height: 2}, {Height: 1}}}}
		},
		"a list outside of the feed": func(int, message) message {
			return welcome{first: answer{listed: []Position{{Height: math.MaxUint64}}}}
		},
		"more answers than questions": func(turn int, m message) message {
			if turn == 0 {
				return welcome{first: answer{pieces: lie(0)}}
			}
			return answers{make([]answer, 2)}
		},
		"an answer of another kind":       func(int, message) message { return ack{} },
		"a request for an answer":         func(int, message) message { return bye{} },
		"an acknowledgement of too many":  func(turn int, m message) message { return cheatingAck(turn, m) },
		"an entry of another feed":        page(false, foreign),
		"a forged entry":                  page(false, &forged),
		"entries that were not asked for": page(false, theirs[0], theirs[3]),
		"entries out of order":            page(false, theirs[1], theirs[0]),
		"an entry twice":                  page(false, theirs[0], theirs[0]),
		"more of nothing":                 page(true),
	} {
		f := feeds(t, mine...)
		if result, err := against(t, f, reply); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %+v, %v", name, result, err)
		}
		n, err := f.Count(stage)
		others, otherErr := f.Count(FeedID{'x'})
		if n > 102 || n < 100 || others != 0 || err != nil || otherErr != nil {
			t.Errorf("%s: %d entries, %d of another feed, %v, %v", name, n, others, err, otherErr)
		}
	}
}

// splinters claims that a span has many parts, all different.
func splinters(s span) []piece {
	var pieces []piece
	for lo := s.lo; len(pieces) < 400; {
		lo.ID[len(pieces)%32]++
		if (span{lo, s.hi}).empty() {
			break
		}
		pieces = append(pieces, piece{hi: lo, count: 1, sum: [32]byte{1}})
	}
	return append(pieces, piece{count: 1, sum: [32]byte{2}})
}

func TestSyncWithAPeerThatDividesForEverEnds(t *testing.T) {
	f := feeds(t, chain(1, 100)...)
	result, err := against(t, f, func(turn int, m message) message {
		var lies answers
		switch m := m.(type) {
		case hello:
			return welcome{first: answer{pieces: splinters(whole)}}
		case compare:
			for _, s := range m.spans[:min(len(m.spans), 20)] {
				lies.all = append(lies.all, answer{pieces: splinters(s)})
			}
			return lies
		case get:
			return entries{}
		}
		return ack{}
	})
	if fault.KindOf(err) != fault.Invalid && !(err == nil && result.More) {
		t.Errorf("%+v, %v", result, err)
	}
	if n, err := f.Count(stage); n != 100 || err != nil {
		t.Errorf("%d entries, %v", n, err)
	}
}

func cheatingAck(turn int, m message) message {
	if turn == 0 {
		return welcome{} // this peer has nothing
	}
	return ack{stored: math.MaxUint64}
}

func TestSyncWithAPeerThatHangsUpIsUnavailable(t *testing.T) {
	mine := chain(1, 100)
	for hangUp := range 3 {
		f := feeds(t, mine...)
		if _, err := against(t, f, func(turn int, m message) message {
			if turn == hangUp {
				return nil
			}
			if turn == 0 {
				return welcome{first: answer{pieces: []piece{{count: 9}}}}
			}
			return answers{[]answer{{pieces: []piece{{count: 9, sum: [32]byte{byte(turn)}}}}}}
		}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("in turn %d: %v", hangUp, err)
		}
	}
}

func TestSyncPassesOnWhyTheOtherPeerRefuses(t *testing.T) {
	_, err := against(t, feeds(t), func(int, message) message {
		return failure{why: fault.Denied, text: strings.Repeat("go away ", 20)}
	})
	if fault.KindOf(err) != fault.Denied || !strings.Contains(err.Error(), "go away") {
		t.Errorf("%v", err)
	}
}

func TestServeRefusesWhatIsNoProperRequest(t *testing.T) {
	mine, theirs := chain(1, 100), chain(2, 3)
	foreign := signed(2, Entry{Feed: FeedID{'x'}, Height: 1})
	forged := *theirs[0]
	forged.TS++
	greeting := hello{feed: stage}
	for name, requests := range map[string][]message{
		"a question before the greeting": {compare{[]span{whole}}},
		"entries before the greeting":    {put{raw(theirs[0])}},
		"two greetings":                  {greeting, greeting},
		"a wish behind a greeting":       {greeting, want{feed: stage}},
		"a greeting behind a wish":       {want{feed: stage}, greeting},
		"an answer":                      {greeting, ack{}},
		"entries of another feed":        {greeting, put{raw(theirs[0], foreign)}},
		"a forged entry":                 {greeting, put{raw(theirs[0], &forged)}},
	} {
		f := feeds(t, mine...)
		err := f.Serve(context.Background(), replay(t, requests...), trusting)
		if fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
		if n, err := f.Count(FeedID{'x'}); n != 0 || err != nil {
			t.Errorf("%s: %d entries of another feed, %v", name, n, err)
		}
		if n, err := f.Count(stage); n > 101 || err != nil {
			t.Errorf("%s: %d entries, %v", name, n, err)
		}
	}
}

func TestServeIsBoundedForOneStream(t *testing.T) {
	requests := []message{hello{feed: stage}}
	for range maxServed {
		requests = append(requests, compare{[]span{whole}})
	}
	if err := feeds(t).Serve(context.Background(), replay(t, requests...), trusting); fault.KindOf(err) != fault.Limited {
		t.Errorf("%d requests: %v", len(requests), err)
	}
}

// tape is a stream whose other end said everything at once and does not listen.
type tape struct {
	io.Reader
	io.Writer
}

func replay(t *testing.T, requests ...message) tape {
	t.Helper()
	var sent bytes.Buffer
	c, stop := dial(context.Background(), &sent)
	defer stop()
	for _, m := range requests {
		if err := c.send(m); err != nil {
			t.Fatal(err)
		}
	}
	return tape{&sent, io.Discard}
}

func TestServeCutsOffGarbage(t *testing.T) {
	for name, sent := range map[string]string{
		"an endless message":  "\xff\xff\xff\xff",
		"an empty message":    "\x00\x00\x00\x00",
		"an unknown kind":     "\x00\x00\x00\x01\x63",
		"another version":     "\x00\x00\x00\x42\x01\x02" + strings.Repeat("\x00", 64),
		"half a message":      "\x00\x00\x00\x09\x01",
		"half a length":       "\x00\x00",
		"a length with tails": "\x00\x00\x00\x02\x06\x00",
	} {
		err := feeds(t).Serve(context.Background(), tape{strings.NewReader(sent), io.Discard}, trusting)
		if kind := fault.KindOf(err); kind != fault.Invalid && kind != fault.Unavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := feeds(t).Serve(context.Background(), tape{strings.NewReader(""), io.Discard}, trusting); err != nil {
		t.Errorf("silence: %v", err)
	}
}

// Fuzz it with -fuzzminimizetime 1x: the store's goroutines make coverage vary,
// and the fuzzer would spend a minute on each input in vain.
func FuzzServe(f *testing.F) {
	mine := chain(1, 40)
	var talk bytes.Buffer
	c, stop := dial(context.Background(), &talk)
	for _, m := range []message{
		hello{feed: stage}, compare{[]span{whole}}, get{[]span{whole}}, put{raw(chain(2, 2)...)}, bye{},
	} {
		if err := c.send(m); err != nil {
			f.Fatal(err)
		}
	}
	stop()
	f.Add(talk.Bytes())
	f.Add([]byte("\x00\x00\x00\x01\x06"))
	served := feeds(f, mine...)
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		_ = served.Serve(context.Background(), tape{bytes.NewReader(in), &out}, trusting)
		if n, err := served.Count(stage); n < 40 || err != nil {
			t.Errorf("%d entries, %v", n, err)
		}
		if out.Len() > (len(in)+1)*(maxMessage+64) {
			t.Errorf("%d bytes answer %d", out.Len(), len(in))
		}
	})
}
