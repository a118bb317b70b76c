package ledger

import (
	"encoding/json"

	"intercom/intersplit/money"
)

// The wire forms of the bodies, members in the order of their names. A form is
// closed: another version adds members, and an older one does not count them.
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
		Amount    string        `json:"amount"`
		Category  string        `json:"category,omitempty"`
		ConvertTo string        `json:"convert_to,omitempty"`
		Currency  string        `json:"currency"`
		Date      string        `json:"date,omitempty"`
		Key       string        `json:"key,omitempty"`
		Kind      Kind          `json:"kind"`
		Mode      string        `json:"mode"`
		Note      string        `json:"note,omitempty"`
		Payers    []wirePart    `json:"payers"`
		Rate      string        `json:"rate,omitempty"`
		Source    string        `json:"source,omitempty"`
		Split     []wirePortion `json:"split"`
		Tags      []string      `json:"tags,omitempty"`
		V         int           `json:"v"`
	}
	wireTransfer struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
		From     string `json:"from"`
		To       string `json:"to"`
	}
	wirePayment struct {
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
		Date     string `json:"date,omitempty"`
		From     string `json:"from"`
		Key      string `json:"key,omitempty"`
		Kind     Kind   `json:"kind"`
		Note     string `json:"note,omitempty"`
		Source   string `json:"source,omitempty"`
		To       string `json:"to"`
		V        int    `json:"v"`
	}
	wireSettlement struct {
		Key      string         `json:"key,omitempty"`
		Kind     Kind           `json:"kind"`
		Note     string         `json:"note,omitempty"`
		Payments []wireTransfer `json:"payments"`
		Source   string         `json:"source,omitempty"`
		V        int            `json:"v"`
	}
	wireMoney struct {
		Amount    string        `json:"amount"`
		ConvertTo string        `json:"convert_to,omitempty"`
		Currency  string        `json:"currency"`
		Mode      string        `json:"mode"`
		Payers    []wirePart    `json:"payers"`
		Rate      string        `json:"rate,omitempty"`
		Split     []wirePortion `json:"split"`
	}
	wireEdit struct {
		After    []ID          `json:"after,omitempty"`
		Category *string       `json:"category,omitempty"`
		Date     *string       `json:"date,omitempty"`
		Key      string        `json:"key,omitempty"`
		Kind     Kind          `json:"kind"`
		Money    *wireMoney    `json:"money,omitempty"`
		Note     *string       `json:"note,omitempty"`
		Tags     *[]string     `json:"tags,omitempty"`
		Target   ID            `json:"target"`
		Transfer *wireTransfer `json:"transfer,omitempty"`
		V        int           `json:"v"`
	}
	wireMark struct {
		After  []ID   `json:"after,omitempty"`
		Key    string `json:"key,omitempty"`
		Kind   Kind   `json:"kind"`
		Target ID     `json:"target"`
		V      int    `json:"v"`
	}
	wireAlias struct {
		After []ID   `json:"after,omitempty"`
		From  string `json:"from"`
		Key   string `json:"key,omitempty"`
		Kind  Kind   `json:"kind"`
		To    string `json:"to"`
		V     int    `json:"v"`
	}
	wireMember struct { // of a leave and of a unit
		Key    string `json:"key,omitempty"`
		Kind   Kind   `json:"kind"`
		Member string `json:"member,omitempty"`
		Unit   string `json:"unit,omitempty"`
		V      int    `json:"v"`
	}
	wireRule struct {
		Every    string          `json:"every"`
		Expense  json.RawMessage `json:"expense"`
		First    string          `json:"first"`
		Interval int             `json:"interval"`
		Key      string          `json:"key,omitempty"`
		Kind     Kind            `json:"kind"`
		Last     string          `json:"last,omitempty"`
		V        int             `json:"v"`
	}
	wirePlain struct {
		Key  string `json:"key,omitempty"`
		Kind Kind   `json:"kind"`
		V    int    `json:"v"`
	}
)

func (e *Expense) wire() wireExpense {
	m := e.wireMoney()
	return wireExpense{
		Amount: m.Amount, Category: e.Category, ConvertTo: m.ConvertTo, Currency: m.Currency, Date: e.Date,
		Key: e.Key, Kind: KindExpense, Mode: m.Mode, Note: e.Note, Payers: m.Payers, Rate: m.Rate,
		Source: e.Source, Split: m.Split, Tags: e.Tags, V: version,
	}
}

func (e *Expense) wireMoney() wireMoney {
	wire := wireMoney{
		Amount: e.Amount.Format(e.Currency), ConvertTo: string(e.ConvertTo), Currency: string(e.Currency),
		Mode: string(e.Mode), Rate: string(e.Rate),
	}
	for _, p := range e.Payers {
		wire.Payers = append(wire.Payers, wirePart{Amount: p.Amount.Format(e.Currency), Member: string(p.Member)})
	}
	for _, p := range e.Split {
		wire.Split = append(wire.Split, wirePortion{Member: string(p.Member), Value: p.Value})
	}
	return wire
}

func (w *wireMoney) expense() (Expense, error) {
	e := Expense{
		Currency: money.Currency(w.Currency), ConvertTo: money.Currency(w.ConvertTo), Rate: money.Rate(w.Rate), Mode: Mode(w.Mode),
		Payers: make([]Part, len(w.Payers)), Split: make([]Portion, len(w.Split)),
	}
	var err error
	if e.Amount, err = money.Parse(w.Amount, e.Currency); err != nil {
		return Expense{}, err
	}
	for i, p := range w.Payers {
		e.Payers[i].Member = Name(p.Member)
		if e.Payers[i].Amount, err = parsePart("payer", p.Amount, e.Currency); err != nil {
			return Expense{}, err
		}
	}
	for i, p := range w.Split {
		e.Split[i] = Portion{Member: Name(p.Member), Value: p.Value}
	}
	return e, nil
}

