package contract

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// check tells what is wrong with a value; it is closed: a member that is not
// declared is wrong. The text is canonical JSON, whose names occur once.
func (s *shape) check(value json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	var v any
	if decoder.Decode(&v) != nil {
		return errors.New("it is not JSON")
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("it is more than one JSON value")
	}
	return s.fits("it", v)
}

func (s *shape) fits(at string, v any) error {
	if s.kind == "any" || s.null && v == nil {
		return nil
	}
	switch v := v.(type) {
	case map[string]any:
		if s.kind == "object" {
			return s.fitsObject(at, v)
		}
	case []any:
		if s.kind == "array" {
			return s.fitsList(at, v)
		}
	case string:
		if s.kind == "string" {
			return s.fitsText(at, v)
		}
	case json.Number:
		if s.kind == "integer" {
			return s.fitsNumber(at, v)
		}
	case bool:
		if s.kind == "boolean" {
			return nil
		}
	}
	return fmt.Errorf("%s is not of type %s", at, s.kind)
}

func (s *shape) fitsObject(at string, v map[string]any) error {
	known := 0
	for _, m := range s.members {
		value, given := v[m.name]
		switch {
		case given:
			known++
			if err := m.fits(m.name, value); err != nil {
				return err
			}
		case !m.optional:
			return fmt.Errorf("%s is missing", m.name)
		}
	}
	if known == len(v) {
		return nil
	}
	var unknown []string
	for name := range v {
		if !slices.ContainsFunc(s.members, func(m member) bool { return m.name == name }) {
			unknown = append(unknown, name)
		}
	}
	return fmt.Errorf("%s has an unknown member %+.64q", at, slices.Min(unknown))
}

func (s *shape) fitsList(at string, v []any) error {
	if n := int64(len(v)); n < s.min || n > s.max {
		return fmt.Errorf("%s has %d items, and takes %d to %d", at, n, s.min, s.max)
	}
	for i, item := range v {
		if err := s.item.fits(fmt.Sprintf("%s[%d]", at, i), item); err != nil {
			return err
		}
	}
	return nil
}

func (s *shape) fitsText(at, v string) error {
	if n := int64(utf8.RuneCountInString(v)); n < s.min || n > s.max {
		return fmt.Errorf("%s has %d characters, and takes %d to %d", at, n, s.min, s.max)
	}
	if s.choices != nil && !slices.Contains(s.choices, v) {
		return fmt.Errorf("%s is %+.64q, and takes one of %+q", at, v, s.choices)
	}
	if s.parses != nil && reflect.New(s.parses).Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(v)) != nil {
		return fmt.Errorf("%s is %+.64q, which is no %s", at, v, s.parses.Name())
	}
	return nil
}

func (s *shape) fitsNumber(at string, v json.Number) error {
	n, err := strconv.ParseInt(v.String(), 10, 64)
	if err != nil || n < s.min || n > s.max {
		return fmt.Errorf("%s is %.32s, and takes whole numbers from %d to %d", at, v, s.min, s.max)
	}
	return nil
}
