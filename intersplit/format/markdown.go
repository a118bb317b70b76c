package format

import (
	"fmt"
	"strings"
)

// Markdown writes tables of the entries, the balances and the plan.
func Markdown(b *Book) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	line("# %s\n\nAs of %s.", plainText(b.Channel), isoTime(b.At))
	line("\n## Entries\n\n| day | what | who | moves |\n| --- | --- | --- | --- |")
	for _, e := range b.byDay() {
		note, _, _, _ := e.says()
		if note == "" {
			note = string(e.Body.Kind)
		}
		var moves []string
		for _, m := range e.movements() {
			moves = append(moves, fmt.Sprintf("%s %s", plainText(string(m.member)), withCode(m.amount.Format(m.currency), m.currency.Code())))
		}
		line("| %s | %s | %s | %s |", e.day(), plainText(note), plainText(e.who()), strings.Join(moves, ", "))
	}
	line("\n## Balances\n\n| member | balance |\n| --- | ---: |")
	for _, balance := range b.Balances {
		line("| %s | %s |", plainText(string(balance.Member)), withCode(balance.Amount.Signed(balance.Currency), balance.Currency.Code()))
	}
	line("\n## Who pays whom\n\n| from | to | amount |\n| --- | --- | ---: |")
	for _, p := range b.Plan {
		line("| %s | %s | %s |", plainText(p.From), plainText(p.To), withCode(p.Amount.Format(p.Currency), p.Currency.Code()))
	}
	return out.String()
}

func withCode(amount, code string) string {
	if code == "" {
		return amount
	}
	return amount + " " + code
}

// plainText keeps other people's words from being read as markup.
func plainText(text string) string {
	var out strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>()#+!|~&=$-", r) {
			out.WriteByte('\\')
		}
		out.WriteRune(r)
	}
	return out.String()
}
