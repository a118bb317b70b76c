package money

import (
	"math/bits"
	"slices"
	"strconv"
	"strings"

	"intercom/core/fault"
)

// Weight is a share or a percentage in millionths.
type Weight uint64

const (
	weightDecimals = 6
	// maxWeight bounds a weight so that the sum of 4096 of them fits 63 bits.
	maxWeight Weight = 1_000_000_000 * One
	// One is the weight 1.
	One Weight = 1_000_000
)

// ParseWeight reads a share or a percentage: not negative, at most six decimals,
// at most 1000000000.
func ParseWeight(text string) (Weight, error) {
	number := strings.TrimSpace(text)
	if err := checkForm("value", number); err != nil {
		return 0, err
	}
	if number[0] == '-' {
		return 0, fault.New(fault.Invalid, "value %q is negative", number).WithHint("a share or a percentage is 0 or more")
	}
	whole, frac, _ := strings.Cut(number, ".")
	if len(frac) > weightDecimals {
		return 0, fault.New(fault.Invalid, "value %q has %d decimals", number, len(frac)).
			WithHint("a share or a percentage has at most %d", weightDecimals)
	}
	units, err := strconv.ParseUint(whole+frac+strings.Repeat("0", weightDecimals-len(frac)), 10, 64)
	if err != nil || Weight(units) > maxWeight {
		return 0, fault.New(fault.Invalid, "value %q is beyond the limit", number).WithHint("use at most 1000000000")
	}
	return Weight(units), nil
}

// String writes the weight without trailing zeros.
func (w Weight) String() string {
	whole, frac := uint64(w/One), uint64(w%One)
	text := strconv.FormatUint(whole, 10)
	if frac == 0 {
		return text
	}
	digits := strconv.FormatUint(frac, 10)
	digits = strings.Repeat("0", weightDecimals-len(digits)) + digits
	return text + "." + strings.TrimRight(digits, "0")
}

// Apportion cuts total into one part per weight by largest remainder, ties in
// list order. The parts add up to total exactly; a weight of 0 gets 0; a
// negative total is cut like its absolute value and negated. total lies within
// [Limit], weights come from [ParseWeight], are at most 4096 and not all 0.
func Apportion(total Minor, weights []Weight) []Minor {
	var sum uint64
	for _, w := range weights {
		sum += uint64(w)
	}
	whole := uint64(total.Abs())
	parts := make([]Minor, len(weights))
	remainders := make([]uint64, len(weights))
	left := whole
	for i, w := range weights {
		hi, lo := bits.Mul64(whole, uint64(w))
		quo, rem := bits.Div64(hi, lo, sum)
		parts[i], remainders[i] = Minor(quo), rem
		left -= quo
	}
	if left > 0 {
		byRemainder := make([]int, len(weights))
		for i := range byRemainder {
			byRemainder[i] = i
		}
		slices.SortStableFunc(byRemainder, func(a, b int) int {
			switch {
			case remainders[a] > remainders[b]:
				return -1
			case remainders[a] < remainders[b]:
				return 1
			}
			return 0
		})
		// What is left is the sum of the remainders divided by sum, hence less
		// than the number of parts that have one: no part of weight 0 is reached.
		for _, i := range byRemainder[:left] {
			parts[i]++
		}
	}
	if total < 0 {
		for i := range parts {
			parts[i] = -parts[i]
		}
	}
	return parts
}

// Evenly cuts total into n equal parts, the first ones a unit greater when it
// does not divide.
func Evenly(total Minor, n int) []Minor {
	return Apportion(total, slices.Repeat([]Weight{1}, n))
}
