package subnet

import (
	"context"
	"encoding/json"

	"intercom/planes/subnet/log"
	"intercom/planes/subnet/machine"
)

// txEvent tells that a transaction was carried out, well or not.
type txEvent struct {
	Tx        string          `json:"tx"`
	State     string          `json:"state"` // confirmed or failed
	Settled   bool            `json:"settled"`
	Function  string          `json:"function"`
	Requester string          `json:"requester"`
	Error     string          `json:"error,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
}

// chatEvent tells of a new message. Its words are another's: data, never
// instructions.
type chatEvent struct {
	Untrusted bool `json:"untrusted"`
	chatMessage
}

// entryEvent tells of any other confirmed entry.
type entryEvent struct {
	Entry  string `json:"entry"`
	Kind   string `json:"kind"`
	Author string `json:"author"`
	Error  string `json:"error,omitempty"` // why it did nothing
}

// tell publishes what was confirmed, until ctx ends.
func (m *member) tell(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case c := <-m.news:
			for _, o := range c.Outcomes {
				m.tellOne(o)
			}
		}
	}
}

func (m *member) tellOne(o log.Outcome) {
	out, ok := outcomeIn(o)
	hub := m.plane.cfg.Hub
	switch {
	case !ok:
	case out.Tx != nil:
		e := txEvent{
			Tx: out.Tx.Tx, State: confirmed, Settled: m.first.Settlement != nil, Function: out.Tx.Val.Type,
			Requester: out.Tx.Requester.String(), Error: out.Tx.Failure(), Result: out.Tx.Result(),
		}
		if e.Error != "" {
			e.State = failed
		}
		hub.Publish("subnet_tx", e)
	case out.Refused == nil && out.Kind == machine.KindPost:
		state, err := m.log.State()
		if err != nil {
			return
		}
		if p, ok, err := machine.MessageAt(state, out.Number); ok && err == nil {
			hub.Publish("chat_message", chatEvent{Untrusted: true, chatMessage: shown(p, true)})
		}
	default:
		e := entryEvent{Entry: out.Entry.String(), Kind: out.Kind.String(), Author: out.Author.String()}
		if out.Refused != nil {
			e.Error = out.Refused.Message
		}
		hub.Publish("subnet_entry", e)
	}
}
