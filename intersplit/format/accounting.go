package format

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// Hledger writes a journal for hledger: an account per member, what others owe
// the member positive, a balanced transaction per entry, and at the end what every
// member's balance must be, for `hledger check` to hold against.
func Hledger(b *Book) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	codes := unique(b.currencies(), func(c money.Currency) string { return c.Code() })
	amount := func(s money.Sum, c money.Currency) string {
		if codes[c] == "" {
			return s.Format(c)
		}
		return s.Format(c) + ` "` + codes[c] + `"`
	}
	line("; InterSplit ledger, exported %s", isoTime(b.At))
	line("; channel: %s", b.Channel)
	line("; an account is what the others owe the member; negative is what the member owes")
	line("decimal-mark .")
	for _, c := range b.currencies() {
		line("commodity %s", strings.Replace(amount(sample(c), c), "1000 ", "1000. ", 1)) // hledger wants the point
	}
	for _, name := range b.members() {
		line("account members:%s", name)
	}
	last := ""
	for _, e := range b.byDay() {
		note, category, _, tags := e.says()
		last = e.day()
		line("\n%s * (%s) %s", last, short(e.ID), described(&e, note))
		line("    ; kind: %s, id: %s, by: %s", e.Body.Kind, e.ID, e.By)
		if category != "" {
			line("    ; category: %s", category)
		}
		if len(tags) > 0 {
			line("    ; tags: %s", strings.Join(tags, " "))
		}
		for _, m := range e.movements() {
			line("    members:%s  %s", m.member, amount(money.SumOf(m.amount), m.currency))
		}
	}
	if len(b.Balances) > 0 && last != "" {
		line("\n%s * (closing) what every balance must be", last)
		for _, balance := range b.Balances {
			line("    members:%s  %s = %s", balance.Member, amount(money.Sum{}, balance.Currency), amount(balance.Amount, balance.Currency))
		}
	}
	return out.String()
}

// sample is 1000 of a currency, which tells a program how amounts are written.
func sample(c money.Currency) money.Sum {
	units := money.Minor(1000)
	for range c.Decimals() {
		units *= 10
	}
	return money.SumOf(units)
}

// described is the description of a transaction: a semicolon would begin a comment
// and a bar part payee from note.
func described(e *Entry, note string) string {
	text := e.who()
	if note != "" {
		text += ": " + note
	}
	return strings.NewReplacer(";", ",", "|", "/").Replace(text)
}

func short(id string) string { return id[:min(len(id), 12)] }

// Beancount writes a file for beancount, in the same way. Accounts and currencies
// have the names that beancount allows; the member's own name stands beside them.
// A room without a currency counts in XXX, ISO 4217's code for none.
func Beancount(b *Book) string {
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	accounts := unique(b.members(), account)
	codes := unique(b.currencies(), commodity)
	entries := b.byDay()
	line("; InterSplit ledger, exported %s", isoTime(b.At))
	line("; an account is what the others owe the member; negative is what the member owes")
	line("option \"title\" %s", quoted("InterSplit "+b.Channel))
	if len(entries) == 0 {
		return out.String()
	}
	first, last := morning(entries[0].day()), morning(entries[len(entries)-1].day())
	for _, c := range b.currencies() {
		line("%s commodity %s", first, codes[c])
	}
	for _, name := range b.members() {
		line("%s open Equity:Members:%s\n  member: %s", first, accounts[name], quoted(string(name)))
	}
	for _, e := range entries {
		note, category, _, tags := e.says()
		line("\n%s * %s %s", morning(e.day()), quoted(e.who()), quoted(note))
		line("  kind: %s\n  id: %s\n  by: %s", quoted(string(e.Body.Kind)), quoted(e.ID), quoted(e.By))
		if category != "" {
			line("  category: %s", quoted(category))
		}
		if len(tags) > 0 {
			line("  tags: %s", quoted(strings.Join(tags, " ")))
		}
		for _, m := range e.movements() {
			line("  Equity:Members:%s  %s %s", accounts[m.member], money.SumOf(m.amount).Format(m.currency), codes[m.currency])
		}
	}
	line("")
	for _, balance := range b.Balances {
		line("%s balance Equity:Members:%s  %s ~ 0 %s", dayAfter(last), accounts[balance.Member],
			balance.Amount.Format(balance.Currency), codes[balance.Currency])
	}
	return out.String()
}

// morning is a day that has a next one: beancount holds a balance against the
// morning's, and knows no year 10000.
func morning(date string) string { return min(date, "9999-12-30") }

func dayAfter(date string) string {
	at, err := time.Parse(time.DateOnly, date)
	if err != nil {
		panic("format: a date that was checked is none: " + err.Error())
	}
	return at.AddDate(0, 0, 1).Format(time.DateOnly)
}

// account is a name as beancount allows it: a capital or a digit, then letters,
// digits and dashes.
func account(name ledger.Name) string {
	var out strings.Builder
	for _, r := range string(name) {
		switch {
		case r >= 'a' && r <= 'z' && out.Len() == 0:
			out.WriteRune(unicode.ToUpper(r))
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			out.WriteRune(r)
		case out.Len() == 0:
			out.WriteByte('M')
		default:
			out.WriteByte('-')
		}
	}
	return strings.TrimRight(out.String(), "-")
}

// commodity is a currency as beancount allows it.
func commodity(c money.Currency) string {
	if c == "" {
		return "XXX"
	}
	code := strings.TrimRight(strings.ToUpper(c.Code()), "-")
	if len(code) < 2 {
		code += "0"
	}
	return code
}

func quoted(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}
