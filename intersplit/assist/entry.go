package assist

import (
	"fmt"
	"strings"

	"intercom/intersplit/money"
)

// paidWords say that somebody paid.
var paidWords = map[string]bool{"paid": true, "pays": true, "payed": true, "gave": true, "repaid": true}

// entry reads the sentences that record something:
//
//	[add] NAME AMOUNT split NAMES            add alice 30 split alice,bob
//	NOTE AMOUNT [paid by] NAME with NAMES    dinner 48 alice with bob, cleo
//	NAME paid AMOUNT [and NAME paid AMOUNT]  ann paid 50 and ben paid 20 for taxi
//	NAME paid NAME back AMOUNT               alice paid bob back 25
//	NOTE AMOUNT: NAME AMOUNT, NAME AMOUNT    rent 1200: ann 500, ben 400
//	NOTE AMOUNT, NAME n shares, NAME n       wine 30, ann 2 shares, ben 1
//	refund AMOUNT to NAME, same split        refund 20 to ann, same split
//
// and behind any of them: for WHAT, on YYYY-MM-DD, category WORD, note TEXT.
func (s *sentence) entry() error {
	x := &expense{sentence: s}
	switch {
	case s.skip("refund"):
		return x.refund()
	case s.paidFirst():
		return x.paid()
	}
	x.added = s.skip("add", "expense")
	return x.spent()
}

// paidFirst says whether the sentence begins with somebody who paid.
func (s *sentence) paidFirst() bool {
	for i, t := range s.list {
		if !t.name() {
			return i > 0 && paidWords[t.word] && (i+1 == len(s.list) || s.list[i+1].word != "by")
		}
	}
	return false
}

// expense is an expense that is being read.
type expense struct {
	*sentence
	added  bool // it began with add
	amount string
	payers []payer
	mode   string
	lines  []Line
	note   string
}

// spent reads what was spent first, and who paid it afterwards.
func (x *expense) spent() error {
	begin := x.at
	for x.more() && (x.peek().quoted || !x.peek().numeric() && !x.peek().mark()) {
		x.at++
	}
	words := x.list[begin:x.at]
	if c, is, err := x.signBefore(words); err != nil {
		return err
	} else if is {
		words = words[:len(words)-1]
		if err := x.useCurrency(c); err != nil {
			return err
		}
	}
	if !x.more() || !x.peek().numeric() {
		return x.unknown()
	}
	var err error
	x.draft.Operation = "expense_add"
	if x.amount, err = x.amountHere(); err != nil {
		return err
	}
	x.set("amount", x.amount)
	// "add alice 30 split …" names the payer in front; "dinner 48 alice with …"
	// what it was for.
	if len(words) > 0 && x.payerInFront(words) {
		name, err := x.member(words)
		if err != nil {
			return err
		}
		x.pay(name, x.amount)
	} else if len(words) > 0 {
		x.note = x.between(words)
	}
	if err := x.payerBehind(); err != nil {
		return err
	}
	return x.sharedAndMore()
}

// signBefore takes a currency in front of the amount from the words before it.
func (x *expense) signBefore(words []token) (string, bool, error) {
	if len(words) == 0 {
		return "", false, nil
	}
	last := words[len(words)-1]
	if last.text != strings.ToUpper(last.text) && spoken[last.word] == "" {
		return "", false, nil // "dinner bob 30" names no currency
	}
	return x.currencyOf(last, false)
}

// payerInFront says whether the words before the amount are the payer.
func (x *expense) payerInFront(words []token) bool {
	if !x.added {
		return false
	}
	return x.word("split", "with", "between", "among", "for", "note", "on", "category") || !x.more() || words[0].quoted || x.knows(strings.ToLower(x.between(words)))
}

// between is some words as they were written.
func (x *expense) between(words []token) string {
	said := make([]string, len(words))
	for i, w := range words {
		said[i] = w.text
	}
	return strings.Join(said, " ")
}

func (x *expense) pay(name, amount string) {
	x.payers = append(x.payers, payer{name, amount})
}

// payerBehind reads "alice", "by alice" or "paid by alice" behind the amount.
func (x *expense) payerBehind() error {
	if len(x.payers) > 0 {
		return nil
	}
	begin := x.at
	x.skip("paid", "payed")
	by := x.skip("by")
	if !by && x.at > begin {
		return x.unknown()
	}
	if !by && (!x.more() || !x.peek().name() || x.clause()) {
		return nil
	}
	name, err := x.nameHere()
	if err != nil {
		return err
	}
	x.pay(name, x.amount)
	return nil
}

