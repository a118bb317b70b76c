package assist

import (
	"fmt"
	"slices"
	"strings"

	"intercom/core/fault"
	"intercom/intersplit/money"
)

// common are codes that people write in lower case. Any other code is one in
// upper case, or when the room uses it: "all" and "bob" are currencies as well.
var common = []string{"eur", "usd", "gbp", "chf", "jpy", "cad", "aud", "sek", "nok", "dkk", "pln", "czk", "huf", "cny", "inr", "brl", "mxn", "nzd"}

// spoken are words and signs for one currency; vague are those that several have.
var (
	spoken = map[string]string{"€": "EUR", "euro": "EUR", "euros": "EUR", "₹": "INR"}
	vague  = map[string]string{
		"$": "USD", "dollar": "USD", "dollars": "USD", "bucks": "USD", "£": "GBP", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
		"¥": "JPY", "yen": "JPY", "franc": "CHF", "francs": "CHF", "kr": "SEK", "kronor": "SEK", "kroner": "NOK",
	}
)

// amountHere reads an amount with a currency before or behind it, if there is
// one. The first currency of a sentence is that of all its amounts.
func (s *sentence) amountHere() (string, error) {
	if c, is, err := s.currencyOf(s.peek(), false); err != nil {
		return "", err
	} else if is && s.at+1 < len(s.list) && s.list[s.at+1].numeric() {
		s.at++
		if err := s.useCurrency(c); err != nil {
			return "", err
		}
	}
	if !s.more() || !s.peek().numeric() {
		return "", s.unknown()
	}
	number, sign := cutSign(s.peek().text)
	if sign != "" {
		c, is, err := s.currencyOf(token{text: sign, word: strings.ToLower(sign)}, false)
		if err == nil && !is {
			err = unclear(s.peek().text)
		}
		if err == nil {
			err = s.useCurrency(c)
		}
		if err != nil {
			return "", err
		}
	}
	if !plain(number) {
		return "", unclear(s.peek().text)
	}
	s.at++
	if !s.more() {
		return number, nil
	}
	c, is, err := s.currencyOf(s.peek(), false)
	if err != nil {
		return "", err
	}
	if is {
		s.at++
		return number, s.useCurrency(c)
	}
	return number, nil
}

// cutSign separates a number from a currency that is written at it: "30€", "EUR30".
func cutSign(text string) (number, sign string) {
	digits := func(r rune) bool { return r >= '0' && r <= '9' || r == '.' || r == '-' }
	number = strings.TrimLeftFunc(text, func(r rune) bool { return !digits(r) })
	if sign = text[:len(text)-len(number)]; sign != "" {
		return number, sign
	}
	number = strings.TrimRightFunc(text, func(r rune) bool { return !digits(r) })
	return number, text[len(number):]
}

// plain says whether a number is written in the one way that cannot be misread.
func plain(number string) bool {
	digits := strings.TrimPrefix(number, "-")
	whole, frac, point := strings.Cut(digits, ".")
	if whole == "" || point && frac == "" {
		return false
	}
	return strings.Trim(whole+frac, "0123456789") == ""
}

func unclear(text string) error {
	return question(fmt.Sprintf("what amount is %q? Write digits and a point only, such as 1234.56", text))
}

// currencyOf says which currency a token names. sure is for a place where nothing
// else can stand.
func (s *sentence) currencyOf(t token, sure bool) (c string, is bool, err error) {
	if t.quoted || t.text == "" {
		return "", false, nil
	}
	if i := slices.IndexFunc(s.room.Currencies, func(c money.Currency) bool { return c != "" && strings.EqualFold(c.Code(), t.word) }); i >= 0 {
		return s.unlessMember(t, s.room.Currencies[i].Code())
	}
	if code, known := spoken[t.word]; known {
		return code, true, nil
	}
	if code, known := vague[t.word]; known {
		return "", false, question(fmt.Sprintf("which currency is %q? Write its code, such as %s", t.text, code))
	}
	upper := strings.ToUpper(t.text)
	if len(upper) != 3 || !money.Currency(upper).Valid() {
		return "", false, nil
	}
	if t.text == upper || sure || slices.Contains(common, t.word) {
		return s.unlessMember(t, upper)
	}
	return "", false, nil
}

// unlessMember asks when a currency is also somebody's name.
func (s *sentence) unlessMember(t token, code string) (string, bool, error) {
	if s.knows(t.word) {
		return "", false, question(fmt.Sprintf("is %q the currency or the member? Put the member in double quotes, or name the currency another way", t.text))
	}
	return code, true, nil
}

func (s *sentence) useCurrency(c string) error {
	if before, known := s.draft.Params["currency"]; known && before != c {
		return question(fmt.Sprintf("the sentence names %s and %s: which currency is it?", before, c))
	}
	s.set("currency", c)
	return nil
}

// checkCurrency asks for the currency where the room has several, and reads every
// amount in the one that counts.
func (s *sentence) checkCurrency(amounts ...string) error {
	var c money.Currency
	code, named := s.draft.Params["currency"].(string)
	switch {
	case named:
		c = s.currency(code)
	case len(s.room.Currencies) > 1:
		return s.whichCurrency()
	case len(s.room.Currencies) == 1:
		c = s.room.Currencies[0]
	}
	for _, amount := range amounts {
		if _, err := money.Parse(amount, c); err != nil {
			f := fault.Of(err)
			return question(f.Message + ": " + f.Hint)
		}
	}
	return nil
}

func (s *sentence) currency(code string) money.Currency {
	for _, c := range s.room.Currencies {
		if c.Code() == code {
			return c
		}
	}
	return money.Currency(code)
}

func (s *sentence) whichCurrency() error {
	var codes []string
	for _, c := range s.room.Currencies {
		if c == "" {
			codes = append(codes, "none")
		} else {
			codes = append(codes, c.Code())
		}
	}
	return question("which currency: " + strings.Join(codes, " or ") + "? Write it behind the amount")
}
