package ledger

import (
	"intercom/core/fault"
	"intercom/intersplit/money"
)

// Transfer is an amount that one member gave another.
type Transfer struct {
	From, To Name
	Amount   money.Minor // positive
	Currency money.Currency
}

// Payment is a transfer that was made. It moves balances and is never spending.
type Payment struct {
	Transfer
	Date   string // YYYY-MM-DD, or ""
	Note   string
	Key    string // idempotency key of its author, or ""
	Source string // import id, or ""
}

// Settlement is payments that were booked as one, so that one undo takes them
// back.
type Settlement struct {
	Payments []Transfer
	Note     string
	Source   string // import id, or ""
}

// NewPayment checks a payment that a caller described and makes it canonical.
func NewPayment(p Payment) (Body, error) {
	var err error
	if p.Transfer, err = p.tidy(); err != nil {
		return Body{}, err
	}
	if err := CheckDate(p.Date); err != nil {
		return Body{}, err
	}
	if p.Note, err = tidyText("note", p.Note, MaxNote); err != nil {
		return Body{}, err
	}
	if err := checkSource(p.Source); err != nil {
		return Body{}, err
	}
	return Body{Kind: KindPayment, Payment: &p}, CheckKey(p.Key)
}

// NewSettlement checks the payments of a settlement. What does not fit one entry
// is refused when it is encoded.
func NewSettlement(s Settlement, key string) (Body, error) {
	if len(s.Payments) == 0 {
		return Body{}, fault.New(fault.Invalid, "there is nothing to pay").WithHint("everybody is even")
	}
	tidy := Settlement{Payments: make([]Transfer, len(s.Payments)), Source: s.Source}
	if err := checkSource(s.Source); err != nil {
		return Body{}, err
	}
	for i, p := range s.Payments {
		var err error
		if tidy.Payments[i], err = p.tidy(); err != nil {
			return Body{}, err
		}
	}
	var err error
	if tidy.Note, err = tidyText("note", s.Note, MaxNote); err != nil {
		return Body{}, err
	}
	return Body{Kind: KindSettlement, Settlement: &tidy, Key: key}, CheckKey(key)
}

func (t Transfer) tidy() (Transfer, error) {
	var err error
	if t.From, err = ParseName(string(t.From)); err != nil {
		return Transfer{}, err
	}
	if t.To, err = ParseName(string(t.To)); err != nil {
		return Transfer{}, err
	}
	switch {
	case !t.Currency.Valid():
		return Transfer{}, fault.New(fault.Invalid, "currency %q is not a current ISO 4217 code", clip(string(t.Currency)))
	case t.From == t.To:
		return Transfer{}, fault.New(fault.Invalid, "%q pays themselves", t.From).WithHint("a payment goes from one member to another")
	case t.Amount == 0:
		return Transfer{}, fault.New(fault.Invalid, "the amount is zero").WithHint("give what was paid")
	case t.Amount < 0:
		return Transfer{}, fault.New(fault.Invalid, "the amount %s is negative", t.Amount.Format(t.Currency)).
			WithHint("swap from and to when the money went the other way")
	case t.Amount > money.Limit:
		return Transfer{}, fault.New(fault.Invalid, "the amount is beyond the limit").WithHint("one entry takes at most %s", money.Limit.Format(t.Currency))
	}
	return t, nil
}

// MaxSource is the most bytes of an import id.
const MaxSource = 128

func checkSource(source string) error {
	if len(source) > MaxSource {
		return fault.New(fault.Invalid, "import id %+q is too long", clip(source)).WithHint("use at most %d bytes", MaxSource)
	}
	return checkText("import id", source)
}
