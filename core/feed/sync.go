package feed

import (
	"context"
	"io"

	"intercom/core/fault"
)

// Sync brings this peer and the one that runs [Feeds.Serve] at the other end of
// the stream to the same entries of one feed. The caller opens the stream, and
// closes it afterwards.
//
// It compares fingerprints of ever smaller parts of the order and moves only
// what differs, from the lowest part up, so that parents come before children
// and everything moved stays when the stream breaks. When Result.More is set,
// or after an error, another Sync goes on where this one ended. A peer that
// breaks the protocol or sends an entry that breaks a rule is a
// [fault.Invalid]; nothing of it was stored but entries that are in order.
func (f *Feeds) Sync(ctx context.Context, rw io.ReadWriter, feed FeedID, s Session) (Result, error) {
	c, stop := dial(ctx, rw)
	defer stop()
	if s.MaxBytes == 0 {
		s.MaxBytes = defaultBytes
	}
	y := &syncing{f: f, c: c, s: &s, feed: feed}
	err := y.run()
	y.result.Overhead = c.moved - c.entries
	if err == nil {
		err = c.send(bye{})
	}
	return y.result, err
}

// syncing is the asking end of one stream.
type syncing struct {
	f      *Feeds
	c      *conn
	s      *Session
	feed   FeedID
	work   []node // what is not known to be the same, ascending
	parts  int    // fingerprints compared
	theirs uint64 // entries that the other peer has
	result Result
}

func (y *syncing) progress() {
	y.s.progress(Progress{y.feed, y.result.Received, y.result.Sent, y.theirs})
}

// The bounds of what a hostile peer can make a syncing one remember or redo.
const (
	maxDepth = 16      // 64 ways each: no feed is that deep
	maxWork  = 1 << 16 // nodes to remember; honest answers are far smaller
	maxParts = 1 << 18 // fingerprints of one session; then More
)

func (y *syncing) run() error {
	if err := y.open(); err != nil {
		return err
	}
	for len(y.work) > 0 {
		if y.full() {
			return nil
		}
		var err error
		if y.work[0].open {
			err = y.compare()
		} else {
			err = y.move()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ask asks the gate, then the other peer.
func (y *syncing) ask(m message) (message, error) {
	if err := y.s.allowed(y.feed); err != nil {
		return nil, err
	}
	y.result.Turns++
	return y.c.ask(m)
}

func (y *syncing) open() error {
	heads, err := y.f.headsSum(y.feed)
	if err != nil {
		return err
	}
	terms := y.s.terms(y.feed)
	if len(terms) > maxTerms {
		return fault.New(fault.Internal, "terms of %d bytes", len(terms))
	}
	reply, err := y.ask(hello{y.feed, heads, terms})
	if err != nil {
		return err
	}
	w, ok := reply.(welcome)
	if !ok {
		return broke("a message of kind %d for a welcome", reply.kind())
	}
	if err := y.s.agree(y.feed, w.terms); err != nil || w.same {
		return err
	}
	y.theirs = w.first.count()
	y.work, err = y.absorb(nil, node{span: whole}, w.first)
	return err
}

// compare asks about the first open parts and puts what they turn out to be in
// their place.
func (y *syncing) compare() error {
	var ask compare
	for _, n := range y.work {
		if n.open {
			if ask.spans = append(ask.spans, n.span); len(ask.spans) == maxSpans {
				break
			}
		}
	}
	reply, err := y.ask(ask)
	if err != nil {
		return err
	}
	got, ok := reply.(answers)
	if !ok || len(got.all) > len(ask.spans) {
		return broke("a message of kind %d for answers to %d questions", reply.kind(), len(ask.spans))
	}
	var work []node
	for _, n := range y.work {
		if !n.open || len(got.all) == 0 {
			work = append(work, n)
			continue
		}
		if work, err = y.absorb(work, n, got.all[0]); err != nil {
			return err
		}
		got.all = got.all[1:]
	}
	if len(work) > maxWork {
		return broke("fingerprints of more than %d parts", maxWork)
	}
	y.work = work
	return nil
}

// move fetches and sends what the first parts that are no longer open lack.
func (y *syncing) move() error {
	var pull, push []span
	for len(y.work) > 0 && !y.work[0].open && len(pull) <= maxSpans && len(push) <= maxSpans {
		pull = append(pull, y.work[0].pull...)
		push = append(push, y.work[0].push...)
		y.work = y.work[1:]
	}
	if err := y.pull(pull); err != nil {
		return err
	}
	return y.push(push)
}

// full tells that this session has done enough; what is left is found again by
// the next one.
func (y *syncing) full() bool {
	if y.result.Turns >= maxTurns || y.parts >= maxParts || y.c.entries >= y.s.MaxBytes {
		y.result.More = true
	}
	return y.result.More
}
