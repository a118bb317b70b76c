// Package money counts in whole minor units: cents, yen, fils.
//
// It guarantees that no amount is ever rounded, guessed or held as a float: text
// becomes an integer of minor units or is refused with a hint, and the same
// integer always becomes the same text. Sums are 128 bits wide, so that no
// number of entries within [Limit] can overflow one. It is the one home of the
// ISO 4217 table; who owes whom is for others.
package money

import (
	"strings"

	"github.com/bojanz/currency"

	"intercom/core/fault"
)

// Currency is an ISO 4217 code in upper case, a unit of a room (see [Unit]), or ""
// for a room without one, which counts with two decimals.
type Currency string

// decimalsWithout is how many decimals amounts without a currency have.
const decimalsWithout = 2

// ParseCurrency reads a code in any case, with space around it.
func ParseCurrency(text string) (Currency, error) {
	code := Currency(strings.ToUpper(strings.TrimSpace(text)))
	if !code.Valid() || code.IsUnit() {
		return "", fault.New(fault.Invalid, "currency %q is not a current ISO 4217 code", clip(text)).
			WithHint("use three letters such as EUR, USD or JPY, leave currency out, or declare a unit of the room with expense_unit")
	}
	return code, nil
}

// Valid says whether c is "", a current code exactly as ISO writes it, or a unit
// in its one spelling.
func (c Currency) Valid() bool {
	if c == "" {
		return true
	}
	_, known := currency.GetDigits(string(c))
	return known || c.IsUnit()
}

// Decimals is how many digits stand behind the point: 0 to 4.
func (c Currency) Decimals() int {
	if digits, known := currency.GetDigits(string(c)); known {
		return int(digits)
	}
	if decimals, is := c.unit(); is {
		return decimals
	}
	return decimalsWithout
}

// clip shortens a caller's text for an error message.
func clip(text string) string {
	const most = 40
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return text
}
