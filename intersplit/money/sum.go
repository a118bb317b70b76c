package money

import (
	"cmp"
	"math/bits"
	"strconv"
	"strings"
)

// Sum is a 128-bit signed sum of amounts in minor units. The zero value is zero;
// equal sums are equal under ==.
type Sum struct {
	hi int64
	lo uint64
}

// SumOf is m as a sum.
func SumOf(m Minor) Sum { return Sum{hi: int64(m) >> 63, lo: uint64(m)} }

// Plus is s + t.
func (s Sum) Plus(t Sum) Sum {
	lo, carry := bits.Add64(s.lo, t.lo, 0)
	return Sum{hi: s.hi + t.hi + int64(carry), lo: lo}
}

// Minus is s - t.
func (s Sum) Minus(t Sum) Sum {
	lo, borrow := bits.Sub64(s.lo, t.lo, 0)
	return Sum{hi: s.hi - t.hi - int64(borrow), lo: lo}
}

// Neg is -s.
func (s Sum) Neg() Sum { return Sum{}.Minus(s) }

// Sign is -1, 0 or 1.
func (s Sum) Sign() int {
	switch {
	case s.hi < 0:
		return -1
	case s.hi == 0 && s.lo == 0:
		return 0
	default:
		return 1
	}
}

// Cmp orders sums.
func (s Sum) Cmp(t Sum) int {
	return cmp.Or(cmp.Compare(s.hi, t.hi), cmp.Compare(s.lo, t.lo))
}

// Abs is s without its sign.
func (s Sum) Abs() Sum {
	if s.hi < 0 {
		return s.Neg()
	}
	return s
}

// Digits writes the sum in minor units, as a JSON number has it.
func (s Sum) Digits() string {
	if s.hi < 0 {
		return "-" + s.Neg().Digits()
	}
	if s.hi == 0 {
		return strconv.FormatUint(s.lo, 10)
	}
	const chunk = 1e19
	upper := uint64(s.hi)
	quo, rem := bits.Div64(upper%chunk, s.lo, chunk)
	low := strconv.FormatUint(rem, 10)
	return Sum{hi: int64(upper / chunk), lo: quo}.Digits() + strings.Repeat("0", 19-len(low)) + low
}

// Format writes the sum with exactly c's decimals and a sign only when it is
// negative.
func (s Sum) Format(c Currency) string {
	digits := s.Abs().Digits()
	if decimals := c.Decimals(); decimals > 0 {
		if missing := decimals + 1 - len(digits); missing > 0 {
			digits = strings.Repeat("0", missing) + digits
		}
		point := len(digits) - decimals
		digits = digits[:point] + "." + digits[point:]
	}
	if s.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// Signed is [Sum.Format] with a plus before a positive sum, as people read a
// balance.
func (s Sum) Signed(c Currency) string {
	if s.Sign() > 0 {
		return "+" + s.Format(c)
	}
	return s.Format(c)
}
