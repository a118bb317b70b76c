package assist

import (
	"strings"
	"unicode"

	"intercom/core/fault"
)

// maxText is the most bytes of a sentence.
const maxText = 2000

// token is a word, a number or a mark of a sentence.
type token struct {
	text   string // as it was written
	word   string // in lower case, to be compared
	quoted bool   // in double quotes: a name and nothing else
	from   int    // where it begins in the sentence
}

// tokens cuts a sentence. Commas, semicolons and colons stand for themselves,
// except within a number, where they are part of what is asked about.
func tokens(text string) ([]token, error) {
	if len(text) > maxText {
		return nil, fault.New(fault.Invalid, "the sentence has %d bytes", len(text)).WithHint("use at most %d: one sentence for one entry", maxText)
	}
	var list []token
	runes := []rune(text)
	offset := make([]int, len(runes)+1)
	for i, r := range runes {
		offset[i+1] = offset[i] + len(string(r))
	}
	for i := 0; i < len(runes); {
		r := runes[i]
		end := i + 1
		switch {
		case unicode.IsSpace(r):
		case r == '"' || r == '“':
			for end < len(runes) && runes[end] != '"' && runes[end] != '”' {
				end++
			}
			if end == len(runes) {
				return nil, fault.New(fault.Invalid, "the sentence ends inside a quote").WithHint("close the quote")
			}
			inside := string(runes[i+1 : end])
			list = append(list, token{text: inside, word: strings.ToLower(inside), quoted: true, from: offset[i]})
			end++
		case isMark(r):
			list = append(list, token{text: string(r), word: string(r), from: offset[i]})
		default:
			for end < len(runes) && !unicode.IsSpace(runes[end]) && runes[end] != '"' && (!isMark(runes[end]) || within(runes, end)) {
				end++
			}
			word := string(runes[i:end])
			list = append(list, token{text: word, word: strings.ToLower(word), from: offset[i]})
		}
		i = end
	}
	return list, nil
}

func isMark(r rune) bool { return r == ',' || r == ';' || r == ':' || r == '&' }

// within says whether the mark at i stands between two digits.
func within(runes []rune, i int) bool {
	return i > 0 && i+1 < len(runes) && unicode.IsDigit(runes[i-1]) && unicode.IsDigit(runes[i+1])
}

func (t token) mark() bool { return !t.quoted && len(t.text) == 1 && isMark(rune(t.text[0])) }

// numeric says whether the token is meant as a number: it has a digit where a
// number begins.
func (t token) numeric() bool {
	if t.quoted {
		return false
	}
	for i, r := range t.text {
		switch {
		case unicode.IsDigit(r) || unicode.IsNumber(r):
			return true
		case i > 4 || !strings.ContainsRune("+-−.~€$£¥₹", r):
			return false
		}
	}
	return false
}

// keywords end a name that is not in quotes.
var keywords = map[string]bool{
	"with": true, "split": true, "between": true, "among": true, "for": true, "note": true, "paid": true, "pays": true,
	"payed": true, "pay": true, "gave": true, "repaid": true, "back": true, "to": true, "from": true, "by": true, "and": true, "on": true,
	"date": true, "category": true, "same": true, "shares": true, "share": true, "parts": true, "part": true,
	"equally": true, "percent": true, "owe": true, "owes": true, "owed": true,
}

// name says whether the token can be part of a name.
func (t token) name() bool {
	return t.quoted || !t.mark() && !t.numeric() && !keywords[t.word] && !strings.HasPrefix(t.text, "#")
}
