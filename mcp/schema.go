package mcp

import (
	"bytes"
	"encoding/json"
)

// The members of a fault, in the order of [fault.Error].
var faultMembers = []struct{ name, schema string }{
	{"kind", `{"type":"string","description":"of an error: what went wrong, one word of a closed list"}`},
	{"message", `{"type":"string","description":"of an error: the wrong value, in words"}`},
	{"hint", `{"type":"string","description":"of an error: what to do next"}`},
}

// withFaults widens an output schema so that a fault is valid structured
// content too. Some clients hold the structured content of errors to the output
// schema and would throw ours away. A schema that leaves no room, because it
// means something else by a member, is given back as it is, and false.
func withFaults(output json.RawMessage) (json.RawMessage, bool) {
	var schema struct {
		Properties map[string]struct {
			Type any             `json:"type"`
			Enum json.RawMessage `json:"enum"`
		} `json:"properties"`
		AnyOf json.RawMessage `json:"anyOf"`
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(output, &schema) != nil || json.Unmarshal(output, &members) != nil || schema.AnyOf != nil {
		return output, false
	}
	properties := bytes.TrimSpace(members["properties"])
	if len(properties) == 0 {
		properties = []byte("{}")
	}
	inside := bytes.TrimSpace(properties[1 : len(properties)-1]) // keeps the order of the declaration
	for _, member := range faultMembers {
		if p, taken := schema.Properties[member.name]; taken {
			if p.Type != "string" || p.Enum != nil {
				return output, false
			}
			continue
		}
		if len(inside) > 0 {
			inside = append(bytes.Clone(inside), ',')
		}
		inside = append(inside, `"`+member.name+`":`+member.schema...)
	}
	members["properties"] = append(append([]byte("{"), inside...), '}')
	if required := members["required"]; required != nil {
		members["anyOf"] = json.RawMessage(`[{"required":` + string(required) + `},{"required":["kind","message","hint"]}]`)
		delete(members, "required")
	}
	widened, err := json.Marshal(members)
	if err != nil {
		return output, false
	}
	return widened, true
}
