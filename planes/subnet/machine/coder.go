package machine

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"unicode/utf8"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/identity"
)

// tagBody opens every body. The whole is canon.Preimage(tagBody, kind, fields…).
const tagBody = "intercom/subnet/body/v1"

// A coder writes the fields of a body, or reads them, by the same list: a body
// names each of its fields once, with its rule. The first that is wrong is kept,
// and nothing is read after it.
type coder struct {
	reading bool
	fields  [][]byte // written
	rest    []byte   // to be read
	err     error
}

func (c *coder) wrong(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
		c.rest = nil
	}
}

// field gives the next field when reading and takes it when writing.
func (c *coder) field(value []byte) []byte {
	switch {
	case c.err != nil:
		return nil
	case !c.reading:
		c.fields = append(c.fields, value)
		return value
	case len(c.rest) < 4 || uint64(binary.BigEndian.Uint32(c.rest)) > uint64(len(c.rest)-4):
		c.wrong("it ends within a field")
		return nil
	}
	size := int(binary.BigEndian.Uint32(c.rest))
	value = c.rest[4 : 4+size]
	c.rest = c.rest[4+size:]
	return value
}

// fixed is a field of the size of what it is read into.
func (c *coder) fixed(name string, into []byte) {
	value := c.field(into)
	switch {
	case c.err != nil:
	case len(value) != len(into):
		c.wrong("%s has %d bytes, not %d", name, len(value), len(into))
	case c.reading:
		copy(into, value)
	}
}

// key is a public key; zero is none, and refused.
func (c *coder) key(name string, into *identity.PublicKey) {
	c.fixed(name, into[:])
	if c.err == nil && into.IsZero() {
		c.wrong("%s is zero", name)
	}
}

// number is a whole number that JSON holds exactly.
func (c *coder) number(name string, into *uint64) {
	raw := [8]byte(binary.BigEndian.AppendUint64(nil, *into))
	c.fixed(name, raw[:])
	if *into = binary.BigEndian.Uint64(raw[:]); *into > 1<<53-1 {
		c.wrong("%s is above 2^53 - 1", name)
	}
}

func (c *coder) flag(name string, into *bool) {
	raw := [1]byte{}
	if *into {
		raw[0] = 1
	}
	c.fixed(name, raw[:])
	if raw[0] > 1 {
		c.wrong("%s is neither 0 nor 1", name)
	}
	*into = raw[0] == 1
}

// bytes is a field of min to max bytes.
func (c *coder) bytes(name string, into *[]byte, min, max int) {
	value := c.field(*into)
	if n := len(value); c.err == nil && (n < min || n > max) {
		c.wrong("%s has %d bytes, and takes %d to %d", name, n, min, max)
	}
	if c.reading && c.err == nil {
		*into = bytes.Clone(value)
	}
}

// text is UTF-8 of min to max bytes.
func (c *coder) text(name string, into *string, min, max int) {
	raw := []byte(*into)
	if c.bytes(name, &raw, min, max); c.err != nil {
		return
	}
	if !utf8.Valid(raw) {
		c.wrong("%s is not UTF-8", name)
	}
	*into = string(raw)
}

// json is a value in canonical JSON of at most max bytes.
func (c *coder) json(name string, into *[]byte, max int) {
	if c.bytes(name, into, 1, max); c.err != nil {
		return
	}
	if text, err := canon.JSON(*into); err != nil || !bytes.Equal(text, *into) {
		c.wrong("%s is not canonical JSON", name)
	}
}

// count is how many items follow, at most max; grow makes room for them.
func (c *coder) count(name string, n, max int, grow func(n int)) {
	number := uint64(n)
	c.number("the number of "+name, &number)
	if c.err == nil && number > uint64(max) {
		c.wrong("%d %s are more than %d", number, name, max)
	}
	if c.reading && c.err == nil {
		grow(int(number))
	}
}

// Encode gives the bytes of a body for an entry. A body that breaks a rule is a
// [fault.Invalid].
func Encode(b Body) ([]byte, error) {
	c := coder{}
	c.fields = append(c.fields, []byte{byte(b.Kind())})
	if b.code(&c); c.err != nil {
		return nil, fault.New(fault.Invalid, "%s: %v", b.Kind(), c.err).WithHint("mend that field")
	}
	return canon.Preimage(tagBody, c.fields...), nil
}

// Decode reads the one encoding of a body; anything else is a [fault.Invalid].
func Decode(raw []byte) (Body, error) {
	c := coder{reading: true}
	rest, ok := bytes.CutPrefix(raw, canon.Preimage(tagBody))
	if c.rest = rest; !ok {
		return nil, fault.New(fault.Invalid, "the body is none of a subnet").WithHint("its author runs other software")
	}
	kind := [1]byte{}
	c.fixed("the kind", kind[:])
	form, known := forms[Kind(kind[0])]
	if c.err == nil && !known {
		c.wrong("kind %d is unknown", kind[0])
	}
	if c.err != nil {
		return nil, fault.New(fault.Invalid, "the body: %v", c.err).WithHint("a newer version may know it")
	}
	b := form.empty()
	if b.code(&c); c.err == nil && len(c.rest) > 0 {
		c.wrong("%d bytes are left over", len(c.rest))
	}
	if c.err != nil {
		return nil, fault.New(fault.Invalid, "the body of %s: %v", b.Kind(), c.err).WithHint("its author runs other software")
	}
	return b, nil
}
