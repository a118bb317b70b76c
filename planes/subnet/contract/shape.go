package contract

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// A shape is what a value must look like, derived from a Go type. It is our own
// small list of rules because every peer must come to the same answer, also after
// a library was updated.
type shape struct {
	kind     string // object, array, string, integer, boolean, any
	about    string
	null     bool // null will do
	optional bool // as a member: may be missing
	min, max int64
	choices  []string
	parses   reflect.Type // a text that this type's UnmarshalText must take
	members  []member     // of an object, in the order of the fields
	item     *shape       // of an array
}

type member struct {
	name string
	*shape
}

// What is not bounded by a rule is bounded by these.
const (
	maxSafe  = 1<<53 - 1 // what JSON holds exactly
	maxText  = 16 << 10
	maxItems = 1000
)

func shapeOf[T any](owner string) *shape { return derive(owner, reflect.TypeFor[T]()) }

var (
	rawType  = reflect.TypeFor[json.RawMessage]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func derive(owner string, t reflect.Type) *shape {
	switch {
	case t == rawType:
		return &shape{kind: "any", null: true}
	case reflect.PointerTo(t).Implements(textType):
		return &shape{kind: "string", max: maxText, parses: t}
	}
	switch t.Kind() {
	case reflect.Pointer:
		s := derive(owner, t.Elem())
		s.null = true
		return s
	case reflect.Bool:
		return &shape{kind: "boolean"}
	case reflect.String:
		return &shape{kind: "string", max: maxText}
	case reflect.Int, reflect.Int64:
		return &shape{kind: "integer", min: -maxSafe, max: maxSafe}
	case reflect.Uint, reflect.Uint64:
		return &shape{kind: "integer", max: maxSafe}
	case reflect.Slice:
		return &shape{kind: "array", max: maxItems, item: derive(owner, t.Elem())}
	case reflect.Struct:
		return object(owner, t)
	}
	panic(fmt.Sprintf("contract: %s: a %v has no schema: take text, integers, booleans, lists, structs, Integer, Decimal or json.RawMessage", owner, t))
}

func object(owner string, t reflect.Type) *shape {
	s := &shape{kind: "object", null: t.NumField() == 0}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || f.Anonymous || name == "" || name == "-" || options != "" && options != "omitempty" {
			panic(fmt.Sprintf("contract: %s: field %s needs a json tag with its name", owner, f.Name))
		}
		m := derive(owner+"."+name, f.Type)
		m.about, m.optional = f.Tag.Get("about"), options == "omitempty"
		m.rules(owner+"."+name, f.Tag.Get("rule"))
		s.members = append(s.members, member{name, m})
	}
	return s
}

// rules reads the rule tag of a field.
func (s *shape) rules(owner, tag string) {
	for _, rule := range strings.Fields(tag) {
		name, value, _ := strings.Cut(rule, "=")
		n, err := strconv.ParseInt(value, 10, 64)
		switch {
		case name == "min" && err == nil && s.bounded():
			s.min = n
		case name == "max" && err == nil && s.bounded():
			s.max = n
		case name == "one" && s.kind == "string":
			s.choices = strings.Split(value, "|")
		default:
			panic(fmt.Sprintf("contract: %s: %q is no rule for a %s", owner, rule, s.kind))
		}
	}
}

func (s *shape) bounded() bool { return s.kind == "integer" || s.kind == "string" || s.kind == "array" }

// schema is the shape as JSON Schema.
func (s *shape) schema() map[string]any {
	out := map[string]any{}
	if s.about != "" {
		out["description"] = s.about
	}
	if s.kind == "any" {
		return out
	}
	out["type"] = s.kind
	if s.null {
		out["type"] = []string{s.kind, "null"}
	}
	switch s.kind {
	case "integer":
		out["minimum"], out["maximum"] = s.min, s.max
	case "string":
		out["minLength"], out["maxLength"] = s.min, s.max
		if s.choices != nil {
			out["enum"] = s.choices
		}
	case "array":
		out["minItems"], out["maxItems"], out["items"] = s.min, s.max, s.item.schema()
	case "object":
		properties, required := map[string]any{}, []string{}
		for _, m := range s.members {
			properties[m.name] = m.schema()
			if !m.optional {
				required = append(required, m.name)
			}
		}
		out["properties"], out["required"], out["additionalProperties"] = properties, required, false
	}
	return out
}

// text is the schema for people.
func (s *shape) text() string {
	text, _ := encode(s.schema()) // it is JSON: it was made here
	return string(text)
}
