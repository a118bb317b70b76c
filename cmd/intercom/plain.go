package main

import (
	"fmt"
	"strings"
	"unicode"
)

// plain makes text safe to show on a terminal: other peers' words must not
// move the cursor, ring the bell or turn the direction of writing. What could
// is shown as an escape.
func plain(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || r == '\t':
			b.WriteRune(r)
		case unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
