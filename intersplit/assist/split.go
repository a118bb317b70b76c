package assist

import (
	"fmt"
	"strings"
	"time"
)

// sharedAndMore reads who shares an expense, and what may stand behind it.
func (x *expense) sharedAndMore() error {
	if err := x.shared(); err != nil {
		return err
	}
	if err := x.details(); err != nil {
		return err
	}
	return x.finishExpense()
}

// shared reads who shares it: "split ann, ben", "with ben", "same split",
// ": ann 500, ben 400", ", ann 2 shares, ben 1".
func (x *expense) shared() error {
	if x.word("for") && !x.namesFollow() {
		x.at++
		if err := x.what(); err != nil {
			return err
		}
	}
	x.skip(",", ":", ";")
	switch {
	case x.skip("same"):
		if !x.skip("split") {
			return x.unknown()
		}
		return x.sameSplit()
	case x.word("split", "between", "among", "for"):
		x.at++
		x.skip("equally")
		x.skip("between", "among", "with", ":")
		return x.lineList()
	case x.skip("with"):
		if err := x.lineList(); err != nil {
			return err
		}
		return x.payerToo()
	case x.more() && x.clause():
		return x.lineList()
	}
	return nil
}

// namesFollow says whether "for" is followed by members, known ones all of them,
// and not by what was bought.
func (x *expense) namesFollow() bool {
	from := x.at + 1
	var words []string
	known := func() bool { return x.knows(strings.Join(words, " ")) }
	for i := from; i < len(x.list); i++ {
		switch t := x.list[i]; {
		case t.quoted:
			return true
		case t.word == "," || t.word == "and" || t.word == "&":
			if !known() {
				return false
			}
			words = nil
		case !t.name():
			return known()
		case everyone[t.word]:
			return true
		default:
			words = append(words, t.word)
		}
	}
	return known()
}

// payerToo puts the payer in front of who shares it: "alice with bob".
func (x *expense) payerToo() error {
	if x.mode != "" || len(x.payers) == 0 {
		return nil
	}
	lines := make([]Line, 0, len(x.lines)+len(x.payers))
	seen := map[string]bool{}
	for _, p := range x.payers {
		seen[p.Member] = true
		lines = append(lines, Line{Member: p.Member})
	}
	for _, line := range x.lines {
		if !seen[line.Member] {
			lines = append(lines, line)
		}
	}
	x.lines = lines
	return nil
}

// lineList reads members, with a value each or without: the unit behind any of
// the values says what all of them are.
func (x *expense) lineList() error {
	if !x.clause() {
		names, err := x.names()
		for _, name := range names {
			x.lines = append(x.lines, Line{Member: name})
		}
		return err
	}
	x.mode = "exact"
	for {
		name, err := x.nameHere()
		if err != nil {
			return err
		}
		value, err := x.value()
		if err != nil {
			return err
		}
		for _, line := range x.lines {
			if line.Member == name {
				return question(fmt.Sprintf("%s stands in the split twice: with %s or %s?", name, line.Value, value))
			}
		}
		x.lines = append(x.lines, Line{Member: name, Value: value})
		if !x.nextLine() {
			return nil
		}
	}
}

// nextLine passes over what stands between two lines, if another one follows.
func (x *expense) nextLine() bool {
	begin := x.at
	for x.skip(",", "and", "&", ";") {
		if x.more() && x.clause() {
			return true
		}
	}
	x.at = begin
	return false
}

// value reads a number with its unit.
func (x *expense) value() (string, error) {
	x.skip(":")
	if !x.more() || !x.peek().numeric() {
		return "", x.unknown()
	}
	text := x.peek().text
	if number, percent := strings.CutSuffix(text, "%"); percent {
		x.at++
		if !plain(number) {
			return "", unclear(text)
		}
		return number, x.unit("percent")
	}
	if plain(text) {
		if next := x.at + 1; next < len(x.list) {
			switch x.list[next].word {
			case "share", "shares", "part", "parts":
				x.at += 2
				return text, x.unit("shares")
			case "%", "percent":
				x.at += 2
				return text, x.unit("percent")
			}
		}
		if x.mode == "shares" || x.mode == "percent" {
			x.at++
			return text, nil
		}
	}
	return x.amountHere()
}

// unit is what the values are. The values before it had none, so it is theirs
// too; two units in one split do not fit together.
func (x *expense) unit(mode string) error {
	if x.mode != "exact" && x.mode != mode {
		return question(fmt.Sprintf("the split has values in %s and in %s: which is it?", x.mode, mode))
	}
	if x.mode == "exact" && len(x.lines) > 0 {
		return question(fmt.Sprintf("are all values of the split %s? Write the unit behind the first one", mode))
	}
	x.mode = mode
	return nil
}

// sameSplit takes the split of the last expense.
func (x *expense) sameSplit() error {
	last := x.room.LastSplit
	if last == nil {
		return question("which split? There is no expense before this one")
	}
	if last.Mode == "exact" {
		return question("the last expense was split by exact amounts, which do not fit another total: who bears how much?")
	}
	x.mode, x.lines = last.Mode, last.Lines
	return nil
}

// details read what may stand at the end: for WHAT, on a day, category, #tag, note.
func (x *expense) details() error {
	for x.more() {
		switch {
		case x.skip(",", ";", "."):
		case x.skip("for"):
			if err := x.what(); err != nil {
				return err
			}
		case x.skip("note"):
			x.skip(":")
			x.note = x.rest()
		case x.skip("on", "date"):
			if _, err := time.Parse(time.DateOnly, x.peek().word); err != nil {
				return question(fmt.Sprintf("which day is %q? Write it as YYYY-MM-DD", x.peek().text))
			}
			x.set("date", x.peek().word)
			x.at++
		case x.skip("category"):
			if !x.more() {
				return x.unknown()
			}
			x.set("category", x.peek().text)
			x.at++
		case strings.HasPrefix(x.peek().text, "#") && len(x.peek().text) > 1:
			tags, _ := x.draft.Params["tags"].([]string)
			x.set("tags", append(tags, x.peek().text[1:]))
			x.at++
		default:
			return x.unknown()
		}
	}
	return nil
}

// what reads what was bought: words up to a mark or what belongs elsewhere.
func (x *expense) what() error {
	begin := x.at
	for x.more() && !x.peek().mark() && !x.word("split", "with", "note", "on", "category", "same", "between", "among") && !strings.HasPrefix(x.peek().text, "#") {
		x.at++
	}
	if begin == x.at {
		return x.unknown()
	}
	if x.note != "" {
		return question(fmt.Sprintf("what was it for: %s or %s?", x.note, x.between(x.list[begin:x.at])))
	}
	x.note = x.between(x.list[begin:x.at])
	return nil
}
