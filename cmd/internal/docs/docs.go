// Package docs keeps the documents true: the parts of README.md and SKILL.md
// that are derived from the list of operations, and the examples of SKILL.md.
//
// Its tests fail when a derived part is stale (`make docs` writes it again) and
// when an example does not get the reply that stands below it.
package docs

import (
	"fmt"
	"strings"

	"intercom/core/op"
)

// marks enclose the derived part of a document.
const (
	begin = "<!-- operations: written by `make docs` -->\n"
	end   = "<!-- end of operations -->"
)

// derive gives a document with its derived part as it should be.
func derive(document string, infos []op.Info) (string, error) {
	before, rest, ok := strings.Cut(document, begin)
	_, after, ended := strings.Cut(rest, end)
	if !ok || !ended {
		return "", fmt.Errorf("the marks %q and %q are missing", begin, end)
	}
	var b strings.Builder
	for _, owner := range op.Owners(infos) {
		var own []op.Info
		for _, info := range infos {
			if info.Owner == owner {
				own = append(own, info)
			}
		}
		fmt.Fprintf(&b, "\n**%s**\n\n%s", owner, op.Table(own))
	}
	return before + begin + b.String() + "\n" + end + after, nil
}

// example is one exchange of a document: a line that begins with "> " and the
// reply below it, after "< ".
type example struct{ ask, reply string }

// examples reads the exchanges of every code block that is marked "jsonrpc".
func examples(document string) []example {
	var found []example
	inside := false
	for line := range strings.SplitSeq(document, "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			inside = line == "```jsonrpc"
		case inside && strings.HasPrefix(line, "> "):
			found = append(found, example{ask: line[2:]})
		case inside && strings.HasPrefix(line, "< ") && len(found) > 0:
			found[len(found)-1].reply = line[2:]
		}
	}
	return found
}

// fits tells whether a reply is the one a document shows. The text "…" stands
// for whatever is new each time: ids, times, signatures, keys.
func fits(shown, got any) bool {
	switch want := shown.(type) {
	case string:
		if want == "…" {
			return true
		}
		text, ok := got.(string)
		return ok && text == want
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok || len(object) != len(want) {
			return false
		}
		for name, value := range want {
			if !fits(value, object[name]) {
				return false
			}
		}
		return true
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return false
		}
		for i, value := range want {
			if !fits(value, list[i]) {
				return false
			}
		}
		return true
	default:
		return shown == got
	}
}
