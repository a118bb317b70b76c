package op

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"intercom/core/fault"
)

// compile prepares the rules of one operation for validation.
func compile(name string, raw json.RawMessage) *jsonschema.Schema {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		panic(fmt.Sprintf("operation %q: %v", name, err))
	}
	c := jsonschema.NewCompiler()
	url := "op:" + name
	if err := c.AddResource(url, doc); err != nil {
		panic(fmt.Sprintf("operation %q: %v", name, err))
	}
	return c.MustCompile(url)
}

// check validates parameters and gives them with synonyms replaced by the
// names of the operation.
func (o *Op) check(params json.RawMessage) (json.RawMessage, error) {
	if len(bytes.TrimSpace(params)) == 0 {
		params = json.RawMessage("{}")
	}
	object, err := o.object(params)
	if err != nil {
		return nil, err
	}
	renamed, err := o.rename(object)
	if err != nil {
		return nil, err
	}
	doc, err := o.document(object)
	if err != nil {
		return nil, err
	}
	if err := o.rules().Validate(doc); err != nil {
		return nil, o.explain(err, doc)
	}
	if renamed {
		return encode(object)
	}
	return params, nil
}

// object takes the parameters apart, one level deep.
func (o *Op) object(params json.RawMessage) (map[string]json.RawMessage, error) {
	var object map[string]json.RawMessage
	err := json.Unmarshal(params, &object)
	switch {
	case err == nil && object != nil:
		return object, nil
	case json.Valid(params):
		var value any
		_ = json.Unmarshal(params, &value) // it is valid
		return nil, fault.New(fault.Invalid, "the parameters are %s, not an object", shown(value)).
			WithHint("send one JSON object, for example %s", o.info.Example)
	}
	return nil, fault.New(fault.Invalid, "the parameters are not JSON: %v", err).
		WithHint("send one JSON object, for example %s", o.info.Example)
}

// document is what the validator reads. A parameter that may be any JSON value
// has no rule to check, and may be long: it stays out.
func (o *Op) document(object map[string]json.RawMessage) (map[string]any, error) {
	doc := make(map[string]any, len(object))
	for name, raw := range object {
		if o.free[name] {
			doc[name] = nil
			continue
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		if err != nil {
			return nil, fault.New(fault.Invalid, "parameter %q is not JSON: %v", name, err)
		}
		doc[name] = value
	}
	return doc, nil
}

// rename replaces synonyms in place.
func (o *Op) rename(object map[string]json.RawMessage) (bool, error) {
	renamed := false
	for name, others := range o.info.Synonyms {
		for _, other := range others {
			value, given := object[other]
			if !given {
				continue
			}
			if _, twice := object[name]; twice {
				return false, fault.New(fault.Invalid, "%q and %q are the same parameter", name, other).
					WithHint("give only %q", name)
			}
			delete(object, other)
			object[name] = value
			renamed = true
		}
	}
	return renamed, nil
}

// explain turns the validator's tree into one sentence a problem and hints
// that say what to do.
func (o *Op) explain(err error, object map[string]any) error {
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return fault.New(fault.Invalid, "%v", err)
	}
	var said, hints []string
	walk(invalid, func(leaf *jsonschema.ValidationError) {
		message, hint := o.problem(leaf, object)
		if !slices.Contains(said, message) {
			said = append(said, message)
		}
		if hint != "" && !slices.Contains(hints, hint) {
			hints = append(hints, hint)
		}
	})
	return fault.New(fault.Invalid, "%s", strings.Join(said, "; ")).WithHint("%s", strings.Join(hints, "; "))
}

// walk visits the leaves. The branches of an anyOf are one problem: its value
// fits none of them.
func walk(e *jsonschema.ValidationError, visit func(*jsonschema.ValidationError)) {
	switch e.ErrorKind.(type) {
	case *kind.AnyOf, *kind.OneOf:
		visit(e)
		return
	}
	if len(e.Causes) == 0 {
		visit(e)
	}
	for _, cause := range e.Causes {
		walk(cause, visit)
	}
}

