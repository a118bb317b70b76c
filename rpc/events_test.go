package rpc_test

import (
	"encoding/json"
	"strings"
	"testing"

	"intercom/core/event"
	"intercom/core/op"
	"intercom/rpc"
)

type pushed struct {
	event.Event
	Untrusted bool `json:"untrusted"`
}

func nextEvent(t *testing.T, s *session) pushed {
	t.Helper()
	a := s.next(t)
	var e pushed
	if err := json.Unmarshal(a.Params, &e); err != nil || a.Method != "event" || a.ID != nil {
		t.Fatalf("no event: %+v: %v", a, err)
	}
	return e
}

func TestSubscribersAreToldWhatComesNext(t *testing.T) {
	r, hub := newRegistry(t)
	s := serve(t, r, rpc.Options{})
	hub.Publish("sidechannel_message", "before")
	s.send(t, call(1, "subscribe", `{}`))
	if a := s.next(t); a.Error != nil || !strings.Contains(string(a.Result), `"subscribed":true`) {
		t.Fatalf("subscribe: %s %+v", a.Result, a.Error)
	}
	hub.Publish("sidechannel_message", map[string]string{"message": "<hi>"})
	hub.Publish("peer_joined", nil)
	if e := nextEvent(t, s); e.Seq != 2 || e.Kind != "sidechannel_message" || !e.Untrusted || e.TS == 0 {
		t.Errorf("got %+v", e)
	}
	if e := nextEvent(t, s); e.Kind != "peer_joined" || e.Untrusted {
		t.Errorf("got %+v", e)
	}
	s.send(t, call(2, "subscribe", `{"kinds":["peer_left"]}`))
	s.next(t)
	hub.Publish("sidechannel_message", "not wanted")
	hub.Publish("peer_left", nil)
	if e := nextEvent(t, s); e.Kind != "peer_left" {
		t.Errorf("got %+v", e)
	}
	s.send(t, call(3, "unsubscribe", `{}`))
	s.next(t)
	hub.Publish("peer_left", nil)
	s.send(t, call(4, "ping", `{}`))
	if a := s.next(t); string(a.ID) != "4" {
		t.Errorf("after unsubscribe came %+v", a)
	}
}

func TestNobodyIsToldWithoutSubscribing(t *testing.T) {
	r, hub := newRegistry(t)
	s := serve(t, r, rpc.Options{})
	hub.Publish("peer_joined", nil)
	s.send(t, call(1, "ping", `{}`))
	if a := s.next(t); string(a.ID) != "1" {
		t.Errorf("got %+v", a)
	}
}

func TestSlowSubscriberGetsAGap(t *testing.T) {
	r, hub := newRegistry(t) // keeps 64 events
	s := serve(t, r, rpc.Options{})
	s.send(t, call(1, "subscribe", `{"kinds":["last"]}`))
	s.next(t)
	for i := range 100_000 { // our channel of answers and the pipe hold few
		hub.Publish("noise", i)
	}
	hub.Publish("last", nil)
	for gaps := 0; ; {
		switch e := nextEvent(t, s); e.Kind {
		case event.Gap:
			gaps++
		case "last":
			if gaps == 0 {
				t.Error("no gap was told")
			}
			return
		}
	}
}

// TestDiscoverAnswersOpenRPC checks what the OpenRPC meta-schema requires.
func TestDiscoverAnswersOpenRPC(t *testing.T) {
	r, _ := newRegistry(t, specification()...)
	s := serve(t, r, rpc.Options{Version: "1.2.3", Grant: op.Write})
	s.send(t, call(1, "rpc.discover", `{}`))
	var doc struct {
		OpenRPC string `json:"openrpc"`
		Info    struct{ Title, Version string }
		Methods []struct {
			Name, ParamStructure string
			Params               []struct {
				Name     string
				Required bool
				Schema   json.RawMessage
			}
			Result struct {
				Name   string
				Schema json.RawMessage
			}
			Errors   []map[string]string
			Examples []struct {
				Name   string
				Params []struct {
					Name  string
					Value json.RawMessage
				}
			}
		}
		Components struct {
			Errors map[string]struct {
				Code    *int
				Message string
			}
		}
	}
	if err := json.Unmarshal(s.next(t).Result, &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenRPC, "1.") || doc.Info.Title == "" || doc.Info.Version != "1.2.3" {
		t.Errorf("opens with %q, %+v", doc.OpenRPC, doc.Info)
	}
	names := map[string]bool{}
	for _, m := range doc.Methods {
		if names[m.Name] || m.Name == "" || m.Params == nil || m.Result.Name == "" || !json.Valid(m.Result.Schema) || m.ParamStructure != "by-name" {
			t.Errorf("method %+v", m)
		}
		names[m.Name] = true
		optional := false
		for _, p := range m.Params {
			if p.Name == "" || !json.Valid(p.Schema) || (p.Required && optional) {
				t.Errorf("%s: parameter %+v", m.Name, p)
			}
			optional = optional || !p.Required
		}
		for _, e := range m.Errors {
			kind, ok := strings.CutPrefix(e["$ref"], "#/components/errors/")
			if c := doc.Components.Errors[kind]; !ok || c.Code == nil || c.Message == "" {
				t.Errorf("%s: error %v leads nowhere", m.Name, e)
			}
		}
		for _, e := range m.Examples {
			for _, p := range e.Params {
				if e.Name == "" || p.Name == "" || !json.Valid(p.Value) {
					t.Errorf("%s: example %+v", m.Name, e)
				}
			}
		}
	}
	for _, info := range r.Ops() {
		if !names[info.Name] {
			t.Errorf("%s is not described", info.Name)
		}
	}
	for _, name := range []string{"subscribe", "unsubscribe", "$/cancelRequest"} {
		if !names[name] {
			t.Errorf("%s is not described", name)
		}
	}
}
