package format

import (
	"bytes"
	"encoding/json"

	"intercom/core/fault"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// The members of our JSON export that make an entry again. Others follow from
// them, or are for people.
type (
	jsonBook struct {
		jsonHead
		Entries rowList[jsonEntry] `json:"entries"`
	}
	jsonHead struct {
		App     string `json:"app"`
		Version int    `json:"version"`
	}
	jsonEntry struct {
		ID        string         `json:"id"`
		Kind      string         `json:"kind"`
		Source    string         `json:"source"`
		Amount    string         `json:"amount"`
		Currency  string         `json:"currency"`
		Converted *jsonConverted `json:"converted"`
		Mode      string         `json:"mode"`
		Payers    []jsonPart     `json:"payers"`
		Split     []string       `json:"split"`
		Values    []jsonValue    `json:"values"`
		From      string         `json:"from"`
		To        string         `json:"to"`
		Payments  []jsonTransfer `json:"payments"`
		Date      string         `json:"date"`
		Category  string         `json:"category"`
		Tags      []string       `json:"tags"`
		Note      string         `json:"note"`
	}
	jsonConverted struct {
		Currency string `json:"currency"`
		Rate     string `json:"rate"`
		Amount   string `json:"amount"`
	}
	jsonPart struct {
		Member string `json:"member"`
		Amount string `json:"amount"`
	}
	jsonValue struct {
		Member string `json:"member"`
		Value  string `json:"value"`
	}
	jsonTransfer struct {
		From     string `json:"from"`
		To       string `json:"to"`
		Amount   string `json:"amount"`
		Currency string `json:"currency"`
	}
)

// ReadJSON reads our JSON export.
func ReadJSON(data []byte, in Context) (*Read, error) {
	var book jsonBook
	if err := readJSON(data, &book); err != nil {
		return nil, err
	}
	if err := book.check(book.Entries != nil); err != nil {
		return nil, err
	}
	out := &Read{}
	for i := range book.Entries {
		e := &book.Entries[i]
		why := ""
		switch ledger.Kind(e.Kind) {
		case ledger.KindExpense, ledger.KindPayment, ledger.KindSettlement:
		case ledger.KindRule:
			why = ruleSkipped
		default:
			why = "it counts nowhere"
		}
		if why != "" {
			out.Skipped = append(out.Skipped, Skip{i + 1, why})
			continue
		}
		source := e.Source
		if source == "" {
			source = ledger.SourceOf(e.ID)
		}
		body, err := e.body(source, in)
		if err != nil {
			return nil, atLine(i+1, err)
		}
		out.Rows = append(out.Rows, Row{Line: i + 1, Source: source, Body: body})
	}
	return out, nil
}

func (h jsonHead) check(whole bool) error {
	if h.App != "intersplit" || h.Version != 1 || !whole {
		return fault.New(fault.Invalid, "the data are no export of this ledger, but of %.40q, version %d", h.App, h.Version).
			WithHint("give what expense_export wrote with format json")
	}
	return nil
}

// rowList is a list of at most MaxRows items. No more are held in memory, however
// little each takes as text.
type rowList[T any] []T

func (l *rowList[T]) UnmarshalJSON(raw []byte) error {
	in := json.NewDecoder(bytes.NewReader(raw))
	if first, err := in.Token(); err != nil || first != json.Delim('[') {
		return json.Unmarshal(raw, (*[]T)(l)) // null, or the error of what is no list
	}
	*l = rowList[T]{}
	for in.More() {
		if len(*l) == MaxRows {
			return tooManyRows()
		}
		var item T
		if err := in.Decode(&item); err != nil {
			return err
		}
		*l = append(*l, item)
	}
	return nil
}

// Signed is what a JSON export holds of its room as it is: see [ReadSigned].
type Signed struct {
	Channel string   // whose room it is
	Entries []string // every signed entry of the room, in order; nil when there is no such list
	Listed  []string // ids of the entries that are also there for reading
}

// ReadSigned reads the signed entries of our JSON export. What they say is not
// looked at.
func ReadSigned(data []byte) (*Signed, error) {
	var book struct {
		jsonHead
		Channel string          `json:"channel"`
		Signed  rowList[string] `json:"signed"`
		Entries rowList[struct {
			ID string `json:"id"`
		}] `json:"entries"`
	}
	if err := readJSON(data, &book); err != nil {
		return nil, err
	}
	if err := book.check(book.Entries != nil); err != nil {
		return nil, err
	}
	s := &Signed{Channel: book.Channel, Entries: book.Signed}
	for _, e := range book.Entries {
		s.Listed = append(s.Listed, e.ID)
	}
	return s, nil
}

func (e *jsonEntry) body(source string, in Context) (ledger.Body, error) {
	if e.ID == "" && e.Source == "" {
		return ledger.Body{}, fault.New(fault.Invalid, "the entry has neither id nor source").WithHint("give what expense_export wrote with format json")
	}
	switch ledger.Kind(e.Kind) {
	case ledger.KindPayment:
		t, err := jsonTransfer{e.From, e.To, e.Amount, e.Currency}.transfer(in)
		if err != nil {
			return ledger.Body{}, err
		}
		return ledger.NewPayment(ledger.Payment{Transfer: t, Date: e.Date, Note: e.Note, Source: source})
	case ledger.KindSettlement:
		s := ledger.Settlement{Note: e.Note, Source: source}
		for _, p := range e.Payments {
			t, err := p.transfer(in)
			if err != nil {
				return ledger.Body{}, err
			}
			s.Payments = append(s.Payments, t)
		}
		return ledger.NewSettlement(s, "")
	}
	return e.expense(source, in)
}

func (t jsonTransfer) transfer(in Context) (ledger.Transfer, error) {
	c, err := in.exported(t.Currency, t.Amount)
	if err != nil {
		return ledger.Transfer{}, err
	}
	amount, err := money.Parse(t.Amount, c)
	return ledger.Transfer{From: ledger.Name(t.From), To: ledger.Name(t.To), Amount: amount, Currency: c}, err
}

func (e *jsonEntry) expense(source string, in Context) (ledger.Body, error) {
	c, err := in.exported(e.Currency, e.Amount)
	if err != nil {
		return ledger.Body{}, err
	}
	x := ledger.Expense{
		Currency: c, Mode: ledger.Mode(e.Mode), Date: e.Date, Category: e.Category, Tags: e.Tags, Note: e.Note, Source: source,
	}
	if x.Amount, err = money.Parse(e.Amount, c); err != nil {
		return ledger.Body{}, err
	}
	if e.Converted != nil {
		x.Rate = money.Rate(e.Converted.Rate)
		if x.ConvertTo, err = in.exported(e.Converted.Currency, e.Converted.Amount); err != nil {
			return ledger.Body{}, err
		}
	}
	for _, p := range e.Payers {
		paid, err := money.Parse(p.Amount, c)
		if err != nil {
			return ledger.Body{}, err
		}
		if x.Amount < 0 {
			paid = -paid // a refund shows what everyone had back as negative
		}
		x.Payers = append(x.Payers, ledger.Part{Member: ledger.Name(p.Member), Amount: paid})
	}
	values := make(map[string]string, len(e.Values))
	for _, v := range e.Values {
		values[v.Member] = v.Value
	}
	for _, name := range e.Split {
		x.Split = append(x.Split, ledger.Portion{Member: ledger.Name(name), Value: values[name]})
	}
	return ledger.NewExpense(x)
}
