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
	if e.Currency == "USD" && rapid.Bool().Draw(t, "converted") {
		e.ConvertTo = rapid.SampledFrom([]money.Currency{"EUR", "KWD", "nights/0"}).Draw(t, "to")
		e.Rate = rapid.SampledFrom([]money.Rate{"1", "0.92", "163.505", "99.999999999999"}).Draw(t, "rate")
		if e.ConvertTo == "nights/0" {
			e.Rate = "99.5" // so that a cent is a night
		}
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
		"undo with after":       `{"after":["` + strings.Repeat("0", 64) + `"],"kind":"undo","target":"` + strings.Repeat("0", 64) + `","v":1}`,
		"undo of nothing":       `{"kind":"undo","v":1}`,
		"undo, upper case":      `{"kind":"undo","target":"` + strings.Repeat("A", 64) + `","v":1}`,
		"undo, short id":        `{"kind":"undo","target":"00","v":1}`,
		"edit of nothing":       `{"kind":"edit","target":"` + strings.Repeat("0", 64) + `","v":1}`,
		"edit, null note":       `{"kind":"edit","note":null,"target":"` + strings.Repeat("0", 64) + `","v":1}`,
		"edit, note untrimmed":  `{"kind":"edit","note":" x","target":"` + strings.Repeat("0", 64) + `","v":1}`,
		"payment to oneself":    `{"amount":"1.00","currency":"","from":"a","kind":"payment","to":"a","v":1}`,
		"payment below zero":    `{"amount":"-1.00","currency":"","from":"a","kind":"payment","to":"b","v":1}`,
		"settlement of nothing": `{"kind":"settlement","payments":[],"v":1}`,
		"rename to itself":      `{"from":"a","kind":"rename","to":"a","v":1}`,
		"leave of nobody":       `{"kind":"leave","v":1}`,
		"leave with a unit":     `{"kind":"leave","member":"a","unit":"nights/1","v":1}`,
		"unit that is a code":   `{"kind":"unit","unit":"EUR","v":1}`,
		"unit, 5 decimals":      `{"kind":"unit","unit":"nights/5","v":1}`,
		"rule without a day":    `{"every":"day","expense":` + honest + `,"first":"","interval":1,"kind":"rule","v":1}`,
		"rule, interval 0":      `{"every":"day","expense":` + honest + `,"first":"2026-01-01","interval":0,"kind":"rule","v":1}`,
		"rule in a rule":        `{"every":"day","expense":{"every":"day"},"first":"2026-01-01","interval":1,"kind":"rule","v":1}`,
		"rate without currency": strings.Replace(honest, `"split"`, `"rate":"1.5","split"`, 1),
		"rate of zero":          strings.Replace(strings.Replace(honest, `"currency":""`, `"convert_to":"EUR","currency":"USD"`, 1), `"split"`, `"rate":"0","split"`, 1),
		"rate with zeros":       strings.Replace(strings.Replace(honest, `"currency":""`, `"convert_to":"EUR","currency":"USD"`, 1), `"split"`, `"rate":"1.50","split"`, 1),
	} {
		if body := Decode([]byte(raw)); body.Kind != KindUnsupported || body.Reason == "" {
			t.Errorf("%s: %+v", name, body)
		}
	}
}

// everyKind is one body of each kind besides the expense, as they stand in rooms
// for ever.
var everyKind = []string{
	`{"amount":"5.00","currency":"EUR","date":"2026-05-17","from":"bob","key":"k","kind":"payment","note":"cash","source":"row 1","to":"alice","v":1}`,
	`{"kind":"settlement","payments":[{"amount":"5","currency":"JPY","from":"bob","to":"alice"},{"amount":"1.5","currency":"nights/1","from":"alice","to":"bob"}],"v":1}`,
	`{"after":["` + zeros + `"],"category":"","date":"2026-05-17","kind":"edit","note":"x","tags":[],"target":"` + zeros + `","v":1}`,
	`{"kind":"edit","money":{"amount":"30.00","convert_to":"EUR","currency":"USD","mode":"exact","payers":[{"amount":"30.00","member":"alice"}],"rate":"0.92","split":[{"member":"alice","value":"1.00"},{"member":"bob"}]},"target":"` + zeros + `","v":1}`,
	`{"kind":"edit","target":"` + zeros + `","transfer":{"amount":"5.00","currency":"","from":"bob","to":"alice"},"v":1}`,
	`{"after":["` + zeros + `"],"kind":"delete","target":"` + zeros + `","v":1}`,
	`{"key":"k","kind":"undelete","target":"` + zeros + `","v":1}`,
	`{"kind":"undo","target":"` + zeros + `","v":1}`,
	`{"key":"k","kind":"clear","v":1}`,
	`{"kind":"close","v":1}`,
	`{"after":["` + zeros + `"],"from":"bob","kind":"rename","to":"robert","v":1}`,
	`{"from":"bobby","kind":"merge","to":"bob","v":1}`,
	`{"kind":"leave","member":"bob","v":1}`,
	`{"kind":"unit","unit":"nights/1","v":1}`,
	`{"every":"month","expense":{"amount":"900.00","currency":"","kind":"expense","mode":"equal","payers":[{"amount":"900.00","member":"alice"}],"split":[{"member":"alice"},{"member":"bob"}],"v":1},"first":"2026-01-31","interval":1,"kind":"rule","last":"2026-12-31","v":1}`,
}

var zeros = strings.Repeat("0", 64)

// The bytes of a kind never change: a room holds them for ever.
func TestTheFormOfEveryKindIsKept(t *testing.T) {
	for _, raw := range everyKind {
		body := Decode([]byte(raw))
		again, err := body.Encode()
		if body.Kind == KindUnsupported || err != nil || string(again) != raw {
			t.Errorf("%s\nreads as %s %s, writes %s, %v", raw, body.Kind, body.Reason, again, err)
		}
		stable, err := canon.JSON([]byte(raw))
		if err != nil || string(stable) != raw {
			t.Errorf("not canonical: %s, %v", raw, err)
		}
		// One more member is another version's, and one byte more nobody's.
		for _, other := range []string{strings.Replace(raw, `"kind"`, `"jinx":1,"kind"`, 1), raw + " ", strings.Replace(raw, `"v":1`, `"v":2`, 1)} {
			if body := Decode([]byte(other)); body.Kind != KindUnsupported {
				t.Errorf("%s is a %s", other, body.Kind)
			}
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"amount":"30.00","currency":"","kind":"expense","mode":"equal","payers":[{"amount":"30.00","member":"alice"}],"split":[{"member":"alice"},{"member":"bob"}],"v":1}`))
	f.Add([]byte(`{"amount":"-3","currency":"JPY","kind":"expense","mode":"exact","payers":[{"amount":"3","member":"a"}],"split":[{"member":"a","value":"1"},{"member":"b"}],"tags":["x"],"v":1}`))
	f.Add([]byte(`{"kind":"clear","v":1}`))
	f.Add([]byte(`{"kind":"loan","v":1}`))
	for _, raw := range everyKind {
		f.Add([]byte(raw))
	}
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
