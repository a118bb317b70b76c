package ledger

import (
	"fmt"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

// Mode says how the values of a split are read.
type Mode string

// The modes of a split.
const (
	Equal   Mode = "equal"   // no values: everyone bears the same
	Exact   Mode = "exact"   // amounts; members without one share the rest equally
	Shares  Mode = "shares"  // weights
	Percent Mode = "percent" // percentages that add up to 100
)

// Modes lists every mode.
var Modes = []Mode{Equal, Exact, Shares, Percent}

// Part is what one member paid or bears.
type Part struct {
	Member Name
	Amount money.Minor
}

// Portion is one line of a split: a member and, in a mode that has values, its
// value. Empty means none was given.
type Portion struct {
	Member Name
	Value  string
}

// Expense is what was spent, by whom, and for whom. A negative amount is a
// refund and mirrors the expense to the unit.
type Expense struct {
	Amount    money.Minor
	Currency  money.Currency
	ConvertTo money.Currency // what it counts in, or "" for its own currency
	Rate      money.Rate     // with ConvertTo: its units for one unit of Currency
	Payers    []Part         // parts of the absolute amount, which they add up to
	Mode      Mode
	Split     []Portion // no member twice; values in canonical text

	Date     string // YYYY-MM-DD, the day of the expense, or ""
	Category string
	Tags     []string
	Note     string
	Key      string // idempotency key of its author, or ""
	Source   string // import id, or "": of a room's equal ones one counts
}

// Paid is what each payer paid; the parts add up to the amount.
func (e *Expense) Paid() []Part {
	paid := make([]Part, len(e.Payers))
	for i, p := range e.Payers {
		paid[i] = p
		if e.Amount < 0 {
			paid[i].Amount = -p.Amount
		}
	}
	return paid
}

// Borne is what each member of the split bears, in its order; the parts add up
// to the amount exactly.
func (e *Expense) Borne() ([]Part, error) {
	amounts, err := e.apportion()
	if err != nil {
		return nil, err
	}
	borne := make([]Part, len(e.Split))
	for i, portion := range e.Split {
		borne[i] = Part{Member: portion.Member, Amount: amounts[i]}
	}
	return borne, nil
}

// Booked is what an expense comes to in the currency it counts in.
type Booked struct {
	Currency money.Currency
	Total    money.Minor
	Paid     []Part // adds up to the total, as Borne does
	Borne    []Part
}

// Booked gives what counts. The total is converted once, and what was paid and
// borne is apportioned over it, so nothing is lost or made by rounding.
func (e *Expense) Booked() (Booked, error) {
	borne, err := e.Borne()
	if err != nil {
		return Booked{}, err
	}
	b := Booked{Currency: e.Currency, Total: e.Amount, Paid: e.Paid(), Borne: borne}
	if e.ConvertTo == "" {
		return b, nil
	}
	b.Currency = e.ConvertTo
	if b.Total, err = money.Convert(e.Amount, e.Currency, e.ConvertTo, e.Rate); err != nil {
		return Booked{}, err
	}
	if b.Total == 0 {
		return Booked{}, fault.New(fault.Invalid, "%s %s at %s comes to nothing in %s", e.Amount.Format(e.Currency), e.Currency.Code(), e.Rate, e.ConvertTo.Code()).
			WithHint("check the rate: it is how many units of convert_to one unit of the currency is worth")
	}
	convert(b.Paid, b.Total)
	convert(b.Borne, b.Total)
	return b, nil
}

// convert makes parts of one total parts of another.
func convert(parts []Part, total money.Minor) {
	amounts := make([]money.Minor, len(parts))
	for i, p := range parts {
		amounts[i] = p.Amount
	}
	for i, amount := range money.ApportionAs(total, amounts) {
		parts[i].Amount = amount
	}
}

func (e *Expense) apportion() ([]money.Minor, error) {
	switch e.Mode {
	case Equal:
		return money.Evenly(e.Amount, len(e.Split)), nil
	case Exact:
		return e.exactly()
	default:
		weights, err := e.weights()
		if err != nil {
			return nil, err
		}
		return money.Apportion(e.Amount, weights), nil
	}
}

// weights reads the values of shares and percent. Both need a value from
// everyone: a missing one is more likely a slip than a zero.
func (e *Expense) weights() ([]money.Weight, error) {
	weights := make([]money.Weight, len(e.Split))
	var sum money.Weight
	for i, portion := range e.Split {
		if portion.Value == "" {
			return nil, fault.New(fault.Invalid, "%s has no value in mode %s", portion.Member, e.Mode).
				WithHint(`give everyone one, as in "ann:2,bob:1"`)
		}
		w, err := money.ParseWeight(portion.Value)
		if err != nil {
			return nil, err
		}
		weights[i] = w
		sum += w
	}
	if sum == 0 {
		return nil, fault.New(fault.Invalid, "every value of the split is 0").WithHint("give at least one member more than 0")
	}
	if e.Mode == Percent && sum != 100*money.One {
		return nil, fault.New(fault.Invalid, "the percentages add up to %s", sum).WithHint("make them add up to 100")
	}
	return weights, nil
}

// exactly reads the values of mode exact: parts of the absolute amount.
func (e *Expense) exactly() ([]money.Minor, error) {
	amounts := make([]money.Minor, len(e.Split))
	var open []int
	var given money.Sum
	for i, portion := range e.Split {
		if portion.Value == "" {
			open = append(open, i)
			continue
		}
		amount, err := parsePart("value", portion.Value, e.Currency)
		if err != nil {
			return nil, err
		}
		amounts[i] = amount
		given = given.Plus(money.SumOf(amount))
	}
	rest := money.SumOf(e.Amount.Abs()).Minus(given)
	if rest.Sign() < 0 || rest.Sign() > 0 && len(open) == 0 {
		return nil, missing("the values of the split", rest, e.Currency)
	}
	if len(open) > 0 {
		share := e.Amount.Abs()
		for _, amount := range amounts {
			share -= amount
		}
		for i, amount := range money.Evenly(share, len(open)) {
			amounts[open[i]] = amount
		}
	}
	if e.Amount < 0 {
		for i := range amounts {
			amounts[i] = -amounts[i]
		}
	}
	return amounts, nil
}

// parsePart reads a part of an amount: not negative, since the sign is the
// amount's own.
func parsePart(what, text string, c money.Currency) (money.Minor, error) {
	amount, err := money.Parse(text, c)
	if err == nil && amount < 0 {
		return 0, fault.New(fault.Invalid, "%s %q is negative", what, clip(text)).
			WithHint("give parts without a sign: for a refund the amount alone is negative")
	}
	return amount, err
}

// missing refuses parts that do not add up, and says by how much. rest is the
// amount minus the parts.
func missing(what string, rest money.Sum, c money.Currency) error {
	off := "too little"
	if rest.Sign() < 0 {
		off = "too much"
	}
	difference := fmt.Sprintf("%s %s", rest.Abs().Format(c), off)
	return fault.New(fault.Invalid, "%s add up to %s", what, difference).
		WithHint("make them add up to the amount exactly")
}
