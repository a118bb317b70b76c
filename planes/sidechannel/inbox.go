package sidechannel

import (
	"context"
	"sync"
)

// Bounds of what is kept for readers. More keeps slow readers from missing
// messages, and keeps memory for messages that nobody reads.
const (
	inboxMessages = 1024     // messages of one channel
	inboxBytes    = 4 << 20  // and their bytes; one message is always kept
	inboxesBytes  = 32 << 20 // bytes of all channels together
	messageWeight = 512      // what a message weighs beside its text
)

// inboxes keeps the recent messages of all channels within one bound. When it is
// reached the channel that holds most loses its oldest, so that a loud channel
// does not push out a quiet one.
type inboxes struct {
	mu    sync.Mutex // guards every inbox too
	all   map[*inbox]struct{}
	bytes int
	limit int
}

// inbox keeps the recent messages of one channel, numbered without gaps.
type inbox struct {
	shared *inboxes
	kept   []*Message    // oldest first
	first  uint64        // number of kept[0]; the next one to come when empty
	start  uint64        // number of the first message there ever was
	bytes  int           // weight of kept
	news   chan struct{} // closed at the next message or the end; nil while nobody waits
	closed bool
}

// page is what one read gives.
type page struct {
	messages []*Message
	first    uint64 // number of messages[0]
	next     uint64 // number to read on behind
	dropped  uint64 // messages that came and went unread before messages[0]
}

func newInboxes(limit int) *inboxes {
	return &inboxes{all: map[*inbox]struct{}{}, limit: limit}
}

// open makes an inbox whose first message gets the number first.
func (s *inboxes) open(first uint64) *inbox {
	b := &inbox{shared: s, first: first, start: first}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all[b] = struct{}{}
	return b
}

func weight(m *Message) int { return len(m.Message) + messageWeight }

// add appends a message and wakes who waits for it.
func (b *inbox) add(m *Message) {
	s := b.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	if b.closed {
		return
	}
	b.kept = append(b.kept, m)
	b.bytes += weight(m)
	s.bytes += weight(m)
	for len(b.kept) > inboxMessages || (b.bytes > inboxBytes && len(b.kept) > 1) {
		b.shift()
	}
	for s.bytes > s.limit {
		s.fullest().shift()
	}
	b.wake()
}

// fullest is the inbox that holds most.
func (s *inboxes) fullest() *inbox {
	var most *inbox
	for b := range s.all {
		if most == nil || b.bytes > most.bytes {
			most = b
		}
	}
	return most
}

// shift lets go of the oldest message.
func (b *inbox) shift() {
	b.bytes -= weight(b.kept[0])
	b.shared.bytes -= weight(b.kept[0])
	b.kept[0] = nil
	b.kept = b.kept[1:]
	b.first++
}

func (b *inbox) wake() {
	if b.news != nil {
		close(b.news)
		b.news = nil
	}
}

// next is the number of the next message to come.
func (b *inbox) next() uint64 { return b.first + uint64(len(b.kept)) }

// end drops everything, wakes who waits, and gives the number of the next
// message that would have come.
func (b *inbox) end() uint64 {
	s := b.shared
	s.mu.Lock()
	defer s.mu.Unlock()
	next := b.next()
	s.bytes -= b.bytes
	delete(s.all, b)
	b.first, b.kept, b.bytes, b.closed = next, nil, 0, true
	b.wake()
	return next
}

// newest is the number of the newest message, or of the one before the first.
func (b *inbox) newest() uint64 {
	b.shared.mu.Lock()
	defer b.shared.mu.Unlock()
	return b.next() - 1
}

// read gives up to limit messages behind the number after, of at most maxBytes
// unless the first alone is larger.
func (b *inbox) read(after uint64, limit, maxBytes int) page {
	b.shared.mu.Lock()
	defer b.shared.mu.Unlock()
	from := max(after+1, b.start) // the first number that the reader wants
	p := page{first: max(from, b.first), messages: []*Message{}}
	p.dropped = p.first - from
	for n := p.first; n < b.next() && len(p.messages) < limit; n++ {
		m := b.kept[n-b.first]
		if maxBytes -= weight(m); maxBytes < 0 && len(p.messages) > 0 {
			break
		}
		p.messages = append(p.messages, m)
	}
	p.next = p.first + uint64(len(p.messages)) - 1
	return p
}

// wait blocks until there is a message behind the number after, or never will
// be; ok tells which, once ctx has not ended.
func (b *inbox) wait(ctx context.Context, after uint64) (ok bool) {
	for {
		b.shared.mu.Lock()
		ready, closed := b.next() > max(after+1, b.start), b.closed
		if !ready && !closed && b.news == nil {
			b.news = make(chan struct{})
		}
		news := b.news
		b.shared.mu.Unlock()
		if ready || closed {
			return !closed
		}
		select {
		case <-news:
		case <-ctx.Done():
			return false
		}
	}
}
