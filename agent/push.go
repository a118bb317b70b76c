package agent

import (
	"encoding/json"
	"time"

	"intercom/core/event"
)

// messageKind is the event that every client gets, as a frame of upstream's.
const messageKind = "sidechannel_message"

// batchSize bounds how many events a client that stopped reading keeps alive.
const batchSize = 32

// push tells the client what happens, from the cursor on. A client that reads
// slowly falls behind in the hub's ring and is told of the gap there; nothing
// is queued for it.
func (s *session) push(cursor event.Cursor) {
	for s.ctx.Err() == nil {
		batch, err := s.bridge.caller.Events(s.ctx, cursor, batchSize)
		if err != nil {
			s.bridge.log.Debug("sc-bridge: no events", "err", err)
			s.pause(time.Second)
			continue
		}
		cursor = batch.Next
		for _, e := range batch.Events {
			if frame := s.frame(e); frame != nil && s.write(frame) != nil {
				return
			}
		}
	}
}

// frame is an event as this client gets it, or nil when it does not want it.
func (s *session) frame(e event.Event) []byte {
	switch {
	case e.Kind == messageKind:
		if len(e.Data) < 2 || e.Data[0] != '{' || !s.interest.wantsMessage(e.Data) {
			return nil
		}
		return splice(messageKind, e.Data)
	case e.Kind == event.Gap:
		return splice(event.Gap, e.Data)
	case s.interest.wantsEvents():
		return splice("event", encode(e))
	default:
		return nil
	}
}

// splice puts the type before the members of an object that has some, without
// encoding it again.
func splice(kind string, object json.RawMessage) []byte {
	const head, tail = `{"type":"`, `",`
	out := make([]byte, 0, len(head)+len(kind)+len(tail)+len(object))
	out = append(out, head...)
	out = append(out, kind...)
	out = append(out, tail...)
	return append(out, object[1:]...)
}
