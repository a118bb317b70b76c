package contract

import (
	"fmt"
	"math/big"
	"strings"
)

// MaxPlaces is the most digits that a [Decimal] has behind its point.
const MaxPlaces = 40

// A Decimal is an exact decimal number. As JSON it is a text, "12.5"; zeros at its
// end mean nothing. It does not change; the zero Decimal is 0.
type Decimal struct {
	unscaled Integer
	places   int // the value is unscaled ÷ 10^places
}

// ParseDecimal reads digits with at most one point between them, and a minus
// before them if it is negative.
func ParseDecimal(text string) (Decimal, error) {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if !onlyDigits(whole) || point && !onlyDigits(fraction) || len(fraction) > MaxPlaces ||
		len(whole)+len(fraction) > MaxDigits || len(whole) > 1 && whole[0] == '0' {
		return Decimal{}, fmt.Errorf("%+.40q is no decimal number", text)
	}
	n, _ := new(big.Int).SetString(whole+fraction, 10)
	if strings.HasPrefix(text, "-") {
		n.Neg(n)
	}
	return Decimal{Integer{n}, len(fraction)}, nil
}

// DecimalOf is unscaled ÷ 10^places.
func DecimalOf(unscaled Integer, places int) (Decimal, error) {
	if places < 0 || places > MaxPlaces {
		return Decimal{}, fmt.Errorf("%d places are not 0 to %d", places, MaxPlaces)
	}
	return Decimal{unscaled, places}, nil
}

func pow10(n int) Integer {
	return Integer{new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil)}
}

// aligned gives both as numbers of the same places.
func aligned(a, b Decimal) (x, y Integer, places int) {
	places = max(a.places, b.places)
	return a.unscaled.Mul(pow10(places - a.places)), b.unscaled.Mul(pow10(places - b.places)), places
}

// Add is a + b.
func (a Decimal) Add(b Decimal) Decimal {
	x, y, places := aligned(a, b)
	return Decimal{x.Add(y), places}
}

// Sub is a - b.
func (a Decimal) Sub(b Decimal) Decimal {
	x, y, places := aligned(a, b)
	return Decimal{x.Sub(y), places}
}

// Mul is a × b, rounded half to even when it has more than [MaxPlaces] places.
func (a Decimal) Mul(b Decimal) Decimal {
	return Decimal{a.unscaled.Mul(b.unscaled), a.places + b.places}.Round(MaxPlaces)
}

// Div is a ÷ b with so many places at most, rounded half to even. A zero b panics,
// which ends the call.
func (a Decimal) Div(b Decimal, places int) Decimal {
	places = min(max(places, 0), MaxPlaces)
	x, y, _ := aligned(a, b)
	return Decimal{halfEven(x.Mul(pow10(places)), y), places}
}

// Round gives a with so many places at most, rounded half to even.
func (a Decimal) Round(places int) Decimal {
	places = min(max(places, 0), MaxPlaces)
	if a.places <= places {
		return a
	}
	return Decimal{halfEven(a.unscaled, pow10(a.places-places)), places}
}

// halfEven is x ÷ y, rounded half to even.
func halfEven(x, y Integer) Integer {
	q, rest := x.Div(y), x.Rem(y)
	twice := new(big.Int).Abs(rest.big())
	twice.Lsh(twice, 1)
	switch twice.CmpAbs(y.big()) {
	case -1:
		return q
	case 0:
		if q.big().Bit(0) == 0 {
			return q
		}
	}
	return q.Add(NewInteger(int64(x.Sign() * y.Sign())))
}

// Cmp is -1, 0 or 1: whether a is less than, equal to or greater than b.
func (a Decimal) Cmp(b Decimal) int {
	x, y, _ := aligned(a, b)
	return x.Cmp(y)
}

// Sign is -1, 0 or 1.
func (a Decimal) Sign() int { return a.unscaled.Sign() }

// String is the number without zeros at its end.
func (a Decimal) String() string {
	digits := new(big.Int).Abs(a.unscaled.big()).String()
	if a.places > 0 {
		digits = strings.Repeat("0", max(0, a.places+1-len(digits))) + digits
		at := len(digits) - a.places
		digits = strings.TrimSuffix(strings.TrimRight(digits[:at]+"."+digits[at:], "0"), ".")
	}
	if a.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// MarshalText is the number without zeros at its end.
func (a Decimal) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what [ParseDecimal] does.
func (a *Decimal) UnmarshalText(text []byte) (err error) {
	*a, err = ParseDecimal(string(text))
	return err
}
