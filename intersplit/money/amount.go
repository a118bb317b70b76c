package money

import (
	"strconv"
	"strings"

	"intercom/core/fault"
)

// Minor is an amount in minor units of some currency.
type Minor int64

// Limit is the greatest absolute amount of one entry, in minor units.
const Limit Minor = 10_000_000_000_000_000

// maxText bounds an amount's text before anything looks inside. Leading zeros
// are the only way to need more than 22 bytes.
const maxText = 40

// Parse reads a decimal amount of currency c: an optional minus, digits, and at
// most as many decimals as c has. Nothing is rounded and nothing is guessed.
func Parse(text string, c Currency) (Minor, error) {
	number := strings.TrimSpace(text)
	if err := checkForm("amount", number); err != nil {
		return 0, err
	}
	unsigned, negative := strings.CutPrefix(number, "-")
	whole, frac, _ := strings.Cut(unsigned, ".")
	decimals := c.Decimals()
	if len(frac) > decimals {
		return 0, fault.New(fault.Invalid, "amount %q has %d decimals, %s has %d", number, len(frac), c.spoken(), decimals).
			WithHint("round it yourself: an amount is never rounded for you")
	}
	units, err := strconv.ParseInt(whole+frac+strings.Repeat("0", decimals-len(frac)), 10, 64)
	if err != nil || units > int64(Limit) {
		return 0, fault.New(fault.Invalid, "amount %q is beyond the limit", number).
			WithHint("one entry takes at most %s", Limit.Format(c))
	}
	if negative {
		units = -units
	}
	return Minor(units), nil
}

// checkForm refuses whatever is not -?digits[.digits], with a hint that fits the
// likely mistake. what names the value in the message.
func checkForm(what, number string) error {
	refuse := func(hint string) error {
		return fault.New(fault.Invalid, "%s %q is not a plain decimal number", what, clip(number)).WithHint("%s", hint)
	}
	if number == "" {
		return fault.New(fault.Invalid, "%s is blank", what).WithHint("give a decimal number such as 12.50")
	}
	if len(number) > maxText {
		return refuse("it is too long: give a decimal number such as 12.50")
	}
	if number[0] == '+' {
		return refuse("leave out the leading +")
	}
	for _, r := range strings.TrimPrefix(number, "-") {
		switch {
		case r >= '0' && r <= '9' || r == '.':
		case r == ',' || r == '\'' || r == '_' || r == ' ':
			return refuse("leave out group separators and write the decimals behind a point: 1234.50")
		case r == 'e' || r == 'E':
			return refuse("write all digits: 1000, not 1e3")
		case r > 127:
			return refuse("use the digits 0 to 9, an optional leading - and a point")
		default:
			return refuse("use only digits and a point: 12.50")
		}
	}
	whole, frac, point := strings.Cut(strings.TrimPrefix(number, "-"), ".")
	if whole == "" || point && frac == "" || strings.Contains(frac, ".") {
		return refuse("write digits on both sides of one point: 0.50")
	}
	return nil
}

// Format writes the amount with exactly c's decimals and a sign only when it is
// negative.
func (m Minor) Format(c Currency) string { return SumOf(m).Format(c) }

// Abs is the amount without its sign. m lies within [Limit].
func (m Minor) Abs() Minor {
	if m < 0 {
		return -m
	}
	return m
}

func (c Currency) spoken() string {
	if c == "" {
		return "an amount without a currency"
	}
	return c.Code()
}
