package assist

import (
	"fmt"
	"strings"
)

// whoPaid asks, and offers the sentence with each payer whom it names.
func (x *expense) whoPaid() error {
	var choices []string
	for _, line := range x.lines {
		if len(choices) < 8 {
			choices = append(choices, x.withPayer(line.Member))
		}
	}
	return question(fmt.Sprintf("who paid the %s?", x.amount), choices...)
}

// withPayer is the sentence with "paid by" behind its amount.
func (x *expense) withPayer(name string) string {
	for i, t := range x.list {
		if !t.numeric() {
			continue
		}
		end := t.from + len(t.text)
		if i+1 < len(x.list) {
			if _, is, err := x.currencyOf(x.list[i+1], false); is && err == nil {
				end = x.list[i+1].from + len(x.list[i+1].text)
			}
		}
		return x.text[:end] + " paid by " + quote(name) + x.text[end:]
	}
	return x.text
}

func quote(name string) string {
	if strings.Contains(name, " ") || keywords[name] {
		return `"` + name + `"`
	}
	return name
}

// whoShares settles an expense for which the sentence does not say who shares it:
// all members, if there is no other sensible reading, else it asks.
func (x *expense) whoShares() error {
	var paid []string
	for _, p := range x.payers {
		paid = append(paid, p.Member)
	}
	all := unique(append(x.staying(), paid...))
	if len(paid) > 1 && len(all) > len(paid) {
		return question("who shares it: everybody, or only who paid?", x.withSplit(all), x.withSplit(paid))
	}
	if len(all) < 2 {
		return question("who shares it?", x.withSplit(append(all, "bob")))
	}
	for _, name := range all {
		x.lines = append(x.lines, Line{Member: name})
	}
	x.set("split", x.lines)
	return nil
}

func (x *expense) withSplit(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quote(name)
	}
	return strings.TrimRight(strings.TrimSpace(x.text), ".,;") + " split " + strings.Join(quoted, ", ")
}
