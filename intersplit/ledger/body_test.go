package ledger

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/intersplit/money"
)

// drawExpense makes valid expenses of every mode, refunds included.
func drawExpense(t *rapid.T) Expense {
	people := []Name{"ann", "ben", "cleo", "dov", "élan"}
	e := Expense{
		Currency: rapid.SampledFrom([]money.Currency{"", "USD", "JPY", "KWD"}).Draw(t, "currency"),
		Amount:   money.Minor(rapid.Int64Range(1, 100_000).Draw(t, "amount")),
		Mode:     rapid.SampledFrom(Modes).Draw(t, "mode"),
		Note:     rapid.SampledFrom([]string{"", "dinner <&> \"wine\"", "שלום"}).Draw(t, "note"),
	}
	payers := rapid.Permutation(people).Draw(t, "payers")[:rapid.IntRange(1, 2).Draw(t, "paying")]
	for i, part := range money.Evenly(e.Amount, len(payers)) {
		if part > 0 {
			e.Payers = append(e.Payers, Part{payers[i], part})
		}
	}
	split := rapid.Permutation(people).Draw(t, "split")[:rapid.IntRange(1, 5).Draw(t, "sharing")]
	hundreds := money.Evenly(100, len(split))
	for i, name := range split {
		value := map[Mode]string{Equal: "", Exact: "0", Shares: fmt.Sprint(i + 1), Percent: fmt.Sprint(hundreds[i])}[e.Mode]
		if e.Mode == Exact && i == 0 {
			value = ""
		}
		e.Split = append(e.Split, Portion{name, value})
	}
	if rapid.Bool().Draw(t, "refund") {
		e.Amount = -e.Amount
	}
	return e
}

func TestABodyHasOneTextAndIsCanonical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body, err := NewExpense(drawExpense(t))
		if err != nil {
			t.Fatal(err)
		}
		raw, err := body.Encode()
		if err != nil {
			t.Fatal(err)
		}
		stable, err := canon.JSON(raw)
		if err != nil || !bytes.Equal(stable, raw) {
			t.Fatalf("not canonical: %s, %v", raw, err)
		}
		back := Decode(raw)
		again, err := back.Encode()
		if back.Kind != KindExpense || err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%s read back as %+v", raw, back)
		}
	})
}

func TestSharesAndPaymentsAddUpToTheAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		body, err := NewExpense(drawExpense(t))
		if err != nil {
			t.Fatal(err)
		}
		borne, err := body.Expense.Borne()
		if err != nil {
			t.Fatal(err)
		}
		var shares, paid money.Minor
		for _, p := range borne {
			shares += p.Amount
		}
		for _, p := range body.Expense.Paid() {
			paid += p.Amount
		}
		if shares != body.Expense.Amount || paid != body.Expense.Amount {
			t.Fatalf("shares %d, paid %d, amount %d", shares, paid, body.Expense.Amount)
		}
	})
}

