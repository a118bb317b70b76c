package rpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/sourcegraph/jsonrpc2"
)

// stream is the [jsonrpc2.ObjectStream] under Conn. It answers what is broken,
// keeps each request until its one answer, and puts ids and batches back
// together. Conn reads and writes tickets.
type stream struct {
	in    framer
	out   io.Writer
	queue []*request // of the message read last, not yet taken by Conn

	next struct { // what Conn is about to write; its send lock guards it
		notice *jsonrpc2.Request
		answer *jsonrpc2.Response
	}

	mu      sync.Mutex
	tickets uint64
	open    map[uint64]*request // waiting for their answer
	ids     map[string]*request // whose answer is not written yet, by key

	inErr  error // why reading ended, when it was not the end of the input
	outErr error // why writing failed, once it has

	writing sync.Mutex    // one message at a time; never taken under mu
	ended   chan struct{} // closed when reading has ended
	broken  chan struct{} // closed when writing has failed
	release chan struct{} // closed by Serve: Conn may learn of the end
}

func newStream(in io.Reader, out io.Writer, options Options) *stream {
	return &stream{
		in: newFramer(in, options), out: out,
		open: map[uint64]*request{}, ids: map[string]*request{},
		ended: make(chan struct{}), broken: make(chan struct{}), release: make(chan struct{}),
	}
}

// ReadObject gives Conn the ticket and the method of the next valid request. At
// the end of the input it waits until Serve lets it go, because Conn drops
// answers that come after the end.
func (s *stream) ReadObject(v any) error {
	for len(s.queue) == 0 {
		message, err := s.in.read()
		var refusal *jsonrpc2.Error
		switch {
		case errors.As(err, &refusal):
			s.write(answerTo(null, nil, refusal))
		case err != nil:
			return s.end(err)
		default:
			s.accept(message)
		}
	}
	r := s.queue[0]
	s.queue = s.queue[1:]
	return json.Unmarshal(encode(struct {
		ID     uint64 `json:"id"`
		Method string `json:"method"`
	}{r.ticket, r.method}), v)
}

// end is the end of reading; Conn never reads again.
func (s *stream) end(err error) error {
	select {
	case <-s.release: // Serve closed the input
	default:
		s.mu.Lock()
		if !errors.Is(err, io.EOF) {
			s.inErr = err
		}
		s.mu.Unlock()
	}
	close(s.ended)
	<-s.release
	return io.EOF
}

// err is why the streams ended, if not by the end of the input.
func (s *stream) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return errors.Join(s.inErr, s.outErr)
}

// accept queues the requests of one message and answers the rest of it.
func (s *stream) accept(message []byte) {
	members, isBatch, refusal := parse(message)
	if refusal != nil {
		s.write(answerTo(null, nil, refusal))
		return
	}
	var b *batch
	if isBatch {
		b = &batch{answers: make([]json.RawMessage, len(members)), waiting: len(members)}
	}
	for i, m := range members {
		r := m.request
		if r == nil {
			s.settle(&request{id: m.id, batch: b, place: i}, nil, m.refusal)
			continue
		}
		r.batch, r.place = b, i
		if s.admit(r) {
			s.queue = append(s.queue, r)
			continue
		}
		s.settle(&request{id: null, batch: b, place: i}, nil, invalidRequest(
			fmt.Sprintf("id %s is still in flight", shown(r.id)), "give every request an id of its own"))
	}
}

// admit gives the request a ticket, unless its id is in flight.
func (s *stream) admit(r *request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.id != nil {
		key := r.key()
		if s.ids[key] != nil {
			return false
		}
		s.ids[key] = r
		if r.batch != nil {
			r.batch.keys = append(r.batch.keys, key)
		}
	}
	s.tickets++
	r.ticket = s.tickets
	s.open[r.ticket] = r
	return true
}

// find gives the request of a ticket that is still open.
func (s *stream) find(ticket uint64) *request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.open[ticket]
}

// inFlight gives the ticket of the request with an id.
func (s *stream) inFlight(id json.RawMessage) (uint64, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.ids[(&request{id: id}).key()]
	if r == nil {
		return 0, false
	}
	return r.ticket, true
}

// waiting lists the tickets without an answer.
func (s *stream) waiting() []uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	var tickets []uint64
	for ticket := range s.open {
		tickets = append(tickets, ticket)
	}
	slices.Sort(tickets)
	return tickets
}

// Close is for Conn; Serve closes the streams itself.
func (s *stream) Close() error { return nil }

// shown is an id, short enough for a message.
func shown(id json.RawMessage) string {
	const most = 80
	if len(id) > most {
		return string(id[:most]) + "…"
	}
	return string(id)
}
