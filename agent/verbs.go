package agent

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"intercom/core/fault"
)

// verb is one of upstream's request types.
type verb struct {
	operation string // the operation it stands for; "" for the bridge's own
	run       func(s *session, ctx context.Context, r request) any
}

// verbs is the one alias table: upstream's names, the operations they stand
// for, and how request and reply are put into upstream's words.
var verbs = map[string]verb{
	"auth":         {"", (*session).auth},
	"ping":         {"", (*session).pong},
	"set_filter":   {"", (*session).setFilter},
	"clear_filter": {"", (*session).clearFilter},
	"subscribe":    {"", (*session).subscribe},
	"unsubscribe":  {"", (*session).unsubscribe},
	"cli":          {"", (*session).runCLI},
	"send":         {"sc_send", (*session).send},
	"join":         {"sc_join", (*session).join},
	"leave":        {"sc_leave", (*session).leave},
	"open":         {"sc_open", (*session).open},
	"stats":        {"sc_stats", (*session).stats},
	"info":         {"info", (*session).info},
}

// Verb is one of upstream's request types, for documents.
type Verb struct {
	Name      string
	Operation string // "" when the bridge itself answers
}

// Verbs lists upstream's request types by name.
func Verbs() []Verb {
	var list []Verb
	for _, name := range slices.Sorted(maps.Keys(verbs)) {
		list = append(list, Verb{Name: name, Operation: verbs[name].operation})
	}
	return list
}

// dispatch answers a request of an authenticated client.
func (s *session) dispatch(ctx context.Context, r request) any {
	name, ok := r.verb()
	if !ok {
		return unknownType(asText(r.get("type")), "")
	}
	if v, known := verbs[name]; known {
		return v.run(s, ctx, r)
	}
	return s.operate(ctx, name, r)
}

// unknownType is upstream's answer to a type that is neither verb nor
// operation.
func unknownType(name, hint string) failure {
	if hint == "" {
		hint = `send {"type":"ops"} for the operations`
	}
	return failure{Type: "error", Error: "Unknown type: " + name, Kind: fault.Unknown, Hint: hint}
}

// auth once more: what was reached stays valid.
func (s *session) auth(_ context.Context, r request) any {
	reply, right := s.bridge.guard.answer(r)
	if !right {
		s.pause(s.bridge.guard.pace.delay(time.Now()))
	}
	return reply
}

func (s *session) pong(context.Context, request) any {
	return pongFrame{Type: "pong", TS: time.Now().UnixMilli()}
}

func (s *session) setFilter(_ context.Context, r request) any {
	value := r.get("filter")
	if !truthy(value) {
		value = json.RawMessage(`""`)
	}
	expression := asText(value)
	if len(expression) > maxFilter {
		return fail(fault.New(fault.Limited, "the filter has %d bytes, more than %d", len(expression), maxFilter).
			WithHint("use fewer words, or subscribe to the channels you need"))
	}
	s.interest.setFilter(parseFilter(expression))
	return filterFrame{Type: "filter_set", Filter: value}
}

func (s *session) clearFilter(context.Context, request) any {
	s.interest.setFilter(nil)
	return filterFrame{Type: "filter_set", Filter: json.RawMessage(`""`)}
}

func (s *session) subscribe(_ context.Context, r request) any {
	channels, f := s.interest.subscribe(r.channels())
	if f != nil {
		return fail(f)
	}
	return subscribedFrame{Type: "subscribed", Channels: channels, Events: s.switchEvents(r, true)}
}

func (s *session) unsubscribe(_ context.Context, r request) any {
	channels := s.interest.unsubscribe(r.channels())
	return subscribedFrame{Type: "subscribed", Channels: channels, Events: s.switchEvents(r, false)}
}

// switchEvents turns other events on or off when the request names them, and
// gives what is in force then; nil when it does not name them.
func (s *session) switchEvents(r request, subscribe bool) *bool {
	value := r.get("events")
	if value == nil {
		return nil
	}
	on := subscribe && truthy(value)
	s.interest.setEvents(on)
	return &on
}
