package agent

import (
	"encoding/json"
	"strings"
)

// maxFilter bounds the text of a filter in bytes: it is tried on every message.
const maxFilter = 4096

// filter is a parsed filter expression: a message passes when all words of at
// least one group occur in its text, whatever their case. The empty filter
// passes everything.
type filter [][]string

// parseFilter reads `a+b|c`: "|" separates groups, "+", "," and blanks separate
// words (upstream 6.12).
func parseFilter(expression string) filter {
	var groups filter
	for part := range strings.SplitSeq(expression, "|") {
		words := strings.FieldsFunc(part, func(r rune) bool { return r == '+' || r == ',' || blank(r) })
		if len(words) == 0 {
			continue
		}
		for i, word := range words {
			words[i] = strings.ToLower(word)
		}
		groups = append(groups, words)
	}
	return groups
}

func (f filter) matches(text string) bool {
	if len(f) == 0 {
		return true
	}
	text = strings.ToLower(text)
	for _, group := range f {
		if containsAll(text, group) {
			return true
		}
	}
	return false
}

func containsAll(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// filterText is the text of a message that filters look at: a string is its
// own text, anything else its JSON.
func filterText(message json.RawMessage) string {
	if len(message) > 0 && message[0] == '"' {
		return unquote(message)
	}
	return stringify(message)
}
