package contract_test

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/planes/subnet/contract"
)

func decimal(t interface{ Fatal(...any) }, text string) contract.Decimal {
	d, err := contract.ParseDecimal(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// W71: what cannot be read is an error, never a zero, and nothing is cut off.
func TestNumbersAreReadExactly(t *testing.T) {
	for _, bad := range []string{"", "-", "+1", "01", "1.5", "1e3", "0x1", " 1", "-0", "NaN", strings.Repeat("9", contract.MaxDigits+1)} {
		if n, err := contract.ParseInteger(bad); err == nil {
			t.Errorf("%q is read as %s", bad, n)
		}
	}
	for _, bad := range []string{"", ".", "1.", ".5", "00.5", "1e3", "--1", "1,5", "1.2.3", "1." + strings.Repeat("0", contract.MaxPlaces+1)} {
		if d, err := contract.ParseDecimal(bad); err == nil {
			t.Errorf("%q is read as %s", bad, d)
		}
	}
	for in, want := range map[string]string{"0": "0", "-0.00": "0", "12.50": "12.5", "-0.05": "-0.05", "100": "100", "9007199254740993.1": "9007199254740993.1"} {
		if got := decimal(t, in).String(); got != want {
			t.Errorf("%s is shown as %s, want %s", in, got, want)
		}
	}
	var zero contract.Decimal
	if text, err := json.Marshal(zero.Add(decimal(t, "0.5"))); err != nil || string(text) != `"0.5"` {
		t.Errorf("got %s, %v", text, err)
	}
}

func TestDivisionRoundsHalfToEven(t *testing.T) {
	for _, c := range []struct {
		a, b   string
		places int
		want   string
	}{
		{"1", "3", 4, "0.3333"}, {"2", "3", 4, "0.6667"}, {"1", "2", 0, "0"}, {"3", "2", 0, "2"}, {"-1", "2", 0, "0"}, {"-3", "2", 0, "-2"},
		{"5", "-2", 0, "-2"}, {"-5", "-2", 0, "2"}, {"0.1", "0.2", 1, "0.5"}, {"1", "8", 2, "0.12"}, {"3", "8", 2, "0.38"},
	} {
		if got := decimal(t, c.a).Div(decimal(t, c.b), c.places).String(); got != c.want {
			t.Errorf("%s / %s to %d places is %s, want %s", c.a, c.b, c.places, got, c.want)
		}
	}
}

func TestDecimalsAgreeWithRationals(t *testing.T) {
	text := rapid.StringMatching(`-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,12})?`)
	rapid.Check(t, func(t *rapid.T) {
		as, bs := text.Draw(t, "a"), text.Draw(t, "b")
		a, b := decimal(t, as), decimal(t, bs)
		x, _ := new(big.Rat).SetString(as)
		y, _ := new(big.Rat).SetString(bs)
		for name, pair := range map[string][2]string{
			"sum":        {a.Add(b).String(), new(big.Rat).Add(x, y).FloatString(24)},
			"difference": {a.Sub(b).String(), new(big.Rat).Sub(x, y).FloatString(24)},
			"product":    {a.Mul(b).String(), new(big.Rat).Mul(x, y).FloatString(24)},
		} {
			if pair[0] != decimal(t, pair[1]).String() {
				t.Fatalf("%s of %s and %s is %s, want %s", name, as, bs, pair[0], pair[1])
			}
		}
		if a.Cmp(b) != x.Cmp(y) || a.Sign() != x.Sign() {
			t.Fatalf("%s against %s is %d", as, bs, a.Cmp(b))
		}
	})
}

func TestIntegersHaveNoLimit(t *testing.T) {
	n := contract.NewInteger(1)
	for range 70 {
		n = n.Mul(contract.NewInteger(10))
	}
	if got := n.Add(contract.NewInteger(7)).Rem(contract.NewInteger(10)).String(); got != "7" {
		t.Errorf("got %s", got)
	}
	var zero contract.Integer
	if zero.Add(zero).String() != "0" || zero.Sign() != 0 || zero.Cmp(contract.NewInteger(1)) != -1 {
		t.Error("the zero Integer is not 0")
	}
}

func FuzzNumbers(f *testing.F) {
	for _, seed := range []string{"0", "-1", "12.50", "1e9", "-0", "00", "9.", "١"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := contract.ParseInteger(text); err == nil && n.String() != text {
			t.Fatalf("%q is read as %s", text, n)
		}
		if d, err := contract.ParseDecimal(text); err == nil {
			if again, err := contract.ParseDecimal(d.String()); err != nil || again.Cmp(d) != 0 {
				t.Fatalf("%q is read as %s, which is read as %v, %v", text, d, again, err)
			}
		}
	})
}
