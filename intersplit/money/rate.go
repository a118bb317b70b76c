package money

import (
	"math/big"
	"strings"

	"intercom/core/fault"
)

// Rate is what one unit of a currency is worth in another: a decimal number above
// zero in its one spelling, without zeros that say nothing. "" is no rate.
type Rate string

// rateDigits bounds a rate before and behind its point.
const rateDigits = 12

// ParseRate reads a rate, exactly.
func ParseRate(text string) (Rate, error) {
	number := strings.TrimSpace(text)
	if err := checkForm("rate", number); err != nil {
		return "", err
	}
	whole, frac, _ := strings.Cut(number, ".")
	whole, frac = strings.TrimLeft(whole, "0"), strings.TrimRight(frac, "0")
	switch {
	case number[0] == '-' || whole == "" && frac == "":
		return "", fault.New(fault.Invalid, "rate %q is not above zero", number).
			WithHint("give how many units of convert_to one unit of currency is worth")
	case len(whole) > rateDigits || len(frac) > rateDigits:
		return "", fault.New(fault.Invalid, "rate %q is too long", number).
			WithHint("use at most %d digits before the point and %d behind it", rateDigits, rateDigits)
	}
	if whole == "" {
		whole = "0"
	}
	if frac == "" {
		return Rate(whole), nil
	}
	return Rate(whole + "." + frac), nil
}

// Convert gives what an amount of from is worth in to: nearest minor unit, half
// away from zero. It is exact before that one rounding. rate comes from
// [ParseRate]; a result beyond [Limit] is refused.
func Convert(amount Minor, from, to Currency, rate Rate) (Minor, error) {
	whole, frac, _ := strings.Cut(string(rate), ".")
	factor, ok := new(big.Int).SetString(whole+frac, 10)
	if !ok {
		return 0, fault.New(fault.Invalid, "rate %q is not a number", clip(string(rate)))
	}
	value := factor.Mul(factor, big.NewInt(int64(amount.Abs())))
	value.Mul(value, powerOfTen(to.Decimals()))
	divisor := powerOfTen(len(frac) + from.Decimals())
	half := new(big.Int).Rsh(divisor, 1) // exact, and 0 for a divisor of 1
	value.Add(value, half).Quo(value, divisor)
	if !value.IsInt64() || value.Int64() > int64(Limit) {
		return 0, fault.New(fault.Invalid, "%s %s at %s is beyond the limit", amount.Format(from), from.spoken(), rate).
			WithHint("one entry takes at most %s", Limit.Format(to))
	}
	if amount < 0 {
		return -Minor(value.Int64()), nil
	}
	return Minor(value.Int64()), nil
}

func powerOfTen(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)
}

// ApportionAs cuts total in the proportion of parts, by largest remainder, ties in
// list order. The parts have one sign, add up to an amount within [Limit], and not
// to zero.
func ApportionAs(total Minor, parts []Minor) []Minor {
	weights := make([]Weight, len(parts))
	for i, p := range parts {
		weights[i] = Weight(p.Abs())
	}
	return Apportion(total, weights)
}
