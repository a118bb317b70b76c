package ledger

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"intercom/core/fault"
)

// version of the bodies that this package writes and counts. A change of meaning
// takes a new one, so that an older peer shows the entry as unsupported instead
// of counting it wrong.
const version = 1

// Why a body is unsupported.
const (
	malformed      = "malformed"
	anotherVersion = "of another version"
	unknownKind    = "of an unknown kind"
)

// wire gives the form of a body that is written. Members stand in the order of
// their names and no text holds a character that encoders escape differently, so
// what encoding/json writes is upstream's canonical text (upstream 6.2).
func (b *Body) wire() any {
	switch b.Kind {
	case KindExpense:
		return b.Expense.wire()
	case KindPayment:
		return b.Payment.wire()
	case KindSettlement:
		return b.wireSettlement()
	case KindEdit:
		return b.wireEdit()
	case KindDelete, KindUndelete, KindUndo:
		return b.wireMark()
	case KindRename, KindMerge:
		return b.wireAlias()
	case KindLeave, KindUnit:
		return b.wireMember()
	case KindRule:
		return b.wireRule()
	default:
		return wirePlain{Key: b.Key, Kind: b.Kind, V: version}
	}
}

// reader gives what reads the body of a kind but an expense; nil for a kind that
// is not known. A body may differ from what the reader understands: [Decode]
// compares.
func reader(kind Kind) func(raw []byte) (Body, error) {
	switch kind {
	case KindPayment:
		return read[wirePayment]
	case KindSettlement:
		return read[wireSettlement]
	case KindEdit:
		return read[wireEdit]
	case KindDelete, KindUndelete, KindUndo:
		return read[wireMark]
	case KindRename, KindMerge:
		return read[wireAlias]
	case KindLeave, KindUnit:
		return read[wireMember]
	case KindRule:
		return read[wireRule]
	case KindClear, KindClose:
		return read[wirePlain]
	}
	return nil
}

func read[W interface{ body() (Body, error) }](raw []byte) (Body, error) {
	var wire W
	if err := json.Unmarshal(raw, &wire); err != nil {
		return Body{}, err
	}
	return wire.body()
}

// Encode writes a body that a constructor made. Equal bodies have equal bytes.
func (b Body) Encode() ([]byte, error) {
	raw, err := marshal(b.wire())
	if err != nil {
		return nil, err
	}
	if len(raw) > MaxBody {
		return nil, fault.New(fault.Limited, "the entry takes %d bytes", len(raw)).
			WithHint("keep it within %d: fewer or shorter names, or a shorter note", MaxBody)
	}
	return raw, nil
}

// Same says whether two bodies say the same, whatever their authors knew.
func (b Body) Same(other Body) bool {
	mine, err := b.unaware().Encode()
	theirs, otherErr := other.unaware().Encode()
	return err == nil && otherErr == nil && bytes.Equal(mine, theirs)
}

// unaware is the body without what its author knew.
func (b Body) unaware() Body {
	switch {
	case b.Edit != nil:
		e := *b.Edit
		e.After, b.Edit = nil, &e
	case b.Mark != nil:
		m := *b.Mark
		m.After, b.Mark = nil, &m
	case b.Alias != nil:
		a := *b.Alias
		a.After, b.Alias = nil, &a
	}
	return b
}

func marshal(wire any) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(wire); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n")), nil
}

// Decode reads the body of an entry that another peer wrote. It never fails: what
// this version does not know, and whatever differs in one byte from what
// [Body.Encode] would have written, comes back as [KindUnsupported] and counts
// nowhere. So every peer decides alike, and no two bodies mean one thing.
func Decode(raw []byte) Body {
	if body, ok := quick(raw); ok {
		return body
	}
	body, reason := decode(raw)
	if reason != "" {
		return Body{Kind: KindUnsupported, Reason: reason}
	}
	return body
}

func decode(raw []byte) (body Body, unsupported string) {
	if len(raw) > MaxBody || !utf8.Valid(raw) {
		return Body{}, malformed
	}
	// An expense, which most entries are, takes one pass; in another kind a member
	// of another type is skipped and reported at the end.
	var wire wireExpense
	err := json.Unmarshal(raw, &wire)
	var mistyped *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &mistyped) {
		return Body{}, malformed
	}
	read := reader(wire.Kind)
	switch {
	case wire.V != version:
		return Body{}, anotherVersion
	case wire.Kind == KindExpense && err == nil:
		body, err = wire.body()
	case wire.Kind == KindExpense:
	case read != nil:
		body, err = read(raw)
	default:
		return Body{}, unknownKind
	}
	if err != nil {
		return Body{}, malformed
	}
	if again, err := body.Encode(); err != nil || !bytes.Equal(again, raw) {
		return Body{}, malformed
	}
	return body, ""
}

// MarshalText writes an id in hex.
func (id ID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// UnmarshalText reads what MarshalText writes.
func (id *ID) UnmarshalText(text []byte) error {
	if len(text) != 2*len(id) {
		return fault.New(fault.Invalid, "an id has %d digits, not %d", 2*len(id), len(text))
	}
	_, err := hex.Decode(id[:], text)
	return err
}
