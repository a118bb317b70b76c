package agent

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"intercom/core/fault"
)

// admission is what send, join and open may carry to be let in: an invite and
// a welcome, as objects.
type admission struct {
	invite, welcome json.RawMessage // nil when not given
}

// admission reads what the request carries for an operation. Upstream accepts
// an object, JSON text or base64 of it. What the operation cannot use is
// refused: ignoring it would pretend a protection that is not there.
func (s *session) admission(operation string, r request) (a admission, refused any) {
	for _, part := range []struct {
		name string
		into *json.RawMessage
	}{{"invite", &a.invite}, {"welcome", &a.welcome}} {
		value := r.get(part.name)
		if !truthy(value) {
			continue
		}
		if *part.into = object(value); *part.into == nil {
			return a, failure{
				Type: "error", Error: "Invalid " + part.name + " (expected JSON or base64).", Kind: fault.Invalid,
				Hint: "pass the object itself, its JSON as text, or base64 of that",
			}
		}
	}
	if a.welcome != nil && !s.bridge.admits(operation, "welcome") {
		a.embedWelcome()
	}
	if a.invite != nil && !s.bridge.admits(operation, "invite") {
		return a, unusable("Invites")
	}
	if a.welcome != nil && !s.bridge.admits(operation, "welcome") {
		return a, unusable("Welcomes")
	}
	return a, nil
}

// embedWelcome moves the welcome into the invite, where it has a place of its
// own (upstream 6.5), unless the invite brings one.
func (a *admission) embedWelcome() {
	if a.invite == nil {
		return
	}
	list := members(a.invite)
	if !truthy(find(list, "welcome")) {
		var out []byte
		for _, m := range list {
			if m.name != "welcome" {
				out = append(append(append(append(out, m.key...), ':'), m.value...), ',')
			}
		}
		a.invite = append(append(append([]byte(`{`), out...), `"welcome":`...), append(a.welcome, '}')...)
	}
	a.welcome = nil
}

func unusable(what string) failure {
	return failure{
		Type: "error", Error: what + " are not supported by this peer.", Kind: fault.Unavailable,
		Hint: "its channels are open: leave the invite and the welcome out, and say nothing there that is not for everybody",
	}
}

// object gives the object that a value is, or holds as JSON text or base64;
// nil when it is none.
func object(value json.RawMessage) json.RawMessage {
	if value[0] == '{' {
		return value
	}
	if value[0] != '"' {
		return nil
	}
	inside := trim(unquote(value))
	if !strings.HasPrefix(inside, "{") {
		inside = string(fromBase64(inside))
	}
	inside = trim(inside)
	if !strings.HasPrefix(inside, "{") || !json.Valid([]byte(inside)) {
		return nil
	}
	return json.RawMessage(inside)
}

// fromBase64 decodes either alphabet, padded or not.
func fromBase64(s string) []byte {
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	decoded, err := base64.RawStdEncoding.DecodeString(s)
	if err != nil {
		return nil
	}
	return decoded
}
