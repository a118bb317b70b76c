package agent

import (
	"context"
	"encoding/json"
	"strings"

	"intercom/core/fault"
	"intercom/core/op"
)

// runCLI runs a terminal line. Its output is what the operation returned to
// this call; nothing is taken from a console that others write to as well.
func (s *session) runCLI(ctx context.Context, r request) any {
	if !s.bridge.cli {
		return failure{
			Type: "error", Error: "CLI over WS is disabled.", Kind: fault.Denied,
			Hint: "call operations by their names, or start the peer with --sc-bridge-cli 1",
		}
	}
	command := ""
	if value := r.get("command"); len(value) > 0 && value[0] == '"' {
		command = trim(unquote(value))
	}
	if command == "" {
		return failure{
			Type: "error", Error: "Missing command.", Kind: fault.Invalid, Hint: `give one: "command":"/help"`,
		}
	}
	name, reply, err := op.RunLine(ctx, s.bridge.caller, s.bridge.grant, s.client, command)
	if err != nil {
		return cliFailure(command, fault.Of(err))
	}
	s.follow(name, reply.Value)
	return cliFrame{
		Type: "cli_result", Command: command, OK: true,
		Output: lines(reply.Text), Result: something(reply.Value),
	}
}

func cliFailure(command string, f *fault.Error) cliFrame {
	return cliFrame{
		Type: "cli_result", Command: command, Output: []string{},
		Error: &f.Message, Result: json.RawMessage("null"), Kind: f.Kind, Hint: f.Hint,
	}
}

func lines(text string) []string {
	if text == "" {
		return []string{}
	}
	return strings.Split(text, "\n")
}

// something is a result that says something; nil otherwise.
func something(value json.RawMessage) json.RawMessage {
	switch string(value) {
	case "{}", "null":
		return nil
	default:
		return value
	}
}