func (w *wireExpense) body() (Body, error) {
	m := wireMoney{
		Amount: w.Amount, ConvertTo: w.ConvertTo, Currency: w.Currency, Mode: w.Mode, Payers: w.Payers, Rate: w.Rate, Split: w.Split,
	}
	e, err := m.expense()
	if err != nil {
		return Body{}, err
	}
	e.Date, e.Category, e.Tags, e.Note, e.Key, e.Source = w.Date, w.Category, w.Tags, w.Note, w.Key, w.Source
	return NewExpense(e)
}

func (t Transfer) wire() wireTransfer {
	return wireTransfer{Amount: t.Amount.Format(t.Currency), Currency: string(t.Currency), From: string(t.From), To: string(t.To)}
}

func (w wireTransfer) transfer() (t Transfer, err error) {
	t = Transfer{From: Name(w.From), To: Name(w.To), Currency: money.Currency(w.Currency)}
	t.Amount, err = money.Parse(w.Amount, t.Currency)
	return t, err
}

func (p *Payment) wire() wirePayment {
	t := p.Transfer.wire()
	return wirePayment{
		Amount: t.Amount, Currency: t.Currency, Date: p.Date, From: t.From, Key: p.Key, Kind: KindPayment,
		Note: p.Note, Source: p.Source, To: t.To, V: version,
	}
}

func (w wirePayment) body() (Body, error) {
	t, err := wireTransfer{Amount: w.Amount, Currency: w.Currency, From: w.From, To: w.To}.transfer()
	if err != nil {
		return Body{}, err
	}
	return NewPayment(Payment{Transfer: t, Date: w.Date, Note: w.Note, Key: w.Key, Source: w.Source})
}

func (b *Body) wireSettlement() wireSettlement {
	wire := wireSettlement{Key: b.Key, Kind: b.Kind, Note: b.Settlement.Note, Source: b.Settlement.Source, V: version}
	for _, p := range b.Settlement.Payments {
		wire.Payments = append(wire.Payments, p.wire())
	}
	return wire
}

func (w wireSettlement) body() (Body, error) {
	s := Settlement{Payments: make([]Transfer, len(w.Payments)), Note: w.Note, Source: w.Source}
	for i, p := range w.Payments {
		var err error
		if s.Payments[i], err = p.transfer(); err != nil {
			return Body{}, err
		}
	}
	return NewSettlement(s, w.Key)
}

func (b *Body) wireEdit() wireEdit {
	e := b.Edit
	wire := wireEdit{
		After: e.After, Category: e.Category, Date: e.Date, Key: b.Key, Kind: b.Kind, Note: e.Note, Tags: e.Tags,
		Target: e.Target, V: version,
	}
	if e.Money != nil {
		m := e.Money.wireMoney()
		wire.Money = &m
	}
	if e.Transfer != nil {
		t := e.Transfer.wire()
		wire.Transfer = &t
	}
	return wire
}

func (w wireEdit) body() (Body, error) {
	e := Edit{Target: w.Target, After: w.After, Category: w.Category, Date: w.Date, Note: w.Note, Tags: w.Tags}
	if w.Money != nil {
		m, err := w.Money.expense()
		if err != nil {
			return Body{}, err
		}
		e.Money = &m
	}
	if w.Transfer != nil {
		t, err := w.Transfer.transfer()
		if err != nil {
			return Body{}, err
		}
		e.Transfer = &t
	}
	return NewEdit(e, w.Key)
}

func (b *Body) wireMark() wireMark {
	return wireMark{After: b.Mark.After, Key: b.Key, Kind: b.Kind, Target: b.Mark.Target, V: version}
}

func (w wireMark) body() (Body, error) {
	return NewMark(w.Kind, Mark{Target: w.Target, After: w.After}, w.Key)
}

func (b *Body) wireAlias() wireAlias {
	return wireAlias{After: b.Alias.After, From: string(b.Alias.From), Key: b.Key, Kind: b.Kind, To: string(b.Alias.To), V: version}
}

func (w wireAlias) body() (Body, error) {
	return NewAlias(w.Kind, Alias{From: Name(w.From), To: Name(w.To), After: w.After}, w.Key)
}

func (b *Body) wireMember() wireMember {
	return wireMember{Key: b.Key, Kind: b.Kind, Member: string(b.Member), Unit: string(b.Unit), V: version}
}

func (w wireMember) body() (Body, error) {
	if w.Kind == KindLeave {
		return NewLeave(w.Member, w.Key)
	}
	unit := money.Currency(w.Unit)
	return NewUnit(unit.Code(), unit.Decimals(), w.Key)
}

func (b *Body) wireRule() wireRule {
	expense, err := marshal(b.Rule.Expense.wire())
	if err != nil {
		panic("ledger: an expense that was checked cannot be written: " + err.Error())
	}
	return wireRule{
		Every: string(b.Rule.Every), Expense: expense, First: b.Rule.First, Interval: b.Rule.Interval,
		Key: b.Key, Kind: b.Kind, Last: b.Rule.Last, V: version,
	}
}

func (w wireRule) body() (Body, error) {
	expense, err := read[*wireExpense](w.Expense)
	if err != nil {
		return Body{}, err
	}
	return NewRule(Rule{Expense: expense.Expense, First: w.First, Every: Period(w.Every), Interval: w.Interval, Last: w.Last}, w.Key)
}

func (w wirePlain) body() (Body, error) { return plain(w.Kind, w.Key) }
