package rpc

import (
	"encoding/json"

	"github.com/sourcegraph/jsonrpc2"
)

// batch collects the answers to the requests of one message.
type batch struct {
	answers []json.RawMessage // in the order of the requests; nil where none is due
	waiting int
	keys    []string
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
