package intersplit

import (
	"math/big"
	"strings"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// Range is text "from..to", either side open, or one value. What its values are is
// the parameter's own.
type Range string

// Schema is the rule of a range. A JSON number is taken by its digits.
func (Range) Schema() op.Schema {
	return op.Schema{"type": []string{"string", "number"}, "maxLength": 100}
}

// UnmarshalJSON takes text or the digits of a number.
func (r *Range) UnmarshalJSON(raw []byte) error {
	var a Amount
	err := a.UnmarshalJSON(raw)
	*r = Range(a)
	return err
}

// cut gives both sides; the same twice when there is one value.
func (r Range) cut() (from, to string) {
	from, to, is := strings.Cut(string(r), "..")
	if !is {
		return from, from
	}
	return from, to
}

// holds says whether a day lies in a range of days, whose sides may be a year, a
// month or a day.
func (r Range) holds(day string) bool {
	if r == "" {
		return true
	}
	from, to := r.cut()
	return day >= from && (to == "" || day[:min(len(day), len(to))] <= to)
}

// checkDays refuses what is no range of days.
func (r Range) checkDays() error {
	if r == "" {
		return nil
	}
	wrong := fault.New(fault.Invalid, "%q is not a range of days", string(r)).
		WithHint("write 2026, 2026-05, 2026-05-17, or from..to with either side open")
	from, to := r.cut()
	for _, side := range []string{from, to} {
		if side == "" && from != to {
			continue // open
		}
		layout := time.DateOnly[:min(len(side), len(time.DateOnly))]
		if _, err := time.Parse(layout, side); err != nil || len(side) != len("2006") && len(side) != len("2006-01") && len(side) != len(time.DateOnly) {
			return wrong
		}
	}
	if both := min(len(from), len(to)); from[:both] > to[:both] {
		return r.reversed()
	}
	return nil
}

func (r Range) reversed() error {
	return fault.New(fault.Invalid, "range %q ends before it begins", string(r)).WithHint("write from..to with the smaller side first")
}

// Filter is which entries expense_list shows. Every field that is given must fit.
type Filter struct {
	Text           string  `json:"text,omitempty" jsonschema:"only entries with this text in a note, category, tag or name, in any case"`
	Member         string  `json:"member,omitempty" jsonschema:"only entries that this member paid, bears, sent or received"`
	Category       string  `json:"category,omitempty" jsonschema:"only this category, in any case"`
	Tag            string  `json:"tag,omitempty" jsonschema:"only entries with this tag, in any case"`
	Date           Range   `json:"date,omitempty" jsonschema:"only these days: 2026, 2026-05, 2026-05-17, or from..to with either side open; an entry without a date counts by when it was recorded (UTC)"`
	Amount         Range   `json:"amount,omitempty" jsonschema:"only these amounts, as they were written: 30, or from..to with either side open"`
	Kind           string  `json:"kind,omitempty" jsonschema:"only this kind: expense, payment, settlement or rule; or what is listed only when asked for: edit, delete, undelete, undo, clear, close, rename, merge, leave, unit, unsupported"`
	Currency       *string `json:"currency,omitempty" jsonschema:"only entries written in this currency or converted to it"`
	IncludeDeleted op.Flag `json:"include_deleted,omitempty" jsonschema:"also what is deleted, undone, cleared or a duplicate; state tells which"`
	IncludeClosed  op.Flag `json:"include_closed,omitempty" jsonschema:"also what a close took out of the list"`
}

// matcher is a filter in a room, its words read.
type matcher struct {
	Filter
	member      ledger.Name
	currency    *money.Currency
	least, most *big.Rat // amounts; nil is open
}

var kindsListed = []ledger.Kind{
	ledger.KindExpense, ledger.KindPayment, ledger.KindSettlement, ledger.KindRule, ledger.KindEdit, ledger.KindDelete,
	ledger.KindUndelete, ledger.KindUndo, ledger.KindClear, ledger.KindClose, ledger.KindRename, ledger.KindMerge,
	ledger.KindLeave, ledger.KindUnit, ledger.KindUnsupported,
}

func (f Filter) in(l *ledger.Ledger) (*matcher, error) {
	m := &matcher{Filter: f}
	m.Text, m.Category, m.Tag = strings.ToLower(strings.TrimSpace(f.Text)), strings.ToLower(f.Category), strings.ToLower(f.Tag)
	if err := f.Date.checkDays(); err != nil {
		return nil, err
	}
	if f.Member != "" {
		name, err := ledger.ParseName(f.Member)
		if err != nil {
			return nil, err
		}
		m.member = l.NameOf(l.Writable(name))
	}
	if f.Currency != nil {
		c, err := currencyNamed(l, *f.Currency)
		if err != nil {
			return nil, err
		}
		m.currency = &c
	}
	if f.Kind != "" {
		known := false
		for _, kind := range kindsListed {
			known = known || string(kind) == f.Kind
		}
		if !known {
			return nil, fault.New(fault.Invalid, "kind %q is not known", f.Kind).WithHint("use one of %v", kindsListed)
		}
	}
	return m, m.checkAmount()
}

// checkAmount reads the sides of the amount, in whatever currency can say them.
func (m *matcher) checkAmount() (err error) {
	if m.Amount == "" {
		return nil
	}
	from, to := m.Amount.cut()
	for _, side := range []struct {
		text string
		into **big.Rat
	}{{from, &m.least}, {to, &m.most}} {
		if side.text == "" {
			continue
		}
		for _, c := range []money.Currency{"CLF", "KWD", "USD", "JPY"} { // 4 to 0 decimals
			if _, err = money.Parse(side.text, c); err == nil {
				*side.into, _ = new(big.Rat).SetString(strings.TrimSpace(side.text))
				break
			}
		}
		if err != nil {
			return err
		}
	}
	if m.least != nil && m.most != nil && m.least.Cmp(m.most) > 0 {
		return m.Amount.reversed()
	}
	return nil
}

// fits says whether an entry belongs in the list.
func (m *matcher) fits(e *ledger.Entry) bool {
	if !m.listed(e) {
		return false
	}
	b := e.Current()
	return (m.Date == "" || m.Date.holds(dayOf(e))) && m.fitsWords(&b) && m.fitsMoney(&b)
}

func (m *matcher) listed(e *ledger.Entry) bool {
	kind := e.Body.Kind
	if m.Kind != "" && string(kind) != m.Kind {
		return false
	}
	if e.Closed() && !bool(m.IncludeClosed) && e.Shown() {
		return false
	}
	switch {
	case e.Shown():
		return true
	case kind.Subject() || kind == ledger.KindUnsupported:
		return bool(m.IncludeDeleted)
	default: // listed only when asked for
		return m.Kind != "" && (bool(m.IncludeDeleted) || e.Standing() == ledger.Counts)
	}
}

func (m *matcher) fitsWords(b *ledger.Body) bool {
	if m.Text == "" && m.Category == "" && m.Tag == "" && m.member == "" {
		return true
	}
	var said Entry
	said.say(*b)
	names := append([]string{said.From, said.To, said.Member}, said.Split...)
	for _, p := range said.Payers {
		names = append(names, p.Member)
	}
	for _, p := range said.Payments {
		names = append(names, p.From, p.To)
	}
	has := func(words []string, fits func(word string) bool) bool {
		for _, w := range words {
			if fits(strings.ToLower(w)) {
				return true
			}
		}
		return false
	}
	contains := func(word string) bool { return strings.Contains(word, m.Text) }
	return (m.member == "" || has(names, func(w string) bool { return w == string(m.member) })) &&
		(m.Category == "" || strings.ToLower(said.Category) == m.Category) &&
		(m.Tag == "" || has(said.Tags, func(w string) bool { return w == m.Tag })) &&
		(m.Text == "" || contains(strings.ToLower(said.Note)) || contains(strings.ToLower(said.Category)) || has(said.Tags, contains) || has(names, contains))
}

func (m *matcher) fitsMoney(b *ledger.Body) bool {
	if m.currency == nil && m.Amount == "" {
		return true
	}
	x := b.Expense
	if b.Rule != nil {
		x = b.Rule.Expense
	}
	switch {
	case x != nil:
		return m.inCurrency(x.Currency, x.ConvertTo) && m.inAmount(x.Amount, x.Currency)
	case b.Payment != nil:
		return m.inCurrency(b.Payment.Currency, "") && m.inAmount(b.Payment.Amount, b.Payment.Currency)
	case b.Settlement != nil:
		for _, t := range b.Settlement.Payments {
			if m.inCurrency(t.Currency, "") && m.inAmount(t.Amount, t.Currency) {
				return true
			}
		}
	}
	return false
}

func (m *matcher) inCurrency(written, converted money.Currency) bool {
	return m.currency == nil || written == *m.currency || converted != "" && converted == *m.currency
}

func (m *matcher) inAmount(amount money.Minor, c money.Currency) bool {
	if m.least == nil && m.most == nil {
		return true
	}
	value, ok := new(big.Rat).SetString(amount.Format(c))
	return ok && (m.least == nil || value.Cmp(m.least) >= 0) && (m.most == nil || value.Cmp(m.most) <= 0)
}
