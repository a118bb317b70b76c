package ledger

import (
	"bytes"
	"encoding/json"
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
	unsupported := func(reason string) Body { return Body{Kind: KindUnsupported, Reason: reason} }
	var head struct {
		V    int    `json:"v"`
		Kind string `json:"kind"`
	}
	if len(raw) > MaxBody || !utf8.Valid(raw) || json.Unmarshal(raw, &head) != nil {
		return unsupported("malformed")
	}
	var body Body
	var err error
	switch {
	case head.V != version:
		return unsupported("of another version")
	case head.Kind == string(KindExpense):
		body, err = decodeExpense(raw)
	case head.Kind == string(KindClear):
		body, err = decodeClear(raw)
	default:
		return unsupported("of an unknown kind")
	}
	if err != nil {
		return unsupported("malformed")
	}
	if again, err := body.Encode(); err != nil || !bytes.Equal(again, raw) {
		return unsupported("malformed")
	}
	return body
}

func decodeExpense(raw []byte) (Body, error) {
	var wire wireExpense
	if err := json.Unmarshal(raw, &wire); err != nil {
		return Body{}, err
	}
	e := Expense{
		Currency: money.Currency(wire.Currency), Mode: Mode(wire.Mode), Date: wire.Date,
		Category: wire.Category, Tags: wire.Tags, Note: wire.Note, Key: wire.Key,
	}
	var err error
	if e.Amount, err = money.Parse(wire.Amount, e.Currency); err != nil {
		return Body{}, err
	}
	for _, p := range wire.Payers {
		amount, err := parsePart("payer", p.Amount, e.Currency)
		if err != nil {
			return Body{}, err
		}
		e.Payers = append(e.Payers, Part{Member: Name(p.Member), Amount: amount})
	}
	for _, p := range wire.Split {
		e.Split = append(e.Split, Portion{Member: Name(p.Member), Value: p.Value})
	}
	return NewExpense(e)
}

func decodeClear(raw []byte) (Body, error) {
	var wire wireClear
	if err := json.Unmarshal(raw, &wire); err != nil {
		return Body{}, err
	}
	return NewClear(wire.Key)
}
