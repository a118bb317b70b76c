package ledger

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"intercom/core/fault"
)

// Name is a member's name in its one canonical spelling: see [ParseName].
type Name string

// MaxName is the most characters a name has.
const MaxName = 64

// ParseName gives the one spelling under which a member is known: Unicode NFC,
// lower case, trimmed, inner runs of spaces made one. Without NFC "josé" typed on
// two keyboards would be two members who look alike. Characters that cannot be
// seen are refused, since they make two names look equal; so are "," and ":",
// which separate names in a split.
func ParseName(text string) (Name, error) {
	if len(text) > 16*MaxName {
		return "", tooLong("name", text, MaxName)
	}
	text = strings.TrimSpace(text)
	if err := checkText("name", text); err != nil {
		return "", err
	}
	name := fold(text)
	if name == "" {
		return "", fault.New(fault.Invalid, "a name is blank").WithHint("name every member")
	}
	if utf8.RuneCountInString(name) > MaxName {
		return "", tooLong("name", text, MaxName)
	}
	for _, r := range name {
		if r == ',' || r == ':' || !visible(r) {
			return "", fault.New(fault.Invalid, "name %+q has the character %+q", clip(text), r).
				WithHint("use letters, digits, spaces and marks that can be seen, without , and :")
		}
	}
	return Name(name), nil
}

// fold is idempotent for every character that [visible] admits; a test tries
// them all.
func fold(text string) string {
	lower := strings.ToLower(norm.NFC.String(text))
	words := strings.FieldsFunc(norm.NFC.String(lower), func(r rune) bool { return r == ' ' })
	return strings.Join(words, " ")
}

// visible says whether r leaves ink: no control or format character, no
// variation selector or filler, no space but the plain one. A code point that
// this build's Unicode does not know is refused as well: a later build might
// fold it otherwise, and peers would disagree.
func visible(r rune) bool {
	if r == ' ' {
		return true
	}
	const brailleBlank = '\u2800'
	return unicode.IsGraphic(r) && !unicode.IsSpace(r) && r != brailleBlank &&
		!unicode.In(r, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point)
}

// checkText refuses what is unfit for any text of an entry, cheapest first: bytes
// that are no UTF-8, control characters, which would break a line in two, and
// bidirectional controls, which make a line read other than it is.
func checkText(what, text string) error {
	if !utf8.ValidString(text) {
		return fault.New(fault.Invalid, "%s %+q is not UTF-8", what, clip(text)).WithHint("send valid UTF-8 text")
	}
	for _, r := range text {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || unicode.Is(unicode.Bidi_Control, r) {
			return fault.New(fault.Invalid, "%s %+q has the control character %U", what, clip(text), r).
				WithHint("leave out line breaks, tabs and other control characters")
		}
	}
	return nil
}

func tooLong(what, text string, limit int) error {
	return fault.New(fault.Invalid, "%s %+q is too long", what, clip(text)).WithHint("use at most %d characters", limit)
}

// clip shortens a caller's text for an error message.
func clip(text string) string {
	const most = 40
	count := 0
	for at := range text {
		if count++; count > most {
			return text[:at] + "…"
		}
	}
	return text
}
