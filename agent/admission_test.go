package agent_test

import (
	"context"
	"encoding/json"
	"testing"

	"intercom/agent"
	"intercom/core/event"
	"intercom/core/op"
	"intercom/core/op/optest"
)

type admissionIn struct {
	Channel string          `json:"channel" jsonschema:"a channel"`
	Message json.RawMessage `json:"message,omitempty" jsonschema:"a message"`
	Via     string          `json:"via,omitempty" jsonschema:"where to ask"`
	Invite  json.RawMessage `json:"invite,omitempty" jsonschema:"an invite"`
}

type welcomeIn struct {
	admissionIn
	Welcome json.RawMessage `json:"welcome,omitempty" jsonschema:"a welcome"`
}

// TestInvitesArriveAtOperationsThatTakeThem has a peer whose sc_join takes
// invite and welcome and whose sc_send and sc_open take an invite, in which a
// welcome has its place.
func TestInvitesArriveAtOperationsThatTakeThem(t *testing.T) {
	got := make(chan string, 1)
	keep := func(_ context.Context, in admissionIn) (none, error) {
		got <- in.Via + string(in.Invite)
		return none{}, nil
	}
	reg := op.NewRegistry(event.NewHub("x", event.Limits{}), quiet())
	t.Cleanup(reg.Close)
	reg.Add(
		op.New(op.Spec[welcomeIn, none]{
			Name: "sc_join", Owner: "x", Summary: "x", Access: op.Write, Example: `{"channel":"x"}`,
			Run: func(_ context.Context, in welcomeIn) (none, error) {
				got <- string(in.Invite) + "|" + string(in.Welcome)
				return none{}, nil
			},
		}),
		op.New(op.Spec[admissionIn, none]{Name: "sc_send", Owner: "x", Summary: "x", Access: op.Write, Example: `{"channel":"x"}`, Run: keep}),
		op.New(op.Spec[admissionIn, none]{Name: "sc_open", Owner: "x", Summary: "x", Access: op.Write, Example: `{"channel":"x"}`, Run: keep}),
	)
	c := login(t, serve(t, reg, agent.Config{}))
	for _, step := range []struct{ request, reply, arrived string }{
		{`"type":"join","invite":{"sig":"00"},"welcome":"{\"w\":1}"`, "joined", `{"sig":"00"}|{"w":1}`},
		{`"type":"join","welcome":"eyJ3IjoxfQ=="`, "joined", `|{"w":1}`},
		{`"type":"join","invite":"","welcome":0`, "joined", `|`},
		{`"type":"send","message":1,"invite":"eyJzaWciOiIwMCJ9"`, "sent", `{"sig":"00"}`},
		{`"type":"send","message":1,"invite":{"sig":"00"},"welcome":{"w":1}`, "sent", `{"sig":"00","welcome":{"w":1}}`},
		{`"type":"open","via":"hall","invite":{"sig":"00"}`, "open_requested", `hall{"sig":"00"}`},
	} {
		frame := c.ask(`{"channel":"trip",` + step.request + `}`)
		if frame["type"] != step.reply {
			t.Errorf("%s: %v", step.request, frame)
			continue
		}
		if arrived := <-got; arrived != step.arrived {
			t.Errorf("%s arrived as %s", step.request, arrived)
		}
	}
	if frame := c.ask(`{"type":"open","channel":"trip"}`); frame["via"] != nil || <-got != "" {
		t.Errorf("got %v", frame)
	}
	if frame := c.ask(`{"type":"send","channel":"trip","message":1,"welcome":{"w":1}}`); frame["kind"] != "unavailable" {
		t.Errorf("a welcome that sc_send cannot use: %v", frame)
	}
}

func TestPeerWithoutSidechannelSaysSo(t *testing.T) {
	c := login(t, serve(t, optest.NewPeer(t), agent.Config{}))
	for request, want := range map[string]string{
		`{"type":"send","channel":"trip","message":1}`: "Sidechannel not ready.",
		`{"type":"join","channel":"trip"}`:             "Sidechannel not ready.",
		`{"type":"leave","channel":"trip"}`:            "Sidechannel not ready.",
		`{"type":"stats"}`:                             "Sidechannel not ready.",
		`{"type":"info"}`:                              "Info not available.",
	} {
		if frame := c.ask(request); frame["error"] != want {
			t.Errorf("%s: %v", request, frame)
		}
	}
}

func TestVerbsNameTheirOperations(t *testing.T) {
	want := map[string]string{
		"auth": "", "cli": "", "clear_filter": "", "info": "info", "join": "sc_join", "leave": "sc_leave", "open": "sc_open", "ping": "",
		"send": "sc_send", "set_filter": "", "stats": "sc_stats", "subscribe": "", "unsubscribe": "",
	}
	for _, verb := range agent.Verbs() {
		if operation, known := want[verb.Name]; !known || operation != verb.Operation {
			t.Errorf("%s stands for %q", verb.Name, verb.Operation)
		}
		delete(want, verb.Name)
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
}
