package intersplit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// Channel is the channel whose ledger is meant. What a name may be is the
// channel's own rule: see [Channels].
type Channel string

// Schema is the rule of a channel name.
func (Channel) Schema() op.Schema {
	return op.Schema{"type": "string", "minLength": 1, "maxLength": 256}
}

// Amount is a decimal amount as its caller wrote it. A JSON number is taken by
// its literal digits, so that nothing passes through a float; whether they are
// an amount is decided where the currency is known.
type Amount string

// Schema is the rule of an amount.
func (Amount) Schema() op.Schema {
	return op.Schema{"type": []string{"string", "number"}, "maxLength": 64}
}

// UnmarshalJSON takes text or the digits of a number.
func (a *Amount) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, (*string)(a))
	}
	var digits json.Number
	if err := json.Unmarshal(raw, &digits); err != nil {
		return fault.New(fault.Invalid, "%s is not an amount", raw).WithHint(`give a decimal number such as "12.50"`)
	}
	*a = Amount(digits)
	return nil
}

// Line is a member with what belongs to it: its value in a split, or what it
// paid. Value is empty when only a name was given.
type Line struct {
	Member string
	Value  Amount
}

// Split says who shares an expense: text "ann,bob", text "ann:2,bob:1", or a list
// of names or of {member, value}.
type Split []Line

// Schema is the rule of a split.
func (Split) Schema() op.Schema {
	line := lineSchema("value", false)
	return op.Schema{
		"type":  []string{"string", "array"},
		"items": op.Schema{"anyOf": []op.Schema{{"type": "string"}, line}},
	}
}

// UnmarshalJSON reads any of the forms.
func (s *Split) UnmarshalJSON(raw []byte) (err error) {
	*s, err = readLines(raw, "value")
	return err
}

// Payers says who paid how much: text "ann:20,bob:10" or a list of
// {member, amount}.
type Payers []Line

// Schema is the rule of payers.
func (Payers) Schema() op.Schema {
	return op.Schema{"type": []string{"string", "array"}, "items": lineSchema("amount", true)}
}

// UnmarshalJSON reads any of the forms.
func (p *Payers) UnmarshalJSON(raw []byte) (err error) {
	*p, err = readLines(raw, "amount")
	return err
}

// lineSchema is a closed object of a member and what belongs to it.
func lineSchema(value string, needed bool) op.Schema {
	required := []string{"member"}
	if needed {
		required = append(required, value)
	}
	amount := Amount("").Schema()
	amount["description"] = "decimal text, or a number"
	return op.Schema{
		"type":                 "object",
		"properties":           op.Schema{"member": op.Schema{"type": "string", "description": "name of the member"}, value: amount},
		"required":             required,
		"additionalProperties": false,
	}
}

// maxLines bounds a list before it is looked at. It is wider than the ledger's
// limit, because repeats are removed.
const maxLines = 4 * ledger.MaxSplit

func readLines(raw []byte, value string) ([]Line, error) {
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, err
		}
		return cutLines(text)
	}
	var items []json.RawMessage
	if err := json.Unmarshal(raw, &items); err != nil {
		return nil, err
	}
	if len(items) > maxLines {
		return nil, tooManyLines(len(items))
	}
	lines := make([]Line, len(items))
	for i, item := range items {
		if err := lines[i].read(item, value); err != nil {
			return nil, err
		}
	}
	return lines, nil
}

// cutLines reads "ann,bob" and "ann:2,bob:1".
func cutLines(text string) ([]Line, error) {
	if n := strings.Count(text, ",") + 1; n > maxLines {
		return nil, tooManyLines(n)
	}
	var lines []Line
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue // a comma at the end, or two
		}
		name, value, given := strings.Cut(part, ":")
		if given && strings.TrimSpace(value) == "" {
			return nil, fault.New(fault.Invalid, "%q has no value behind the colon", strings.TrimSpace(part)).
				WithHint(`write "ann:2,bob:1", or names alone`)
		}
		lines = append(lines, Line{Member: name, Value: Amount(value)})
	}
	return lines, nil
}

// read takes a name, or an object of a name and what belongs to it.
func (l *Line) read(raw json.RawMessage, value string) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &l.Member)
	}
	var members map[string]json.RawMessage
	err := json.Unmarshal(raw, &members)
	if err == nil && members["member"] == nil {
		err = errors.New("nobody is named")
	}
	for name, text := range members {
		switch {
		case err != nil:
		case name == "member":
			err = json.Unmarshal(text, &l.Member)
		case name == value:
			err = json.Unmarshal(text, &l.Value)
		default:
			err = fmt.Errorf("unknown member %q", name)
		}
	}
	if err != nil {
		return fault.New(fault.Invalid, "%.100s is not a member with its %s", raw, value).
			WithHint(`write {"member": "ann", %q: "20"}`, value)
	}
	return nil
}

func tooManyLines(n int) error {
	return fault.New(fault.Limited, "a list of %d members is too long", n).WithHint("use at most %d", ledger.MaxSplit)
}
