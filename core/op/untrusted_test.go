package op_test

import (
	"encoding/json"
	"strings"
	"testing"

	"intercom/core/op"
	"intercom/core/op/optest"
)

func TestWordsOfOtherPeersAreMarked(t *testing.T) {
	p := optest.NewPeer(t)
	for name, want := range map[string]bool{"toy_size": true, "toy_echo": false} {
		params := json.RawMessage(`{"bytes":3}`)
		if name == "toy_echo" {
			params = json.RawMessage(`{"text":"a"}`)
		}
		reply, err := p.Call(t.Context(), op.Request{Name: name, Params: params, Grant: op.Read})
		if err != nil || strings.HasPrefix(string(reply.Value), `{"untrusted":true,`) != want {
			t.Errorf("%s gave %s, %v", name, reply.Value, err)
		}
		for _, info := range p.Ops() {
			if info.Name == name && strings.Contains(string(info.Output), `"untrusted"`) != want {
				t.Errorf("%s promises %s", name, info.Output)
			}
		}
	}
}