func (o *Op) problem(e *jsonschema.ValidationError, object map[string]any) (message, hint string) {
	path := strings.Join(e.InstanceLocation, ".")
	value := shown(at(object, e.InstanceLocation))
	hint = o.describe(e.InstanceLocation)
	switch k := e.ErrorKind.(type) {
	case *kind.Required:
		name := strings.Join(append(slices.Clone(e.InstanceLocation), k.Missing[0]), ".")
		return fmt.Sprintf("parameter %q is missing", name), o.describe(append(slices.Clone(e.InstanceLocation), k.Missing[0]))
	case *kind.AdditionalProperties:
		return fmt.Sprintf("unknown parameter %q", k.Properties[0]), o.names(e.InstanceLocation)
	case *kind.Type:
		return fmt.Sprintf("parameter %q: %s is not of type %s", path, value, strings.Join(k.Want, " or ")), hint
	case *kind.Enum:
		return fmt.Sprintf("parameter %q: %s is none of %s", path, value, shown(k.Want)), hint
	case *kind.Pattern:
		return fmt.Sprintf("parameter %q: %s does not have the form %s", path, value, k.Want), hint
	case *kind.MinLength:
		return fmt.Sprintf("parameter %q: %s is shorter than %d characters", path, value, k.Want), hint
	case *kind.MaxLength:
		return fmt.Sprintf("parameter %q: %s has %d characters, more than %d", path, value, k.Got, k.Want), hint
	case *kind.MinItems:
		return fmt.Sprintf("parameter %q has %d items, fewer than %d", path, k.Got, k.Want), hint
	case *kind.MaxItems:
		return fmt.Sprintf("parameter %q has %d items, more than %d", path, k.Got, k.Want), hint
	case *kind.Minimum:
		return fmt.Sprintf("parameter %q: %s is less than %s", path, value, k.Want.RatString()), hint
	case *kind.Maximum:
		return fmt.Sprintf("parameter %q: %s is more than %s", path, value, k.Want.RatString()), hint
	default:
		return fmt.Sprintf("parameter %q: %s does not fit", path, value), hint
	}
}

// at finds the value at a place in the parameters.
func at(value any, place []string) any {
	for _, step := range place {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// shown is a value as JSON, short enough for a message.
func shown(value any) string {
	raw, err := encode(value)
	if err != nil {
		return "it"
	}
	const most = 80
	text := []rune(string(raw))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// member finds the schema of a parameter, or nil.
func (o *Op) member(place []string) map[string]any {
	var s map[string]any
	if json.Unmarshal(o.info.Input, &s) != nil {
		return nil
	}
	for _, step := range place {
		if properties, ok := s["properties"].(map[string]any); ok {
			s, _ = properties[step].(map[string]any)
			continue
		}
		s, _ = s["items"].(map[string]any)
	}
	return s
}

// describe says what a parameter is, or what the parameter is that it lies in.
func (o *Op) describe(place []string) string {
	for n := len(place); n > 0; n-- {
		if description, _ := o.member(place[:n])["description"].(string); description != "" {
			return fmt.Sprintf("%s: %s", strings.Join(place[:n], "."), description)
		}
	}
	return fmt.Sprintf("call `help` with the name %q", o.info.Name)
}

// names lists the parameters that exist at a place.
func (o *Op) names(place []string) string {
	var names []string
	if len(place) == 0 {
		for _, p := range o.info.Parameters() {
			names = append(names, p.Name)
		}
	} else if properties, ok := o.member(place)["properties"].(map[string]any); ok {
		for name := range properties {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	if len(names) == 0 {
		return fmt.Sprintf("%s takes no parameters", o.info.Name)
	}
	return fmt.Sprintf("%s takes %s", strings.Join(append([]string{o.info.Name}, place...), "."), strings.Join(names, ", "))
}

// decode reads valid parameters into the input of an operation. The schema is
// closed, so no member is unknown here. What it let pass and a type refuses is
// the caller's mistake all the same.
func decode(params []byte, in any) error {
	err := json.Unmarshal(params, in)
	if err == nil {
		return nil
	}
	var known *fault.Error
	if errors.As(err, &known) {
		return known
	}
	return fault.New(fault.Invalid, "the parameters do not fit: %v", err).WithHint("call `help` with the name of the operation")
}
