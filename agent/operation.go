package agent

import (
	"context"
	"encoding/json"
	"slices"

	"intercom/core/fault"
	"intercom/core/op"
)

// call runs an operation for this client, with what the bridge grants.
func (s *session) call(ctx context.Context, name string, params json.RawMessage) (json.RawMessage, *fault.Error) {
	reply, err := s.bridge.caller.Call(ctx, op.Request{Name: name, Params: params, Grant: s.bridge.grant, Client: s.client})
	return reply.Value, fault.Of(err)
}

// operate answers a request that names an operation by its own name.
func (s *session) operate(ctx context.Context, name string, r request) any {
	params, both := r.params()
	if both {
		return fail(fault.New(fault.Invalid, `there are parameters beside "type" and in "params"`).
			WithHint(`put all of them into "params"`))
	}
	if f := s.mislaidID(name, r); f != nil {
		return fail(f)
	}
	value, f := s.call(ctx, name, params)
	switch {
	case f == nil:
		s.follow(name, value)
		return resultFrame{Type: name, Result: value}
	case f.Kind == fault.Unknown && !s.bridge.has(name):
		return unknownType(name, f.Hint)
	default:
		return fail(f)
	}
}

// mislaidID catches a parameter called id that stands beside "type", where it
// would be taken for the id of the request and ignored. Undoing the last entry
// instead of the one that was named would be worse than refusing.
func (s *session) mislaidID(name string, r request) *fault.Error {
	id := r.get("id")
	if id == nil || r.id != nil || r.get("params") != nil || !s.bridge.admits(name, "id") {
		return nil
	}
	return fault.New(fault.Invalid, "id %s is no integer, so it cannot be the id of this request", shorten(string(id))).
		WithHint(`a parameter called id goes into "params": {"type":%q,"params":{"id":…}}`, name)
}

func shorten(s string) string {
	const most = 80
	if runes := []rune(s); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return s
}

// follow keeps what this client hears in step with the channels it enters and
// leaves by operations.
func (s *session) follow(name string, result json.RawMessage) {
	if len(result) < 2 || result[0] != '{' {
		return
	}
	list := members(result)
	channel := find(list, "channel")
	if len(channel) == 0 || channel[0] != '"' {
		return
	}
	switch joined := string(find(list, "joined")); {
	case name == "sc_leave":
		s.leaves(unquote(channel))
	case name == "sc_join", name == "sc_send", joined == "true":
		s.interest.enter(unquote(channel))
	}
}

// has tells whether the peer has an operation.
func (b *Bridge) has(name string) bool {
	_, ok := b.info(name)
	return ok
}

// admits tells whether an operation takes a parameter.
func (b *Bridge) admits(name, parameter string) bool {
	info, ok := b.info(name)
	return ok && slices.ContainsFunc(info.Parameters(), func(p op.Parameter) bool { return p.Name == parameter })
}

func (b *Bridge) info(name string) (op.Info, bool) {
	infos := b.caller.Ops()
	i := slices.IndexFunc(infos, func(info op.Info) bool { return info.Name == name })
	if i < 0 {
		return op.Info{}, false
	}
	return infos[i], true
}
