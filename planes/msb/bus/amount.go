package bus

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"intercom/core/fault"
)

// Decimals is how many digits stand behind the point.
const Decimals = 18

const (
	unit       = 1_000_000_000_000_000_000 // atomic units in a TNK
	maxDecimal = 128                       // characters; the greatest amount has 40
)

// An Amount is a number of atomic units, 10^-18 TNK, below 2^128. As text it is
// decimal TNK, without zeros at the end. It never wraps around.
type Amount struct{ hi, lo uint64 }

// MaxAmount is 2^128 − 1 atomic units.
var MaxAmount = Amount{math.MaxUint64, math.MaxUint64}

// Atomic is that many atomic units.
func Atomic(units uint64) Amount { return Amount{lo: units} }

// ParseAmount reads decimal TNK by upstream's rules and with upstream's errors
// (upstream 2.10): digits, and at most 18 more behind a point.
func ParseAmount(text string) (Amount, error) {
	bad := func(message string) (Amount, error) {
		return Amount{}, fault.New(fault.Invalid, "%s", message).
			WithHint("%s is not an amount; write it like 12.5", shorten(text))
	}
	if strings.HasPrefix(text, "-") {
		return bad("Negative amounts are not allowed")
	}
	whole, decimals, point := strings.Cut(text, ".")
	if !digits(whole) || point && !digits(decimals) || len(text) > maxDecimal {
		return bad("Invalid decimal format. Use format: 123.456")
	}
	if len(decimals) > Decimals {
		return bad("Too many decimal places. Maximum allowed: 18")
	}
	var a Amount
	for _, digit := range []byte(whole + decimals + strings.Repeat("0", Decimals-len(decimals))) {
		var ok bool
		if a, ok = a.shift(uint64(digit - '0')); !ok {
			return bad("Amount exceeds maximum allowed value (2^128 - 1)")
		}
	}
	return a, nil
}

// shift appends a decimal digit.
func (a Amount) shift(digit uint64) (Amount, bool) {
	over, hi := bits.Mul64(a.hi, 10)
	carry, lo := bits.Mul64(a.lo, 10)
	hi, c := bits.Add64(hi, carry, 0)
	sum, ok := Amount{hi, lo}.Add(Atomic(digit))
	return sum, ok && over == 0 && c == 0
}

func digits(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }

func shorten(text string) string {
	if len(text) > 40 {
		return fmt.Sprintf("%q…", text[:40])
	}
	return fmt.Sprintf("%q", text)
}

// Add is the sum, if it is below 2^128.
func (a Amount) Add(b Amount) (sum Amount, ok bool) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, carry := bits.Add64(a.hi, b.hi, carry)
	return Amount{hi, lo}, carry == 0
}

// Sub is the difference, if it is not negative.
func (a Amount) Sub(b Amount) (difference Amount, ok bool) {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, borrow := bits.Sub64(a.hi, b.hi, borrow)
	return Amount{hi, lo}, borrow == 0
}

// Cmp is -1, 0 or 1 as a is less than, equal to or more than b.
func (a Amount) Cmp(b Amount) int { return cmp.Or(cmp.Compare(a.hi, b.hi), cmp.Compare(a.lo, b.lo)) }

// IsZero tells whether it is nothing.
func (a Amount) IsZero() bool { return a == Amount{} }

// AtomicText is the number of atomic units in decimal.
func (a Amount) AtomicText() string {
	rest, low := a.divide()
	high, middle := rest.divide()
	return cmp.Or(strings.TrimLeft(fmt.Sprintf("%d%018d%018d", high.lo, middle, low), "0"), "0")
}

// divide by 10^18.
func (a Amount) divide() (quotient Amount, remainder uint64) {
	hi, rest := a.hi/unit, a.hi%unit
	lo, rest := bits.Div64(rest, a.lo, unit)
	return Amount{hi, lo}, rest
}

// String is decimal TNK.
func (a Amount) String() string {
	whole, decimals := a.divide()
	text := whole.AtomicText()
	if decimals == 0 {
		return text
	}
	return text + "." + strings.TrimRight(fmt.Sprintf("%018d", decimals), "0")
}

// MarshalText is the decimal form.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the decimal form.
func (a *Amount) UnmarshalText(text []byte) error {
	parsed, err := ParseAmount(string(text))
	if err == nil {
		*a = parsed
	}
	return err
}

// amountSize is an amount's size in bytes, big endian.
const amountSize = 16

func (a Amount) append(out []byte) []byte {
	return binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(out, a.hi), a.lo)
}

// amountOf reads amountSize bytes.
func amountOf(raw []byte) Amount {
	return Amount{binary.BigEndian.Uint64(raw), binary.BigEndian.Uint64(raw[8:])}
}
