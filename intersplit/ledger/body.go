package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"unicode/utf8"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

// MaxBody is the most bytes an entry's body has; the feed holds the same limit.
const MaxBody = 16 << 10

// version of the bodies that this package writes and counts. A change of meaning
// takes a new one, so that an older peer shows the entry as unsupported instead
// of counting it wrong.
const version = 1

// Kind is what an entry does.
type Kind string

// The kinds of entries.
const (
	KindExpense Kind = "expense"
	KindClear   Kind = "clear"
	// KindUnsupported is what another version wrote, or no ledger did. It is kept
	// and shown, and counts nowhere.
	KindUnsupported Kind = "unsupported"
)

// Body is what one entry says. A clear covers what its author knew: its
// ancestors in the feed, and nothing else.
type Body struct {
	Kind    Kind
	Expense *Expense // for KindExpense
	Key     string   // for KindClear; an expense carries its own
	Reason  string   // for KindUnsupported: why it does not count
}

// NewExpense checks an expense that a caller described and makes it canonical:
// names folded, repeats in the split removed, texts trimmed.
func NewExpense(e Expense) (Body, error) {
	tidy, err := e.tidy()
	if err != nil {
		return Body{}, err
	}
	return Body{Kind: KindExpense, Expense: tidy}, nil
}

// NewClear makes the body that empties a room.
func NewClear(key string) (Body, error) {
	if err := CheckKey(key); err != nil {
		return Body{}, err
	}
	return Body{Kind: KindClear, Key: key}, nil
}

// IdempotencyKey is the key its author gave it, or "".
func (b Body) IdempotencyKey() string {
	if b.Expense != nil {
		return b.Expense.Key
	}
	return b.Key
}

// The wire forms. Members stand in the order of their names and no text holds a
// character that encoders escape differently, so what encoding/json writes is
// upstream's canonical text (upstream 6.2).
type (
	wirePart struct {
		Amount string `json:"amount"`
		Member string `json:"member"`
	}
	wirePortion struct {
		Member string `json:"member"`
		Value  string `json:"value,omitempty"`
	}
	wireExpense struct {
		Amount   string        `json:"amount"`
		Category string        `json:"category,omitempty"`
		Currency string        `json:"currency"`
		Date     string        `json:"date,omitempty"`
		Key      string        `json:"key,omitempty"`
		Kind     Kind          `json:"kind"`
		Mode     string        `json:"mode"`
		Note     string        `json:"note,omitempty"`
		Payers   []wirePart    `json:"payers"`
		Split    []wirePortion `json:"split"`
		Tags     []string      `json:"tags,omitempty"`
		V        int           `json:"v"`
	}
	wireClear struct {
		Key  string `json:"key,omitempty"`
		Kind Kind   `json:"kind"`
		V    int    `json:"v"`
	}
)

// Encode writes a body of [NewExpense] or [NewClear]. Equal bodies have equal
// bytes.
func (b Body) Encode() ([]byte, error) {
	var wire any = wireClear{Key: b.Key, Kind: KindClear, V: version}
	if b.Kind == KindExpense {
		wire = b.Expense.wire()
	}
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(wire); err != nil {
		return nil, err
	}
	raw := bytes.TrimSuffix(text.Bytes(), []byte("\n"))
	if len(raw) > MaxBody {
		return nil, fault.New(fault.Limited, "the entry takes %d bytes", len(raw)).
			WithHint("keep it within %d: fewer or shorter names, or a shorter note", MaxBody)
	}
	return raw, nil
}

func (e *Expense) wire() wireExpense {
	wire := wireExpense{
		Amount: e.Amount.Format(e.Currency), Category: e.Category, Currency: string(e.Currency),
		Date: e.Date, Key: e.Key, Kind: KindExpense, Mode: string(e.Mode), Note: e.Note,
		Tags: e.Tags, V: version,
	}
	for _, p := range e.Payers {
		wire.Payers = append(wire.Payers, wirePart{Amount: p.Amount.Format(e.Currency), Member: string(p.Member)})
	}
	for _, p := range e.Split {
		wire.Split = append(wire.Split, wirePortion{Member: string(p.Member), Value: p.Value})
	}
	return wire
}

// Decode reads the body of an entry that another peer wrote. It never fails: what
// this version does not know, and whatever differs in one byte from what
// [Body.Encode] would have written, comes back as [KindUnsupported] and counts
// nowhere. So every peer decides alike, and no two bodies mean one thing.
func Decode(raw []byte) Body {
	body, reason := decode(raw)
	if reason != "" {
		return Body{Kind: KindUnsupported, Reason: reason}
	}
	return body
}

// Why a body is unsupported.
const (
	malformed      = "malformed"
	anotherVersion = "of another version"
	unknownKind    = "of an unknown kind"
)

func decode(raw []byte) (body Body, unsupported string) {
	if len(raw) > MaxBody || !utf8.Valid(raw) {
		return Body{}, malformed
	}
	// One pass serves for every kind: a member of another type is skipped and
	// reported at the end.
	var wire wireExpense
	err := json.Unmarshal(raw, &wire)
	var mistyped *json.UnmarshalTypeError
	switch {
	case err != nil && !errors.As(err, &mistyped):
		return Body{}, malformed
	case wire.V != version:
		return Body{}, anotherVersion
	case wire.Kind != KindExpense && wire.Kind != KindClear:
		return Body{}, unknownKind
	case err != nil:
		return Body{}, malformed
	case wire.Kind == KindClear:
		body, err = NewClear(wire.Key)
	default:
		body, err = wire.body()
	}
	if err != nil {
		return Body{}, malformed
	}
	if again, err := body.Encode(); err != nil || !bytes.Equal(again, raw) {
		return Body{}, malformed
	}
	return body, ""
}

func (w *wireExpense) body() (Body, error) {
	e := Expense{
		Currency: money.Currency(w.Currency), Mode: Mode(w.Mode), Date: w.Date,
		Category: w.Category, Tags: w.Tags, Note: w.Note, Key: w.Key,
		Payers: make([]Part, len(w.Payers)), Split: make([]Portion, len(w.Split)),
	}
	var err error
	if e.Amount, err = money.Parse(w.Amount, e.Currency); err != nil {
		return Body{}, err
	}
	for i, p := range w.Payers {
		e.Payers[i].Member = Name(p.Member)
		if e.Payers[i].Amount, err = parsePart("payer", p.Amount, e.Currency); err != nil {
			return Body{}, err
		}
	}
	for i, p := range w.Split {
		e.Split[i] = Portion{Member: Name(p.Member), Value: p.Value}
	}
	return NewExpense(e)
}
