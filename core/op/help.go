package op

import (
	"fmt"
	"strings"
)

// Owners lists the owners in the order in which they first appear.
func Owners(infos []Info) []string {
	var owners []string
	seen := map[string]bool{}
	for _, info := range infos {
		if !seen[info.Owner] {
			seen[info.Owner] = true
			owners = append(owners, info.Owner)
		}
	}
	return owners
}

// HelpAll is the help of every operation, a line each, by owner.
func HelpAll(infos []Info) string {
	var b strings.Builder
	for _, owner := range Owners(infos) {
		fmt.Fprintf(&b, "%s\n", owner)
		for _, info := range infos {
			if info.Owner == owner {
				fmt.Fprintf(&b, "  %-20s %s\n", info.Name, info.Summary)
			}
		}
	}
	b.WriteString("\n`help <operation>` tells its parameters\n")
	return b.String()
}

// HelpOne is the help of one operation: what it does, its parameters, an
// example as a terminal line.
func HelpOne(info Info) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s (%s access)\n", info.Name, info.Summary, info.Access)
	if info.Notes != "" {
		fmt.Fprintf(&b, "%s\n", info.Notes)
	}
	for _, p := range info.Parameters() {
		need := ""
		if p.Required {
			need = " (needed)"
		}
		other := ""
		if names := info.Synonyms[p.Name]; len(names) > 0 {
			other = " (or --" + strings.Join(names, ", --") + ")"
		}
		fmt.Fprintf(&b, "  --%s%s: %s%s\n", p.Name, other, p.Description, need)
	}
	fmt.Fprintf(&b, "example: %s %s\n", info.Name, info.Example)
	return b.String()
}

// Table is the list of operations as a Markdown table, for the documents.
func Table(infos []Info) string {
	var b strings.Builder
	b.WriteString("| operation | parameters | what it does | access |\n| --- | --- | --- | --- |\n")
	for _, info := range infos {
		var names []string
		for _, p := range info.Parameters() {
			name := p.Name
			if !p.Required {
				name += "?"
			}
			names = append(names, name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", info.Name, strings.Join(names, ", "), info.Summary, info.Access)
	}
	return b.String()
}
