package identity

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"github.com/tyler-smith/go-bip39"

	"intercom/core/fault"
)

const (
	redacted     = "[redacted]"
	maxWordsText = 4096 // bytes; 24 words need 215
	wordsHint    = "type the 12 or 24 English words as they were written down, with spaces between"
)

// A Mnemonic is the 12 or 24 words of an identity: whoever knows them is its
// owner. It redacts itself wherever it is printed, logged or marshalled;
// [Mnemonic.Reveal] is the one way to the words. The zero value has none.
type Mnemonic struct{ words func() string }

// ParseMnemonic normalises words as upstream 1.2 does and checks count, word
// list and checksum (BIP39, English). Faults name the place of a wrong word,
// never the word.
func ParseMnemonic(text string) (Mnemonic, error) {
	if len(text) > maxWordsText {
		return Mnemonic{}, fault.New(fault.Invalid, "the words are %d bytes long, more than 24 words can be", len(text)).WithHint(wordsHint)
	}
	words := strings.FieldsFunc(strings.ToLower(text), isJSSpace)
	if len(words) != 12 && len(words) != 24 {
		return Mnemonic{}, fault.New(fault.Invalid, "there are %d words, not 12 or 24", len(words)).WithHint(wordsHint)
	}
	for i, word := range words {
		if _, listed := bip39.GetWordIndex(word); !listed {
			return Mnemonic{}, fault.New(fault.Invalid, "word %d of %d is not in the English BIP39 list", i+1, len(words)).WithHint(wordsHint)
		}
	}
	joined := strings.Join(words, " ")
	if !bip39.IsMnemonicValid(joined) {
		return Mnemonic{}, fault.New(fault.Invalid, "the %d words do not fit together: one is wrong or out of place", len(words)).WithHint(wordsHint)
	}
	return Mnemonic{func() string { return joined }}, nil
}

// isJSSpace tells what JavaScript's \s matches. Go's notion differs by two.
func isJSSpace(r rune) bool {
	return r == '\ufeff' || unicode.IsSpace(r) && r != '\u0085'
}

// Reveal returns the words, lower case with single spaces, "" if there are none.
func (m Mnemonic) Reveal() string {
	if m.words == nil {
		return ""
	}
	return m.words()
}

// IsZero tells whether there are no words.
func (m Mnemonic) IsZero() bool { return m.words == nil }

func (m Mnemonic) String() string { return redacted }

// Format prints "[redacted]" for every verb.
func (m Mnemonic) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue logs "[redacted]".
func (m Mnemonic) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is "[redacted]".
func (m Mnemonic) MarshalText() ([]byte, error) { return []byte(redacted), nil }
