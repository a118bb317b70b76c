package ledger

import (
	"bytes"
	"slices"

	"intercom/core/fault"
)

// MaxAfter is the most entries that an entry names as known.
const MaxAfter = 16

// Edit changes fields of a listed entry: what is nil stays. What an expense
// comes to is one field, since its parts only make sense together; so is what a
// payment comes to.
type Edit struct {
	Target ID
	After  []ID // the latest changes of the target that its author knew, by id

	Money    *Expense  // of an expense: amount, currency, conversion, payers, mode and split, and nothing else
	Transfer *Transfer // of a payment
	Note     *string
	Date     *string
	Category *string
	Tags     *[]string
}

// Mark deletes, restores or undoes the entry that it names.
type Mark struct {
	Target ID
	After  []ID // as in [Edit]; not of an undo
}

// NewEdit checks an edit that a caller described and makes it canonical.
func NewEdit(e Edit, key string) (Body, error) {
	steps := []func(*Edit) error{tidyMoney, tidyEdited, tidyAfter}
	for _, step := range steps {
		if err := step(&e); err != nil {
			return Body{}, err
		}
	}
	if e.Money == nil && e.Transfer == nil && e.Note == nil && e.Date == nil && e.Category == nil && e.Tags == nil {
		return Body{}, fault.New(fault.Invalid, "the edit changes nothing").WithHint("give the fields that change")
	}
	return Body{Kind: KindEdit, Edit: &e, Key: key}, CheckKey(key)
}

func tidyMoney(e *Edit) error {
	if e.Money != nil && e.Transfer != nil {
		return fault.New(fault.Invalid, "the edit is of an expense and of a payment").WithHint("give payers and split, or from and to")
	}
	if e.Money != nil {
		tidy, err := e.Money.money().tidy()
		e.Money = tidy
		return err
	}
	if e.Transfer != nil {
		tidy, err := e.Transfer.tidy()
		e.Transfer = &tidy
		return err
	}
	return nil
}

// tidyEdited brings the other fields into their one form.
func tidyEdited(e *Edit) error {
	var texts Expense
	if e.Note != nil {
		texts.Note = *e.Note
	}
	if e.Date != nil {
		texts.Date = *e.Date
	}
	if e.Category != nil {
		texts.Category = *e.Category
	}
	if e.Tags != nil {
		texts.Tags = *e.Tags
	}
	for _, step := range []func(*Expense) error{tidyTexts, tidyTags} {
		if err := step(&texts); err != nil {
			return err
		}
	}
	if e.Note != nil {
		e.Note = &texts.Note
	}
	if e.Date != nil {
		e.Date = &texts.Date
	}
	if e.Category != nil {
		e.Category = &texts.Category
	}
	if e.Tags != nil {
		tags := append([]string{}, texts.Tags...)
		e.Tags = &tags
	}
	return nil
}

func tidyAfter(e *Edit) (err error) {
	e.After, err = sortedIDs(e.After)
	return err
}

// NewMark makes the body that deletes, restores or undoes an entry.
func NewMark(kind Kind, m Mark, key string) (Body, error) {
	var err error
	if m.After, err = sortedIDs(m.After); err != nil {
		return Body{}, err
	}
	if kind == KindUndo && len(m.After) > 0 {
		return Body{}, fault.New(fault.Invalid, "an undo names one entry")
	}
	return Body{Kind: kind, Mark: &m, Key: key}, CheckKey(key)
}

// sortedIDs gives distinct ids in order.
func sortedIDs(ids []ID) ([]ID, error) {
	if len(ids) > MaxAfter {
		return nil, tooMany("known entries", len(ids), MaxAfter)
	}
	sorted := slices.Clone(ids)
	slices.SortFunc(sorted, func(a, b ID) int { return bytes.Compare(a[:], b[:]) })
	return slices.Compact(sorted), nil
}

// money is the part of an expense that an edit takes as one.
func (e *Expense) money() *Expense {
	return &Expense{
		Amount: e.Amount, Currency: e.Currency, ConvertTo: e.ConvertTo, Rate: e.Rate,
		Payers: e.Payers, Mode: e.Mode, Split: e.Split,
	}
}

// edited is a body with the fields of an edit in place of its own; fields that do
// not belong to its kind are left out.
func (b *Body) edited(by *Edit, field Field) *Body {
	if b.Payment != nil {
		p := *b.Payment
		switch {
		case field == FieldMoney && by.Transfer != nil:
			p.Transfer = *by.Transfer
		case field == FieldNote:
			p.Note = *by.Note
		case field == FieldDate:
			p.Date = *by.Date
		}
		return &Body{Kind: b.Kind, Payment: &p}
	}
	if b.Expense == nil {
		return b
	}
	x := *b.Expense
	switch {
	case field == FieldMoney && by.Money != nil:
		m := by.Money
		x.Amount, x.Currency, x.ConvertTo, x.Rate = m.Amount, m.Currency, m.ConvertTo, m.Rate
		x.Payers, x.Mode, x.Split = m.Payers, m.Mode, m.Split
	case field == FieldNote:
		x.Note = *by.Note
	case field == FieldDate:
		x.Date = *by.Date
	case field == FieldCategory:
		x.Category = *by.Category
	case field == FieldTags:
		x.Tags = *by.Tags
	}
	return &Body{Kind: b.Kind, Expense: &x}
}

// Field is what edits change singly.
type Field string

// The fields of an entry. [FieldMoney] is what it comes to: amount, currency,
// conversion, payers and split, or who paid whom how much.
const (
	FieldMoney    Field = "money"
	FieldNote     Field = "note"
	FieldDate     Field = "date"
	FieldCategory Field = "category"
	FieldTags     Field = "tags"
)

var fields = []Field{FieldMoney, FieldNote, FieldDate, FieldCategory, FieldTags}

// sets says whether the edit sets a field of an entry of that kind.
func (e *Edit) sets(f Field, kind Kind) bool {
	switch f {
	case FieldMoney:
		return kind == KindExpense && e.Money != nil || kind == KindPayment && e.Transfer != nil
	case FieldNote:
		return (kind == KindExpense || kind == KindPayment) && e.Note != nil
	case FieldDate:
		return (kind == KindExpense || kind == KindPayment) && e.Date != nil
	case FieldCategory:
		return kind == KindExpense && e.Category != nil
	default:
		return kind == KindExpense && e.Tags != nil
	}
}