// Whatever an older or newer peer, or an attacker, writes is kept and counts
// nowhere.
func TestForeignBodiesAreUnsupported(t *testing.T) {
	const honest = `{"amount":"30.00","currency":"","kind":"expense","mode":"equal","payers":[{"amount":"30.00","member":"alice"}],"split":[{"member":"alice"},{"member":"bob"}],"v":1}`
	if Decode([]byte(honest)).Kind != KindExpense {
		t.Fatal("the honest body is not an expense")
	}
	for name, raw := range map[string]string{
		"nothing":               ``,
		"no object":             `7`,
		"no kind":               `{"v":1}`,
		"unknown kind":          `{"kind":"loan","v":1}`,
		"another version":       strings.Replace(honest, `"v":1`, `"v":2`, 1),
		"space":                 " " + honest,
		"other order":           `{"v":1,` + honest[1:len(honest)-7] + `}`,
		"unknown member":        strings.Replace(honest, `"kind"`, `"extra":1,"kind"`, 1),
		"member twice":          strings.Replace(honest, `"kind"`, `"currency":"","kind"`, 1),
		"other case":            strings.Replace(honest, `"amount"`, `"Amount"`, 1),
		"upper-case name":       strings.Replace(honest, "bob", "Bob", 1),
		"split twice":           strings.Replace(honest, `{"member":"bob"}`, `{"member":"alice"}`, 1),
		"amount as number":      strings.Replace(honest, `"amount":"30.00","c`, `"amount":30.00,"c`, 1),
		"amount not full":       strings.Replace(honest, `"amount":"30.00","c`, `"amount":"30.0","c`, 1),
		"amount zero":           strings.ReplaceAll(honest, "30.00", "0.00"),
		"payers add up to less": strings.Replace(honest, `[{"amount":"30.00"`, `[{"amount":"29.99"`, 1),
		"unknown currency":      strings.Replace(honest, `"currency":""`, `"currency":"ZZZ"`, 1),
		"empty split":           strings.Replace(honest, `[{"member":"alice"},{"member":"bob"}]`, `[]`, 1),
		"null split":            strings.Replace(honest, `[{"member":"alice"},{"member":"bob"}]`, `null`, 1),
		"escape":                strings.Replace(honest, "bob", `b\u006fb`, 1),
		"too long":              strings.Replace(honest, `"mode"`, `"note":"`+strings.Repeat("x", MaxBody)+`","mode"`, 1),
		"not UTF-8":             strings.Replace(honest, "bob", "b\xffb", 1),
		"clear with more":       `{"kind":"clear","v":1,"x":1}`,
	} {
		if body := Decode([]byte(raw)); body.Kind != KindUnsupported || body.Reason == "" {
			t.Errorf("%s: %+v", name, body)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"amount":"30.00","currency":"","kind":"expense","mode":"equal","payers":[{"amount":"30.00","member":"alice"}],"split":[{"member":"alice"},{"member":"bob"}],"v":1}`))
	f.Add([]byte(`{"amount":"-3","currency":"JPY","kind":"expense","mode":"exact","payers":[{"amount":"3","member":"a"}],"split":[{"member":"a","value":"1"},{"member":"b"}],"tags":["x"],"v":1}`))
	f.Add([]byte(`{"kind":"clear","v":1}`))
	f.Add([]byte(`{"kind":"loan","v":1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		body := Decode(raw)
		if body.Kind == KindUnsupported {
			return
		}
		again, err := body.Encode()
		if err != nil || !bytes.Equal(again, raw) {
			t.Fatalf("%q is a %s that encodes as %q, %v", raw, body.Kind, again, err)
		}
		if err := New().Apply(Entry{Body: body}); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNamesHaveOneSpelling(t *testing.T) {
	for text, want := range map[string]Name{
		" Alice ":      "alice",
		"ÉLAN":         "élan",
		"E\u0301lan":   "élan",
		"ann  marie":   "ann marie",
		"\tbob\n":      "bob",
		"Строка":       "строка",
		"يوسف":         "يوسف",
		"नमस्ते":       "नमस्ते",
		"山田":           "山田",
		"o'neil-smith": "o'neil-smith",
		"=cmd":         "=cmd",
	} {
		if got, err := ParseName(text); err != nil || got != want {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	for name, text := range map[string]string{
		"blank": "", "spaces": " \t ", "comma": "a,b", "colon": "a:b", "line break": "a\nb", "zero": "a\x00b",
		"right to left override": "\u202ebob", "isolate": "a\u2066b", "zero-width joiner": "ali\u200dce",
		"zero-width space": "a\u200bb", "no-break space": "a\u00a0b", "variation selector": "a\ufe0f",
		"hangul filler": "\u3164", "byte order mark": "\ufeffa", "soft hyphen": "a\u00adb", "not UTF-8": "a\xff",
		"private use": "\ue000", "unassigned": "\U000E0080", "too long": strings.Repeat("a", MaxName+1), "huge": strings.Repeat("a", 1<<20),
		"line separator": "a\u2028b", "braille blank": "\u2800",
	} {
		if got, err := ParseName(text); fault.KindOf(err) != fault.Invalid || fault.Of(err).Hint == "" {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A name that is folded once stays as it is, for every character there is.
func TestFoldingIsIdempotent(t *testing.T) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !visible(r) {
			continue
		}
		for _, text := range []string{string(r), "a" + string(r), string(r) + "\u0301"} {
			name, err := ParseName(text)
			if err != nil {
				continue
			}
			if again, err := ParseName(string(name)); err != nil || again != name {
				t.Fatalf("%U: %q folds to %q, which folds to %q, %v", r, text, name, again, err)
			}
		}
	}
}

func TestBadExpensesAreRefusedWithAHint(t *testing.T) {
	many := make([]Portion, 10_000)
	for i := range many {
		many[i].Member = Name(fmt.Sprint("m", i))
	}
	long := make([]Portion, MaxSplit)
	for i := range long {
		long[i].Member = Name(strings.Repeat("é", MaxName-4) + fmt.Sprint(i))
	}
	base := func(change func(e *Expense)) Expense {
		e := Expense{Amount: 3000, Payers: []Part{{"alice", 3000}}, Split: []Portion{{"alice", ""}, {"bob", ""}}}
		change(&e)
		return e
	}
	for name, e := range map[string]Expense{
		"zero":               base(func(e *Expense) { e.Amount = 0 }),
		"beyond the limit":   base(func(e *Expense) { e.Amount = money.Limit + 1 }),
		"least integer":      base(func(e *Expense) { e.Amount = -1 << 63 }),
		"nobody paid":        base(func(e *Expense) { e.Payers = nil }),
		"blank payer":        base(func(e *Expense) { e.Payers[0].Member = " " }),
		"payers too little":  base(func(e *Expense) { e.Payers[0].Amount = 2999 }),
		"payer twice":        base(func(e *Expense) { e.Payers = []Part{{"a", 1500}, {"A", 1500}} }),
		"negative payer":     base(func(e *Expense) { e.Payers = []Part{{"a", 4000}, {"b", -1000}} }),
		"empty split":        base(func(e *Expense) { e.Split = nil }),
		"10 000 members":     base(func(e *Expense) { e.Split = many }),
		"long names":         base(func(e *Expense) { e.Split = long }),
		"unknown mode":       base(func(e *Expense) { e.Mode = "fair" }),
		"value without mode": base(func(e *Expense) { e.Split[0].Value = "2" }),
		"shares without one": base(func(e *Expense) { e.Mode, e.Split[0].Value = Shares, "2" }),
		"shares all zero":    base(func(e *Expense) { e.Mode, e.Split[0].Value, e.Split[1].Value = Shares, "0", "0" }),
		"percent 99":         base(func(e *Expense) { e.Mode, e.Split[0].Value, e.Split[1].Value = Percent, "50", "49" }),
		"exact too much":     base(func(e *Expense) { e.Mode, e.Split[0].Value = Exact, "30.01" }),
		"exact too little":   base(func(e *Expense) { e.Mode, e.Split[0].Value, e.Split[1].Value = Exact, "30", "-1" }),
		"exact finer":        base(func(e *Expense) { e.Mode, e.Split[0].Value = Exact, "3.001" }),
		"two values for one": base(func(e *Expense) { e.Mode, e.Split = Shares, []Portion{{"a", "1"}, {"A", "2"}} }),
		"no day":             base(func(e *Expense) { e.Date = "2026-02-30" }),
		"long note":          base(func(e *Expense) { e.Note = strings.Repeat("x", MaxNote+1) }),
		"note of two lines":  base(func(e *Expense) { e.Note = "a\n- balances:" }),
		"note right to left": base(func(e *Expense) { e.Note = "a\u202eb" }),
		"long key":           base(func(e *Expense) { e.Key = strings.Repeat("k", MaxKey+1) }),
		"blank tag":          base(func(e *Expense) { e.Tags = []string{" "} }),
		"too many tags":      base(func(e *Expense) { e.Tags = make([]string, MaxTags+1) }),
	} {
		body, err := NewExpense(e)
		if err == nil {
			_, err = body.Encode()
		}
		if f := fault.Of(err); f == nil || f.Kind == fault.Internal || f.Hint == "" && e.Amount <= money.Limit && e.Amount > -money.Limit {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestDifferencesAreNamed(t *testing.T) {
	_, err := NewExpense(Expense{Amount: 3000, Payers: []Part{{"a", 2950}}, Split: []Portion{{"a", ""}}})
	if err == nil || !strings.Contains(err.Error(), "0.50 too little") {
		t.Error(err)
	}
}
