package bus_test

import (
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"intercom/core/identity"
	"intercom/planes/msb/bus"
)

// The vectors of upstream: texts, atomic units, and errors word for word.
func TestAmountsAreUpstreams(t *testing.T) {
	raw, err := os.ReadFile("testdata/amounts.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors struct {
		FeeHex, P75, P50, P25, Stake string
		Encode                       []struct{ Decimal, Hex16, Atomic string }
		Rejects                      []struct{ Decimal, Error string }
	}
	if err := json.Unmarshal(raw, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors.Encode {
		a, err := bus.ParseAmount(v.Decimal)
		if err != nil || a.AtomicText() != v.Atomic || a.String() != v.Decimal {
			t.Errorf("%s is %s, %s, %v", v.Decimal, a, a.AtomicText(), err)
		}
		account := bus.Account{Balance: a}
		if raw := hex.EncodeToString(bus.EncodeAccount(account)); !strings.Contains(raw, v.Hex16) {
			t.Errorf("%s is kept as %s, want %s in it", v.Decimal, raw, v.Hex16)
		}
	}
	for _, v := range vectors.Rejects {
		if a, err := bus.ParseAmount(v.Decimal); err == nil || err.Error() != v.Error {
			t.Errorf("%q is %s, %v; want %q", v.Decimal, a, err, v.Error)
		}
	}
	for text, want := range map[string]string{bus.Fee.AtomicText(): "30000000000000000", bus.Stake.AtomicText(): vectors.Stake} {
		if text != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	for _, text := range []string{"+1", " 1", "1 ", "1,5", "1.5.2", "١", strings.Repeat("0", 200)} {
		if a, err := bus.ParseAmount(text); err == nil {
			t.Errorf("%q is %s", text, a)
		}
	}
	if a, err := bus.ParseAmount("0001.500"); err != nil || a.String() != "1.5" {
		t.Errorf("0001.500 is %s, %v", a, err)
	}
}

var amounts = rapid.Custom(func(t *rapid.T) *big.Int {
	raw := rapid.SliceOfN(rapid.Byte(), 0, 16).Draw(t, "amount")
	return new(big.Int).SetBytes(raw)
})

// of makes an amount out of atomic units.
func of(t *rapid.T, n *big.Int) bus.Amount {
	text := strings.Repeat("0", 40) + n.String()
	at := len(text) - bus.Decimals
	a, err := bus.ParseAmount(text[:at] + "." + text[at:])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAmountsCountAsBigNumbersDo(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	rapid.Check(t, func(t *rapid.T) {
		x, y := amounts.Draw(t, "x"), amounts.Draw(t, "y")
		a, b := of(t, x), of(t, y)
		if a.AtomicText() != x.String() || a.Cmp(b) != x.Cmp(y) {
			t.Fatalf("%s is %s; compared to %s: %d", x, a.AtomicText(), y, a.Cmp(b))
		}
		again, err := bus.ParseAmount(a.String())
		if err != nil || again != a {
			t.Fatalf("%s is read as %s, %v", a, again, err)
		}
		sum := new(big.Int).Add(x, y)
		if got, ok := a.Add(b); ok != (sum.Cmp(limit) < 0) || ok && got.AtomicText() != sum.String() {
			t.Fatalf("%s + %s = %s, %t", x, y, got.AtomicText(), ok)
		}
		difference := new(big.Int).Sub(x, y)
		if got, ok := a.Sub(b); ok != (difference.Sign() >= 0) || ok && got.AtomicText() != difference.String() {
			t.Fatalf("%s - %s = %s, %t", x, y, got.AtomicText(), ok)
		}
	})
}

// An account is laid out as upstream does (upstream 2.11).
func TestAccountsAreLaidOutAsUpstreams(t *testing.T) {
	engine, err := identity.ParsePublicKey(strings.Repeat("31", 32))
	if err != nil {
		t.Fatal(err)
	}
	for want, a := range map[string]bus.Account{
		"0000000000000000000000000000000000000000000000000000000000000000000000000000000000ad78ebc5ac6200000000000000000000000000000000000000000000": {Balance: amount("12.5")},
		"0331313131313131313131313131313131313131313131313131313131313131310000000000000000ad78ebc5ac6200000000000100000000000000000429d069189e0000": {
			Role: 3, ValidatorKey: engine, Balance: amount("12.5"), License: 1, Stake: amount("0.3")},
	} {
		if got := hex.EncodeToString(bus.EncodeAccount(a)); got != want {
			t.Errorf("%+v is %s, want %s", a, got, want)
		}
		again, err := bus.DecodeAccount(bus.EncodeAccount(a))
		if (err == nil) != (a.Role != 3) || err == nil && again != a {
			t.Errorf("%+v is read as %+v, %v", a, again, err)
		}
	}
}
