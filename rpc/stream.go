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

// batch collects the answers to the requests of one message.
type batch struct {
	answers []json.RawMessage // in the order of the requests; nil where none is due
	waiting int
	keys    []string
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

// sending learns from Conn what it is about to write: WriteObject gets a value
// that cannot be looked into.
func (s *stream) sending(notice *jsonrpc2.Request, answer *jsonrpc2.Response) {
	s.next.notice, s.next.answer = notice, answer
}

// WriteObject writes a notification, or the answer to a ticket.
func (s *stream) WriteObject(any) error {
	if n := s.next.notice; n != nil {
		return s.write(encode(struct {
			Version string           `json:"jsonrpc"`
			Method  string           `json:"method"`
			Params  *json.RawMessage `json:"params"`
		}{"2.0", n.Method, n.Params}))
	}
	a := s.next.answer
	if a.Error != nil {
		return s.answer(a.ID.Num, nil, a.Error)
	}
	return s.answer(a.ID.Num, *a.Result, nil)
}

// answer is the one answer to a ticket; a second one is dropped.
func (s *stream) answer(ticket uint64, result json.RawMessage, refusal *jsonrpc2.Error) error {
	s.mu.Lock()
	r := s.open[ticket]
	delete(s.open, ticket)
	s.mu.Unlock()
	if r == nil {
		return nil
	}
	return s.settle(r, result, refusal)
}

// settle writes the answer to a request, or keeps it until its batch is whole.
func (s *stream) settle(r *request, result json.RawMessage, refusal *jsonrpc2.Error) error {
	var answer json.RawMessage
	if r.id != nil {
		answer = answerTo(r.id, result, refusal)
	}
	s.mu.Lock()
	if b := r.batch; b != nil {
		b.answers[r.place] = answer
		if b.waiting--; b.waiting > 0 {
			s.mu.Unlock()
			return nil
		}
		for _, key := range b.keys {
			delete(s.ids, key)
		}
		answer = join(b.answers)
	} else if r.ticket != 0 && r.id != nil {
		delete(s.ids, r.key())
	}
	s.mu.Unlock()
	if answer == nil {
		return nil
	}
	return s.write(answer)
}

// join makes the answer to a batch; there is none when nothing in it is due one.
func join(answers []json.RawMessage) json.RawMessage {
	var joined []byte
	for _, answer := range answers {
		if answer == nil {
			continue
		}
		joined = append(joined, ',')
		joined = append(joined, answer...)
	}
	if joined == nil {
		return nil
	}
	joined[0] = '['
	return append(joined, ']')
}

// answerTo is one response object.
func answerTo(id, result json.RawMessage, refusal *jsonrpc2.Error) json.RawMessage {
	kind, value := `,"result":`, []byte(result)
	if refusal != nil {
		kind, value = `,"error":`, encode(refusal)
	}
	answer := make([]byte, 0, len(id)+len(value)+48)
	answer = append(answer, `{"jsonrpc":"2.0","id":`...)
	answer = append(answer, id...)
	answer = append(answer, kind...)
	answer = append(answer, value...)
	return append(answer, '}')
}

// write writes one message at once. After a failure nothing more is tried:
// half a message may be out.
func (s *stream) write(body []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if s.isBroken() {
		return jsonrpc2.ErrClosed
	}
	if _, err := s.out.Write(s.in.frame(body)); err != nil {
		s.mu.Lock()
		s.outErr = err
		s.mu.Unlock()
		close(s.broken)
		return err
	}
	return nil
}

func (s *stream) isBroken() bool {
	select {
	case <-s.broken:
		return true
	default:
		return false
	}
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
