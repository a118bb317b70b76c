package format

import (
	"fmt"

	"pgregory.net/rapid"

	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// tricky names and words: what quoting, markup, formulas and account names trip over.
var (
	trickyNames = []ledger.Name{
		"ann", "ben", "cleo", "=cmd|' /c calc'!a0", "+1", "-1", "@sum", `"quoted" o'neil`, "'apostrophe", "a;b", "(p) [v]", "*star",
		"~t", "1/2", "李明", "josé", "أحمد", "x | y", "a\\b", "{a}", "%s", "<b>", "a  b", "ann!", "==", "''", "2026-01-01", "e\u0301é",
	}
	trickyWords = []string{
		"dinner", "", "=1+1", "-2", "a;b", "x | y", `say "hi" \ there`, "'quoted'", "(code) text", "; comment", "* star", "  spaces  inside ",
		"a,b", "[\"x\"]", "[x", "日本", "שלום", "a & b <i>", "#tag", "| pipe |", "~", "2026-01-01", "''=", "{x} @ 3 EUR", "a\u0301",
	}
	trickyCurrencies = []money.Currency{"", "EUR", "JPY", "BHD", "CLF", "nights/1", "nights/0", "x-/4", "XXX"}
)

func must[T any](t *rapid.T, v T, err error) T {
	if err != nil {
		t.Fatalf("%v", err)
	}
	return v
}

func drawCurrency(t *rapid.T) money.Currency {
	return rapid.SampledFrom(trickyCurrencies).Filter(money.Currency.Valid).Draw(t, "currency")
}

// drawBody draws an entry that moves something.
func drawBody(t *rapid.T, source string) ledger.Body {
	names := rapid.Permutation(trickyNames).Draw(t, "names")
	amount := money.Minor(rapid.Int64Range(1, 1_000_000).Draw(t, "amount"))
	word := func(what string) string { return rapid.SampledFrom(trickyWords).Draw(t, what) }
	date := rapid.SampledFrom([]string{"", "2026-02-28", "0001-01-01", "1999-12-31", "9999-12-31"}).Draw(t, "date")
	transfer := func(i int) ledger.Transfer {
		return ledger.Transfer{From: names[i], To: names[i+1], Amount: amount, Currency: drawCurrency(t)}
	}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		body, err := ledger.NewPayment(ledger.Payment{Transfer: transfer(0), Date: date, Note: word("note"), Source: source})
		return must(t, body, err)
	case 1:
		body, err := ledger.NewSettlement(ledger.Settlement{Payments: []ledger.Transfer{transfer(0), transfer(2)}, Note: word("note"), Source: source}, "")
		return must(t, body, err)
	}
	x := ledger.Expense{
		Amount: amount, Currency: drawCurrency(t), Date: date, Category: word("category"), Note: word("note"), Source: source,
		Payers: []ledger.Part{{Member: names[0], Amount: amount}},
		Split:  []ledger.Portion{{Member: names[0]}, {Member: names[1]}, {Member: names[2]}},
	}
	if amount > 1 && rapid.Bool().Draw(t, "two payers") {
		x.Payers = []ledger.Part{{Member: names[1], Amount: 1}, {Member: names[3], Amount: amount - 1}}
	}
	if rapid.Bool().Draw(t, "refund") {
		x.Amount = -x.Amount
	}
	for _, tag := range trickyWords[:rapid.IntRange(0, 8).Draw(t, "tags")] {
		if tag != "" {
			x.Tags = append(x.Tags, tag)
		}
	}
	switch x.Mode = rapid.SampledFrom(ledger.Modes).Draw(t, "mode"); x.Mode {
	case ledger.Shares:
		x.Split[0].Value, x.Split[1].Value, x.Split[2].Value = "2", "0", "1.5"
	case ledger.Percent:
		x.Split[0].Value, x.Split[1].Value, x.Split[2].Value = "33.3", "66.7", "0"
	case ledger.Exact:
		x.Split[1].Value = amount.Format(x.Currency)
	}
	if to := drawCurrency(t); rapid.IntRange(0, 3).Draw(t, "converted") == 0 && to != x.Currency && to != "" && x.Currency != "" {
		x.ConvertTo, x.Rate = to, "1234.5678"
	}
	body, err := ledger.NewExpense(x)
	if err != nil && x.ConvertTo != "" { // it comes to nothing, or to too much
		x.ConvertTo, x.Rate = "", ""
		body, err = ledger.NewExpense(x)
	}
	return must(t, body, err)
}

// drawBook draws a room with the balances that its entries make.
func drawBook(t *rapid.T, most int) *Book {
	b := &Book{Channel: `trip "x"`, At: 1_800_000_000_000}
	sums := map[Balance]money.Sum{}
	for i := range rapid.IntRange(0, most).Draw(t, "entries") {
		e := Entry{ID: fmt.Sprintf("%064x", i+1), By: "trac1xyz", TS: 1_700_000_000_000 + int64(i)*40_000_000, Body: drawBody(t, "")}
		for _, m := range e.movements() {
			at := Balance{Member: m.member, Currency: m.currency}
			sums[at] = sums[at].Plus(money.SumOf(m.amount))
		}
		b.Entries = append(b.Entries, e)
	}
	for _, name := range b.members() {
		for _, c := range b.currencies() {
			if sum, moved := sums[Balance{Member: name, Currency: c}]; moved {
				b.Balances = append(b.Balances, Balance{name, c, sum})
			}
		}
	}
	return b
}
