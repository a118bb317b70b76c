package money

import (
	"strings"

	"github.com/bojanz/currency"

	"intercom/core/fault"
)

// MaxDecimals is the most decimals a unit of a room has, as in ISO 4217.
const MaxDecimals = 4

// maxUnit is the most characters a unit's name has.
const maxUnit = 24

// Unit gives the currency of a unit that a room counts in, such as nights. It
// holds its decimals, so that an amount can be read without knowing the room: two
// declarations that differ in them are two units.
func Unit(name string, decimals int) (Currency, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if !unitName(name) {
		return "", fault.New(fault.Invalid, "unit %q is not a name of a unit", clip(name)).
			WithHint("use 2 to %d of the letters a to z, digits and -, a letter first, and no code of ISO 4217", maxUnit)
	}
	if decimals < 0 || decimals > MaxDecimals {
		return "", fault.New(fault.Invalid, "%d decimals", decimals).WithHint("a unit has 0 to %d decimals", MaxDecimals)
	}
	return Currency(name + "/" + string(rune('0'+decimals))), nil
}

// unitName keeps units apart from codes, which are upper case, also for a caller
// who writes codes in lower case.
func unitName(name string) bool {
	if len(name) < 2 || len(name) > maxUnit || name[0] < 'a' {
		return false
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	_, code := currency.GetDigits(strings.ToUpper(name))
	return !code
}

// unit gives the decimals of a room's unit in its one spelling.
func (c Currency) unit() (decimals int, is bool) {
	name, digit, is := strings.Cut(string(c), "/")
	if !is || len(digit) != 1 || digit[0] < '0' || digit[0] > '0'+MaxDecimals || !unitName(name) {
		return 0, false
	}
	return int(digit[0] - '0'), true
}

// IsUnit says whether c is a unit of a room.
func (c Currency) IsUnit() bool {
	_, is := c.unit()
	return is
}

// Code is how people know the currency: its ISO 4217 code, the name of a room's
// unit, or "".
func (c Currency) Code() string {
	code, _, _ := strings.Cut(string(c), "/")
	return code
}
