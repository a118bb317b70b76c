package money_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

func TestRatesHaveOneSpelling(t *testing.T) {
	for text, want := range map[string]money.Rate{
		"1": "1", "0.92": "0.92", "0.920": "0.92", "01.50": "1.5", " 2.0 ": "2", "0.000000000001": "0.000000000001",
	} {
		if got, err := money.ParseRate(text); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{
		"", " ", "0", "0.0", "-1", "-0", "+1", "1e3", "NaN", "1,5", "１", "1.", ".5", "1/2",
		"0.0000000000001", "1000000000000000", "1000000000000.5",
	} {
		if got, err := money.ParseRate(text); fault.KindOf(err) != fault.Invalid || fault.Of(err).Hint == "" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}

func TestConversionRoundsOnceHalfAwayFromZero(t *testing.T) {
	for _, c := range []struct {
		amount   money.Minor
		from, to money.Currency
		rate     money.Rate
		want     money.Minor
	}{
		{3000, "USD", "EUR", "0.92", 2760},
		{1, "USD", "EUR", "0.5", 1},
		{1, "USD", "EUR", "0.49", 0},
		{-1, "USD", "EUR", "0.5", -1},
		{3, "EUR", "USD", "1.5", 5}, // 4.5
		{-3, "EUR", "USD", "1.5", -5},
		{1000, "JPY", "EUR", "0.0061", 610},
		{100, "EUR", "JPY", "163.5", 164},
		{1, "KWD", "JPY", "500", 1}, // 0.5
		{7, "CLF", "USD", "1", 0},
		{50, "CLF", "USD", "1", 1}, // half a cent
	} {
		if got, err := money.Convert(c.amount, c.from, c.to, c.rate); err != nil || got != c.want {
			t.Errorf("%+v: %d, %v", c, got, err)
		}
	}
	if _, err := money.Convert(money.Limit, "EUR", "USD", "1.1"); fault.KindOf(err) != fault.Invalid {
		t.Error("beyond the limit:", err)
	}
}

func TestConversionIsNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currencies := []money.Currency{"", "USD", "JPY", "KWD", "CLF", "nights/1"}
		from, to := rapid.SampledFrom(currencies).Draw(t, "from"), rapid.SampledFrom(currencies).Draw(t, "to")
		amount := money.Minor(rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "amount"))
		rate, err := money.ParseRate(rapid.StringMatching(`[1-9][0-9]{0,3}(\.[0-9]{1,12})?`).Draw(t, "rate"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := money.Convert(amount, from, to, rate)
		if err != nil {
			t.Fatal(err)
		}
		exact, _ := new(big.Rat).SetString(string(rate))
		exact.Mul(exact, new(big.Rat).SetInt64(int64(amount)))
		for range to.Decimals() {
			exact.Mul(exact, big.NewRat(10, 1))
		}
		for range from.Decimals() {
			exact.Quo(exact, big.NewRat(10, 1))
		}
		off := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(int64(got)))
		if off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
			t.Fatalf("%d %s at %s is %d %s, off by %s", amount, from, rate, got, to, off)
		}
		if back, err := money.Convert(-amount, from, to, rate); err != nil || back != -got {
			t.Fatalf("a refund converts to %d, not %d", back, -got)
		}
	})
}

func TestUnitsOfARoom(t *testing.T) {
	nights, err := money.Unit(" Nights ", 1)
	if err != nil || nights.Code() != "nights" || !nights.Valid() || nights.Decimals() != 1 {
		t.Fatal(nights, err)
	}
	if m, err := money.Parse("2.5", nights); err != nil || m.Format(nights) != "2.5" {
		t.Error(m, err)
	}
	for name, decimals := range map[string]int{
		"": 0, "a": 0, "usd": 2, "EUR": 2, "nächte": 0, "９x": 0, "9x": 0, "two words": 0, "a/b": 0, "nights": 5, "beers": -1,
		"a-name-much-longer-than-24": 0, "-x": 0,
	} {
		if c, err := money.Unit(name, decimals); fault.KindOf(err) != fault.Invalid || fault.Of(err).Hint == "" {
			t.Errorf("%q: %q, %v", name, c, err)
		}
	}
	for _, c := range []money.Currency{"nights", "nights/", "nights/5", "nights/01", "Nights/1", "usd/2", "/1", "nights/1/1"} {
		if c.Valid() {
			t.Errorf("%q is valid", c)
		}
	}
	if _, err := money.ParseCurrency("nights/1"); err == nil {
		t.Error("a unit's inner form is no code")
	}
}