// paid reads "ann paid …".
func (x *expense) paid() error {
	x.draft.Operation = "expense_add"
	for {
		name, err := x.nameHere()
		if err != nil {
			return err
		}
		verb := x.peek().word
		if !paidWords[verb] {
			return x.unknown()
		}
		x.at++
		back := x.skip("back") || verb == "repaid"
		if x.more() && !x.peek().numeric() {
			if c, is, err := x.signBefore(x.list[x.at : x.at+1]); err != nil {
				return err
			} else if !is || x.at+1 >= len(x.list) || !x.list[x.at+1].numeric() {
				return x.transferTo(name, back)
			} else if err := x.useCurrency(c); err != nil {
				return err
			} else {
				x.at++
			}
		}
		amount, err := x.amountHere()
		if err != nil {
			return err
		}
		if x.word("to") || back {
			return x.transfer(name, amount)
		}
		x.pay(name, amount)
		if !x.nextPayer() {
			break
		}
	}
	if err := x.addUp(); err != nil {
		return err
	}
	return x.sharedAndMore()
}

// nextPayer passes over "and" when another "ben paid 20" follows.
func (x *expense) nextPayer() bool {
	begin := x.at
	for x.skip("and", ",", "&") {
		for i := x.at; i < len(x.list); i++ {
			if t := x.list[i]; !t.name() {
				if paidWords[t.word] && i > x.at {
					return true
				}
				break
			}
		}
	}
	x.at = begin
	return false
}

// addUp makes the amount of what several paid.
func (x *expense) addUp() error {
	amounts := make([]string, len(x.payers))
	for i, p := range x.payers {
		amounts[i] = p.Amount
	}
	if len(amounts) == 1 {
		x.amount = amounts[0]
		x.set("amount", x.amount)
		return nil
	}
	if err := x.checkCurrency(amounts...); err != nil {
		x.set("payers", x.payers)
		return err
	}
	c := x.counts()
	var sum money.Sum
	for _, amount := range amounts {
		m, err := money.Parse(amount, c)
		if err != nil {
			return err
		}
		sum = sum.Plus(money.SumOf(m))
	}
	x.amount = sum.Format(c)
	x.set("amount", x.amount)
	return nil
}

// counts is the currency in which the sentence counts; [sentence.checkCurrency]
// has seen to it that there is one only.
func (s *sentence) counts() money.Currency {
	if code, named := s.draft.Params["currency"].(string); named {
		return s.currency(code)
	}
	if len(s.room.Currencies) == 1 {
		return s.room.Currencies[0]
	}
	return ""
}

// refund reads what follows "refund": money that came back to somebody.
func (x *expense) refund() error {
	x.draft.Operation = "expense_add"
	amount, err := x.amountHere()
	if err != nil {
		return err
	}
	if strings.HasPrefix(amount, "-") {
		return question(fmt.Sprintf("a refund of %s: write it without the sign", amount))
	}
	x.amount = "-" + amount
	x.set("amount", x.amount)
	if !x.skip("to") {
		return question("who got the refund?", fmt.Sprintf("refund %s to ann, same split", amount))
	}
	name, err := x.nameHere()
	if err != nil {
		return err
	}
	x.pay(name, x.amount)
	return x.sharedAndMore()
}

// finishExpense puts what was read into parameters, or asks for what is missing.
func (x *expense) finishExpense() error {
	if x.note != "" {
		x.set("note", x.note)
	}
	if len(x.payers) == 1 {
		x.set("payer", x.payers[0].Member)
	} else if len(x.payers) > 1 {
		x.set("payers", x.payers)
	}
	if len(x.lines) > 0 {
		x.set("split", x.lines)
	}
	if x.mode != "" {
		x.set("mode", x.mode)
	}
	amounts := []string{x.amount}
	for _, line := range x.lines {
		if x.mode == "exact" && line.Value != "" {
			amounts = append(amounts, line.Value)
		}
	}
	if err := x.checkCurrency(amounts...); err != nil {
		return err
	}
	if len(x.payers) == 0 {
		return x.whoPaid()
	}
	if len(x.lines) == 0 {
		return x.whoShares()
	}
	return nil
}
