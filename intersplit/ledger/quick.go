package ledger

import (
	"bytes"
	"strings"
	"time"

	"intercom/intersplit/money"
)

// quick reads the body of an everyday expense: equal shares, no conversion, no
// tags, plain ASCII texts. It saves most of what [Decode] costs, which is most of
// what opening a great room does. ok is false for whatever it does not know for
// certain to be in its one form; the long way decides about that. A test holds
// the two together.
func quick(raw []byte) (body Body, ok bool) {
	q := quickReader{rest: raw}
	e := &Expense{Mode: Equal}
	q.skip(`{"amount":"`)
	amount := q.text()
	e.Category = q.optional(`,"category":"`, MaxCategory)
	q.skip(`,"currency":"`)
	e.Currency = money.Currency(q.text())
	e.Date = q.optional(`,"date":"`, len(time.DateOnly))
	e.Key = q.optional(`,"key":"`, MaxKey)
	q.skip(`,"kind":"expense","mode":"equal"`)
	e.Note = q.optional(`,"note":"`, MaxNote)
	q.skip(`,"payers":[`)
	if q.bad || !e.Currency.Valid() {
		return Body{}, false
	}
	e.Amount = q.amount(amount, e.Currency)
	q.payers(e)
	q.skip(`,"split":[`)
	q.split(e)
	q.skip(`,"v":1}`)
	if q.bad || len(q.rest) > 0 || len(raw) > MaxBody || !quickDate(e.Date) {
		return Body{}, false
	}
	return Body{Kind: KindExpense, Expense: e}, true
}

// quickReader reads literal text. After something else it is bad.
type quickReader struct {
	rest []byte
	bad  bool
}

func (q *quickReader) skip(literal string) {
	if !q.has(literal) {
		q.bad = true
	}
}

func (q *quickReader) has(literal string) bool {
	if len(q.rest) < len(literal) || string(q.rest[:len(literal)]) != literal {
		return false
	}
	q.rest = q.rest[len(literal):]
	return true
}

// text reads up to a quotation mark: visible ASCII without an escape.
func (q *quickReader) text() string {
	end := bytes.IndexByte(q.rest, '"')
	if end < 0 {
		q.bad = true
		return ""
	}
	text := q.rest[:end]
	for _, b := range text {
		if b < ' ' || b > '~' || b == '\\' {
			q.bad = true
			return ""
		}
	}
	q.rest = q.rest[end+1:]
	return string(text)
}

// optional reads a text that is left out when it is empty, trimmed and bounded.
func (q *quickReader) optional(name string, limit int) string {
	if !q.has(name) {
		return ""
	}
	text := q.text()
	if text == "" || len(text) > limit || text[0] == ' ' || text[len(text)-1] == ' ' {
		q.bad = true
	}
	return text
}

// name reads a name that is its own one spelling.
func (q *quickReader) name() Name {
	text := q.text()
	if text == "" || len(text) > MaxName || text[0] == ' ' || text[len(text)-1] == ' ' || strings.Contains(text, "  ") {
		q.bad = true
	}
	for _, b := range []byte(text) {
		if b == ',' || b == ':' || 'A' <= b && b <= 'Z' {
			q.bad = true
		}
	}
	return Name(text)
}

// amount reads an amount in its one form, not zero.
func (q *quickReader) amount(text string, c money.Currency) money.Minor {
	amount, err := money.Parse(text, c)
	if err != nil || amount == 0 || amount.Format(c) != text {
		q.bad = true
	}
	return amount
}

// quickMembers bounds the lists in which repeats are looked for one by one.
const quickMembers = 16

func (q *quickReader) payers(e *Expense) {
	rest := money.SumOf(e.Amount.Abs())
	for more := true; more && !q.bad; more = q.has(`,`) {
		q.skip(`{"amount":"`)
		text := q.text()
		q.skip(`,"member":"`)
		p := Part{Member: q.name()}
		q.skip(`}`)
		if q.bad {
			return
		}
		p.Amount = q.amount(text, e.Currency)
		rest = rest.Minus(money.SumOf(p.Amount))
		for _, other := range e.Payers {
			q.bad = q.bad || other.Member == p.Member
		}
		e.Payers = append(e.Payers, p)
		q.bad = q.bad || p.Amount < 0 || len(e.Payers) > quickMembers
	}
	q.skip(`]`)
	q.bad = q.bad || rest.Sign() != 0
}

func (q *quickReader) split(e *Expense) {
	e.Split = make([]Portion, 0, 4)
	for more := true; more && !q.bad; more = q.has(`,`) {
		q.skip(`{"member":"`)
		p := Portion{Member: q.name()}
		q.skip(`}`)
		for _, other := range e.Split {
			q.bad = q.bad || other.Member == p.Member
		}
		e.Split = append(e.Split, p)
		q.bad = q.bad || len(e.Split) > quickMembers
	}
	q.skip(`]`)
}

func quickDate(date string) bool {
	if date == "" {
		return true
	}
	_, err := time.Parse(time.DateOnly, date)
	return err == nil
}
