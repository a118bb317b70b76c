package contract

import (
	"fmt"
	"math/big"
	"strings"
)

// MaxDigits is the most digits that an [Integer] or a [Decimal] is read with.
const MaxDigits = 100

// An Integer is a whole number of any size. As JSON it is a text, "123", because
// JavaScript's numbers end at 2^53. It does not change; the zero Integer is 0.
type Integer struct{ n *big.Int }

// NewInteger makes the Integer of a number.
func NewInteger(n int64) Integer { return Integer{big.NewInt(n)} }

// ParseInteger reads the one form of an Integer: digits, with a minus before them
// if it is negative, no plus, no zeros in front.
func ParseInteger(text string) (Integer, error) {
	digits := strings.TrimPrefix(text, "-")
	if !onlyDigits(digits) || len(digits) > MaxDigits || digits[0] == '0' && text != "0" {
		return Integer{}, fmt.Errorf("%+.40q is no whole number", text)
	}
	n, _ := new(big.Int).SetString(text, 10)
	return Integer{n}, nil
}

func onlyDigits(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
}

func (a Integer) big() *big.Int {
	if a.n == nil {
		return new(big.Int)
	}
	return a.n
}

// Add is a + b.
func (a Integer) Add(b Integer) Integer { return Integer{new(big.Int).Add(a.big(), b.big())} }

// Sub is a - b.
func (a Integer) Sub(b Integer) Integer { return Integer{new(big.Int).Sub(a.big(), b.big())} }

// Mul is a × b.
func (a Integer) Mul(b Integer) Integer { return Integer{new(big.Int).Mul(a.big(), b.big())} }

// Div is a ÷ b without the rest, which Rem gives: both round toward zero. A zero b
// panics, which ends the call.
func (a Integer) Div(b Integer) Integer { return Integer{new(big.Int).Quo(a.big(), b.big())} }

// Rem is the rest of a ÷ b, with the sign of a.
func (a Integer) Rem(b Integer) Integer { return Integer{new(big.Int).Rem(a.big(), b.big())} }

// Cmp is -1, 0 or 1: whether a is less than, equal to or greater than b.
func (a Integer) Cmp(b Integer) int { return a.big().Cmp(b.big()) }

// Sign is -1, 0 or 1.
func (a Integer) Sign() int { return a.big().Sign() }

// String is the one form.
func (a Integer) String() string { return a.big().String() }

// MarshalText is the one form.
func (a Integer) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads the one form.
func (a *Integer) UnmarshalText(text []byte) (err error) {
	*a, err = ParseInteger(string(text))
	return err
}
