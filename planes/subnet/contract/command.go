package contract

import (
	"encoding/json"
	"strings"

	"intercom/core/canon"
	"intercom/core/fault"
)

// A Dispatch is what a transaction calls: a function and its value, in canonical
// JSON.
type Dispatch struct {
	Type  string          `json:"type"`
	Value json.RawMessage `json:"value"`
}

// Commands has texts that people type understood as calls: read gives the function
// and what it takes, or an error that says what there is.
func (c *Contract) Commands(read func(text string) (name string, value any, err error)) {
	c.command = read
}

// Command reads the text of a transaction: by the contract's own rule, else as
// {"type": function, "value": …}, or as the bare name of a function without
// input. What no function takes is a [fault.Invalid]: it is found out before
// anything is paid.
func (c *Contract) Command(text string) (Dispatch, error) {
	d, err := c.read(strings.TrimSpace(text))
	if err != nil {
		return Dispatch{}, fault.New(fault.Invalid, "the command %.80q: %v", text, err).
			WithHint("the functions are %s", strings.Join(c.Functions(), ", "))
	}
	return d, c.Fits(d)
}

func (c *Contract) read(text string) (d Dispatch, err error) {
	var value any
	switch {
	case c.command != nil:
		d.Type, value, err = c.command(text)
	case strings.HasPrefix(text, "{"):
		var given struct {
			Type  string
			Value json.RawMessage
		}
		err = json.Unmarshal([]byte(text), &given)
		d.Type, value = given.Type, given.Value
	default:
		d.Type = text
	}
	if err == nil {
		d.Value, err = encode(value)
	}
	return d, err
}

// Fits tells what is wrong with a dispatch: nil, or a [fault.Invalid].
func (c *Contract) Fits(d Dispatch) error {
	f := c.functions[d.Type]
	if f == nil {
		return fault.New(fault.Invalid, "the contract has no function %.64q", d.Type).
			WithHint("the functions are %s", strings.Join(c.Functions(), ", "))
	}
	if text, err := canon.JSON(d.Value); err != nil || string(text) != string(d.Value) {
		return fault.New(fault.Invalid, "the value of %s is not canonical JSON", d.Type).WithHint("encode it again")
	}
	if err := f.in.check(d.Value); err != nil {
		return fault.New(fault.Invalid, "the value of %s: %v", d.Type, err).WithHint("%s takes %s", d.Type, f.in.text())
	}
	return nil
}
