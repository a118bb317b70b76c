package op

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Parameter is one parameter of an operation, read from its schema.
type Parameter struct {
	Name        string
	Description string
	Required    bool
	Types       []string // JSON types it admits; empty means any value
	Free        bool     // any JSON value will do
}

// Admits tells whether the parameter takes values of a JSON type. A parameter
// without types takes any.
func (p Parameter) Admits(jsonType string) bool {
	return len(p.Types) == 0 || slices.Contains(p.Types, jsonType)
}

// Parameters lists the parameters in the order of their declaration.
func (i Info) Parameters() []Parameter {
	var s struct {
		Properties json.RawMessage `json:"properties"`
		Required   []string        `json:"required"`
	}
	if json.Unmarshal(i.Input, &s) != nil {
		return nil
	}
	var parameters []Parameter
	dec := json.NewDecoder(bytes.NewReader(s.Properties))
	if _, err := dec.Token(); err != nil { // the opening brace
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return parameters
		}
		var raw json.RawMessage
		var member struct {
			Type        any    `json:"type"`
			Description string `json:"description"`
		}
		var keywords map[string]json.RawMessage
		if dec.Decode(&raw) != nil || json.Unmarshal(raw, &member) != nil || json.Unmarshal(raw, &keywords) != nil {
			return parameters
		}
		delete(keywords, "description")
		parameters = append(parameters, Parameter{
			Name: name.(string), Description: member.Description,
			Free: len(keywords) == 0, Required: slices.Contains(s.Required, name.(string)), Types: types(member.Type),
		})
	}
	return parameters
}

// types reads the keyword "type", which is a text or a list of texts.
func types(keyword any) []string {
	switch t := keyword.(type) {
	case string:
		return []string{t}
	case []any:
		var names []string
		for _, name := range t {
			if text, ok := name.(string); ok {
				names = append(names, text)
			}
		}
		return names
	}
	return nil
}
