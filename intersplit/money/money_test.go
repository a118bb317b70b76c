package money_test

import (
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

func TestAmountsAreExactOrRefused(t *testing.T) {
	for _, c := range []struct {
		text     string
		currency money.Currency
		want     string // what it formats to; "" means refused
	}{
		{"30", "", "30.00"},
		{"30.5", "", "30.50"},
		{" 30.50 ", "USD", "30.50"},
		{"007", "USD", "7.00"},
		{"-12.34", "EUR", "-12.34"},
		{"-0", "EUR", "0.00"},
		{"0.01", "EUR", "0.01"},
		{"100", "JPY", "100"},
		{"1.234", "KWD", "1.234"},
		{"1.2345", "CLF", "1.2345"},
		{"100000000000000.00", "EUR", "100000000000000.00"},
		{"-100000000000000", "EUR", "-100000000000000.00"},
		{"10000000000000000", "JPY", "10000000000000000"},

		{"100000000000000.01", "EUR", ""},
		{"10000000000000001", "JPY", ""},
		{"1000000000000000000", "", ""},
		{strings.Repeat("9", 39), "", ""},
		{strings.Repeat("0", 41), "", ""},
		{"0.001", "EUR", ""},
		{"0.000", "EUR", ""},
		{"1.0", "JPY", ""},
		{"", "", ""},
		{"  ", "", ""},
		{"-", "", ""},
		{"--1", "", ""},
		{".5", "", ""},
		{"5.", "", ""},
		{".", "", ""},
		{"1.2.3", "", ""},
		{"+1", "", ""},
		{"1,000", "", ""},
		{"1.234,56", "", ""},
		{"1'000", "", ""},
		{"1_000", "", ""},
		{"1 000", "", ""},
		{"1e3", "", ""},
		{"1E3", "", ""},
		{"0x10", "", ""},
		{"NaN", "", ""},
		{"Infinity", "", ""},
		{"25k", "", ""},
		{"１２", "", ""},
		{"١٢", "", ""},
		{"−5", "", ""},
		{"$5", "", ""},
		{"5\x00", "", ""},
	} {
		amount, err := money.Parse(c.text, c.currency)
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%q %s: taken as %s", c.text, c.currency, amount.Format(c.currency))
		case c.want == "" && (fault.KindOf(err) != fault.Invalid || fault.Of(err).Hint == ""):
			t.Errorf("%q: %v, without kind or hint", c.text, err)
		case c.want != "" && err != nil:
			t.Errorf("%q %s: %v", c.text, c.currency, err)
		case c.want != "" && amount.Format(c.currency) != c.want:
			t.Errorf("%q %s: %s, want %s", c.text, c.currency, amount.Format(c.currency), c.want)
		}
	}
}

func TestCurrenciesAreIsoCodesInAnyCase(t *testing.T) {
	for text, want := range map[string]money.Currency{"": "", " usd ": "USD", "Jpy": "JPY", "EUR": "EUR"} {
		if got, err := money.ParseCurrency(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"XXX", "EURO", "E", "ＥＵＲ", "DEM", "€"} {
		if got, err := money.ParseCurrency(text); err == nil {
			t.Errorf("%q: taken as %q", text, got)
		}
	}
	for c, want := range map[money.Currency]int{"": 2, "JPY": 0, "USD": 2, "KWD": 3, "IQD": 3, "CLF": 4, "HUF": 2} {
		if c.Decimals() != want {
			t.Errorf("%q has %d decimals, want %d", c, c.Decimals(), want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, text := range []string{"30.00", "-0.5", "1e3", "１２", "100000000000000.01", "."} {
		f.Add(text, "USD")
	}
	f.Fuzz(func(t *testing.T, text, code string) {
		c, err := money.ParseCurrency(code)
		if err != nil {
			c = ""
		}
		amount, err := money.Parse(text, c)
		if err != nil {
			return
		}
		if amount.Abs() > money.Limit {
			t.Fatalf("%q passed the limit as %d", text, amount)
		}
		if again, err := money.Parse(amount.Format(c), c); err != nil || again != amount {
			t.Fatalf("%q: %d formats as %q, which reads as %d, %v", text, amount, amount.Format(c), again, err)
		}
	})
}

func TestSumsAreExactIn128Bits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := new(big.Int)
		var sum money.Sum
		for _, m := range rapid.SliceOfN(rapid.Int64(), 0, 20).Draw(t, "amounts") {
			step := money.SumOf(money.Minor(m))
			sum, want = sum.Plus(step), want.Add(want, big.NewInt(m))
			// Doubling reaches sums of more than 64 bits.
			sum, want = sum.Plus(sum).Minus(step), want.Sub(want.Lsh(want, 1), big.NewInt(m))
		}
		if sum.Digits() != want.String() || sum.Sign() != want.Sign() || sum.Neg().Digits() != want.Neg(want).String() {
			t.Fatalf("%s, want %s", sum.Digits(), want)
		}
		if sum.Minus(sum) != (money.Sum{}) || sum.Cmp(sum.Plus(money.SumOf(1))) >= 0 {
			t.Fatal("order or difference")
		}
	})
}

func TestPartsAddUpAndARefundMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := money.Minor(rapid.Int64Range(0, int64(money.Limit)).Draw(t, "total"))
		weights := rapid.SliceOfN(rapid.Uint64Range(0, 1_000_000_000_000_000), 1, 256).Draw(t, "weights")
		list, sum := make([]money.Weight, len(weights)), new(big.Int)
		for i, w := range weights {
			list[i] = money.Weight(w)
			sum.Add(sum, new(big.Int).SetUint64(w))
		}
		if sum.Sign() == 0 {
			return
		}
		parts, refunds := money.Apportion(total, list), money.Apportion(-total, list)
		var all money.Minor
		for i, part := range parts {
			all += part
			exact := new(big.Int).Mul(big.NewInt(int64(total)), new(big.Int).SetUint64(weights[i]))
			floor := exact.Div(exact, sum).Int64()
			if int64(part) != floor && int64(part) != floor+1 || list[i] == 0 && part != 0 {
				t.Fatalf("part %d of weight %d is %d, its exact share %d", i, list[i], part, floor)
			}
			if refunds[i] != -part {
				t.Fatalf("a refund of %d does not mirror %d", refunds[i], part)
			}
		}
		if all != total {
			t.Fatalf("parts add up to %d, not %d", all, total)
		}
	})
}

func TestLeftOverUnitsGoToTheFirstOfEqualRemainders(t *testing.T) {
	for i, want := range []money.Minor{34, 33, 33} {
		if got := money.Evenly(100, 3)[i]; got != want {
			t.Errorf("part %d is %d, want %d", i, got, want)
		}
	}
	got := money.Apportion(100, []money.Weight{money.One, 0, 2 * money.One, 3 * money.One})
	for i, want := range []money.Minor{17, 0, 33, 50} {
		if got[i] != want {
			t.Errorf("part %d is %d, want %d", i, got[i], want)
		}
	}
}

func TestWeightsHaveOneText(t *testing.T) {
	for text, want := range map[string]string{"2": "2", "02.50": "2.5", "0": "0", "0.000001": "0.000001", "1000000000": "1000000000"} {
		if w, err := money.ParseWeight(text); err != nil || w.String() != want {
			t.Errorf("%q: %s, %v", text, w, err)
		}
	}
	for _, text := range []string{"-1", "1e3", "0.0000001", "1000000001", "", "NaN", "1/3", "50%"} {
		if w, err := money.ParseWeight(text); err == nil {
			t.Errorf("%q: taken as %s", text, w)
		}
	}
}
