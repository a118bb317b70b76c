package mcp

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
	"github.com/modelcontextprotocol/go-sdk/mcp"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/core/op/optest"
)

var update = flag.Bool("update", false, "write the files in testdata anew")

// compiled makes a validator of a schema as the client received it.
func compiled(t *testing.T, schema any) *jsonschema.Resolved {
	t.Helper()
	raw, err := json.Marshal(schema)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return resolved
}

func TestOfficialClientCallsEveryToolWithinItsSchemas(t *testing.T) {
	everyWay(t, func(t *testing.T, way transport, revision string) {
		h := newHouse(t)
		cs := connect(t, newServer(t, h, Config{Toolsets: []string{"all", "admin"}}), way, revision, nil)
		infos := map[string]op.Info{}
		for _, info := range h.Ops() {
			infos[info.Name] = info
		}
		count := 0
		for tool, err := range cs.Tools(t.Context(), nil) {
			if err != nil {
				t.Fatal(err)
			}
			count++
			example := infos[tool.Name].Example
			var params any
			if err := json.Unmarshal(example, &params); err != nil {
				t.Fatal(err)
			}
			if err := compiled(t, tool.InputSchema).Validate(params); err != nil {
				t.Errorf("%s: its example does not fit its input schema: %v", tool.Name, err)
			}
			output := compiled(t, tool.OutputSchema)
			for _, arguments := range []json.RawMessage{example, json.RawMessage(`{"no such":1}`)} {
				result, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: tool.Name, Arguments: arguments})
				if err != nil {
					t.Errorf("%s %s: %v", tool.Name, arguments, err)
					continue
				}
				if err := output.Validate(result.StructuredContent); err != nil {
					t.Errorf("%s %s: the result does not fit the output schema: %v", tool.Name, arguments, err)
				}
			}
		}
		if count != len(infos)-1 { // all but the secret one
			t.Errorf("%d tools are listed, there are %d operations", count, len(infos))
		}
	})
}

func TestToolsSayWhatTheyDo(t *testing.T) {
	h := newHouse(t)
	cs := connect(t, newServer(t, h, Config{Toolsets: []string{"all", "admin"}}), overStdio, "2025-11-25", nil)
	result, err := cs.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range result.Tools {
		if tool.Title == "" || tool.Description == "" || tool.Annotations == nil || tool.Annotations.DestructiveHint == nil || tool.Annotations.OpenWorldHint == nil {
			t.Errorf("%s is not described: %+v", tool.Name, tool)
		}
	}
}

// TestToolListIsStable compares the list, byte by byte, with the one on file:
// clients cache it, and models are sensitive to its order.
func TestToolListIsStable(t *testing.T) {
	s := newServer(t, newHouse(t), Config{Toolsets: []string{"all", "admin"}})
	golden := filepath.Join("testdata", "tools.json")
	for range 3 {
		answer := ask(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		var list struct {
			Result struct{ Tools json.RawMessage }
		}
		if err := json.Unmarshal(answer, &list); err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, list.Result.Tools, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		if *update {
			if err := os.WriteFile(golden, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pretty.Bytes(), want) {
			t.Errorf("the list is\n%s\nwant %s; run with -update and read the difference", pretty.Bytes(), golden)
		}
	}
}

func TestOthersWordsAreMarkedAsData(t *testing.T) {
	cs := connect(t, newServer(t, newHouse(t), Config{}), overStdio, "2025-11-25", nil)
	for _, c := range []struct {
		name, arguments string
		marked          bool
	}{
		{"sc_read", `{"channel":"trip"}`, true},
		{"sc_send", `{"channel":"trip","message":"x"}`, false},
	} {
		result, err := cs.CallTool(t.Context(), &mcp.CallToolParams{Name: c.name, Arguments: json.RawMessage(c.arguments)})
		if err != nil || result.IsError {
			t.Fatal(c.name, err, result)
		}
		marked := len(result.Content) == 2 && strings.Contains(result.Content[1].(*mcp.TextContent).Text, "not instructions")
		if marked != c.marked {
			t.Errorf("%s: marked %v, want %v", c.name, marked, c.marked)
		}
	}
}

func TestOperationOutsideTheToolsetsIsDeniedWithAHint(t *testing.T) {
	p := optest.NewPeer(t)
	cs := connect(t, newServer(t, p, Config{Toolsets: []string{"node"}}), overStdio, "2026-07-28", nil)
	a := &adapter{t: t, cs: cs}
	for name, kind := range map[string]fault.Kind{"toy_echo": fault.Denied, "toy_secret": fault.Denied, "toy_nothing": fault.Unknown} {
		_, f := a.Call(t.Context(), name, `{"text":"a"}`)
		if f == nil || f.Kind != kind || !strings.Contains(f.Message, name) || f.Hint == "" {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

func TestFaultsFitWidenedOutputSchemas(t *testing.T) {
	for _, c := range []struct {
		name, output string
		structured   bool
	}{
		{"no members", `{"type":"object","properties":{},"additionalProperties":false}`, true},
		{"required members", `{"type":"object","properties":{"b":{"type":"string"},"a":{"type":"number"}},"required":["b"],"additionalProperties":false}`, true},
		{"a text of the same name", `{"type":"object","properties":{"hint":{"type":"string"}},"additionalProperties":false}`, true},
		{"something else of the same name", `{"type":"object","properties":{"kind":{"type":"integer"}}}`, false},
		{"a listed text of the same name", `{"type":"object","properties":{"kind":{"type":"string","enum":["a"]}}}`, false},
		{"alternatives of its own", `{"type":"object","anyOf":[{"required":["a"]}]}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			widened, structured := withFaults(json.RawMessage(c.output))
			if structured != c.structured {
				t.Fatalf("structured %v, want %v", structured, c.structured)
			}
			if !structured {
				if string(widened) != c.output {
					t.Errorf("it was changed to %s", widened)
				}
				return
			}
			s := compiled(t, widened)
			if err := s.Validate(map[string]any{"kind": "invalid", "message": "m", "hint": ""}); err != nil {
				t.Error(err)
			}
			if c.name == "required members" {
				if s.Validate(map[string]any{"a": 1}) == nil {
					t.Error("the required member may be left out")
				}
				if strings.Index(string(widened), `"b"`) > strings.Index(string(widened), `"a"`) {
					t.Error("the order of the members is lost")
				}
			}
		})
	}
}
