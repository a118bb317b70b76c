package feed

import (
	"context"
	"errors"
	"io"
	"slices"

	"intercom/core/fault"
)

// Serve answers a peer that runs [Feeds.Sync] or [Feeds.Fetch] at the other end
// of the stream, until it is done. It returns nil when the stream ended in
// good order. Memory and work are bounded for each request and for the stream;
// how many streams are served at once is up to the caller, and so is closing
// the stream afterwards.
func (f *Feeds) Serve(ctx context.Context, rw io.ReadWriter, s Session) error {
	c, stop := dial(ctx, rw)
	defer stop()
	v := serving{f: f, c: c, s: &s}
	for served := 0; ; served++ {
		m, err := c.receive()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, ok := m.(bye); ok {
			return nil
		}
		if served == maxServed || c.moved > maxServedBytes {
			return c.refuse(fault.New(fault.Limited, "enough for one stream").WithHint("open another one"))
		}
		reply, err := v.reply(m)
		if err != nil {
			return c.refuse(err)
		}
		if err := c.send(reply); err != nil {
			return err
		}
	}
}

// serving is the answering end of one stream.
type serving struct {
	f    *Feeds
	c    *conn
	s    *Session
	feed *FeedID // once it is opened
	did  Progress
}

// reply answers one request.
func (v *serving) reply(m message) (message, error) {
	switch m := m.(type) {
	case hello:
		return v.open(m)
	case want:
		if err := v.enter(m.feed); err != nil {
			return nil, err
		}
		return v.f.behind(m)
	}
	if v.feed == nil {
		return nil, broke("a request before its greeting")
	}
	if err := v.s.allowed(*v.feed); err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case compare:
		return v.compare(m)
	case get:
		return v.get(m)
	case put:
		return v.put(m)
	}
	return nil, broke("a message of kind %d as a request", m.kind())
}

// enter settles which feed the stream is about.
func (v *serving) enter(feed FeedID) error {
	if v.feed != nil {
		return broke("a second greeting")
	}
	if err := v.s.allowed(feed); err != nil {
		return err
	}
	v.feed, v.did.Feed = &feed, feed
	return nil
}

func (v *serving) open(m hello) (message, error) {
	if err := v.enter(m.feed); err != nil {
		return nil, err
	}
	if err := v.s.agree(m.feed, m.terms); err != nil {
		return nil, err
	}
	heads, err := v.f.headsSum(m.feed)
	if err != nil {
		return nil, err
	}
	w := welcome{same: heads == m.heads, terms: v.s.terms(m.feed)}
	if !w.same {
		w.first, err = v.f.answer(m.feed, whole)
	}
	return w, err
}

// compare answers as many of the spans as fit, at least one.
func (v *serving) compare(m compare) (message, error) {
	var all answers
	size := &encoder{}
	for _, s := range m.spans {
		a, err := v.f.answer(*v.feed, s)
		if err != nil {
			return nil, err
		}
		all.all = append(all.all, a)
		if a.encode(size); len(size.out) > answersFull {
			break
		}
	}
	return all, nil
}

func (v *serving) get(m get) (message, error) {
	page, more, err := v.f.page(*v.feed, m.items)
	return entries{more, page}, err
}

func (v *serving) put(m put) (message, error) {
	all, err := decodeAll(*v.feed, m.entries)
	if err != nil {
		return nil, err
	}
	t, err := v.f.take(v.c.ctx, v.s, all)
	v.did.Stored += t.stored
	v.s.progress(v.did)
	return ack{uint64(t.stored), uint64(t.known), uint64(t.waiting), uint64(t.refused)}, err
}

// page reads the first entries of the spans, as many as one message takes;
// more tells that there are others. They are durable when page returns.
func (f *Feeds) page(feed FeedID, items []span) (raw [][]byte, more bool, err error) {
	size := 0
	for _, item := range items {
		err := f.scanRaw(feed, item, func(_ Position, v []byte) bool {
			if more = size+len(v) > entriesFull; more {
				return false
			}
			size += len(v)
			raw = append(raw, slices.Clone(v))
			return true
		})
		if err != nil {
			return nil, false, err
		}
		if more {
			break
		}
	}
	return raw, more, f.settle()
}
