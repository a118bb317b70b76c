package config

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"intercom/core/fault"
)

// file is the name of the config file in the home: a JSON object of flag names
// and values.
const file = "config.json"

// Parse reads the words of a command line. Words that are no flags are given
// back in order, and so are flags for which keep says yes: the parameters of a
// one-shot call. All problems are reported at once.
func Parse(words []string, getenv func(string) string, keep func(name string) bool) (Config, []string, error) {
	p := parser{flags: Flags(), getenv: getenv}
	c, err := defaults(getenv)
	given, rest := p.commandLine(words, keep)
	p.home(&c, given, err)
	fromFile := p.readFile(c.Home)
	for _, f := range p.flags {
		p.apply(&c, f, given, fromFile)
	}
	if len(p.problems) > 0 {
		return c, nil, fault.New(fault.Invalid, "%s", strings.Join(p.problems, "; ")).
			WithHint("`intercom help flags` lists the flags")
	}
	return c, rest, nil
}

type parser struct {
	flags    []Flag
	getenv   func(string) string
	problems []string
}

func (p *parser) problem(format string, args ...any) {
	p.problems = append(p.problems, fmt.Sprintf(format, args...))
}

// commandLine splits words into flags, the last one of a name winning, and the
// rest.
func (p *parser) commandLine(words []string, keep func(string) bool) (given map[string]string, rest []string) {
	given = map[string]string{}
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		name, value, inline := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		f, known := p.find(name)
		switch {
		case !strings.HasPrefix(word, "--"):
			rest = append(rest, word)
			continue
		case keep(name):
			rest = append(rest, word)
			if !inline && len(words) > 0 && !strings.HasPrefix(words[0], "--") {
				rest = append(rest, words[0]) // its value, which may look like a command
				words = words[1:]
			}
			continue
		case !known:
			p.unknown(name)
		}
		if !inline {
			value, words = p.next(f, known, words)
		}
		if known {
			given[f.Name] = value
		}
	}
	return given, rest
}

// next takes the value of a flag from the words behind it. A switch takes only
// a word that reads as a boolean, so that `--json expense list` works.
func (p *parser) next(f Flag, known bool, words []string) (string, []string) {
	if len(words) > 0 && !strings.HasPrefix(words[0], "--") {
		if _, err := parseBool(words[0]); !f.alone || err == nil {
			return words[0], words[1:]
		}
	}
	if f.Bool || !known {
		return "1", words
	}
	return "", words
}

func (p *parser) find(name string) (Flag, bool) {
	i := slices.IndexFunc(p.flags, func(f Flag) bool { return f.Name == name || slices.Contains(f.Alias, name) })
	if i < 0 {
		return Flag{}, false
	}
	return p.flags[i], true
}

func (p *parser) unknown(name string) {
	if name == "msb-bootstrap" || name == "msb-channel" || name == "network" {
		p.problem("--%s: a settlement network is named by --msb-genesis <file or hash>", name)
		return
	}
	p.problem("--%s: no such flag", name)
}

// home settles the home first: the config file lies in it.
func (p *parser) home(c *Config, given map[string]string, err error) {
	switch {
	case given["home"] != "":
		c.Home = given["home"]
	case p.getenv("INTERCOM_HOME") != "":
		c.Home = p.getenv("INTERCOM_HOME")
	case err != nil:
		p.problem("%v", err)
	}
	if absolute, err := filepath.Abs(c.Home); err == nil {
		c.Home = absolute
	}
	given["home"] = c.Home
}

// readFile reads the config file, if there is one.
func (p *parser) readFile(home string) map[string]string {
	values := map[string]string{}
	path := filepath.Join(home, file)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return values
	}
	var object map[string]any
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err == nil {
		err = dec.Decode(&object)
	}
	if err != nil {
		p.problem("%s: %v", path, err)
		return values
	}
	for name, value := range object {
		f, known := p.find(name)
		switch v := value.(type) {
		case string, bool, json.Number:
			values[f.Name] = fmt.Sprint(v)
		case []any:
			items := make([]string, len(v))
			for i, item := range v {
				items[i] = fmt.Sprint(item)
			}
			values[f.Name] = strings.Join(items, ",")
		default:
			p.problem("%s: %q is neither text, number, boolean nor list", path, name)
		}
		if !known || f.Name == "home" {
			p.problem("%s: %q is no flag that a file may set", path, name)
		}
	}
	return values
}

// apply sets one flag from the first place that names it.
func (p *parser) apply(c *Config, f Flag, given, fromFile map[string]string) {
	value, onLine := given[f.Name]
	from := "--" + f.Name
	if !onLine {
		from = f.env()
		value = p.environment(f)
	}
	if !onLine && value == "" {
		from = file + ": " + f.Name
		value = fromFile[f.Name]
	}
	if !onLine && value == "" {
		return
	}
	if err := f.set(c, value); err != nil {
		p.problem("%s: %v", from, err)
	}
	if onLine && f.Peer {
		c.Given = append(c.Given, "--"+f.Name)
	}
}

func (p *parser) environment(f Flag) string {
	if v := p.getenv(f.env()); v != "" {
		return v
	}
	for _, alias := range f.Alias { // upstream has a variable for each name
		if v := p.getenv(strings.ToUpper(strings.ReplaceAll(alias, "-", "_"))); v != "" && f.Env != "" {
			return v
		}
	}
	return p.getenv("INTERCOM_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_")))
}

// env is the variable of a flag.
func (f Flag) env() string {
	if f.Env != "" {
		return f.Env
	}
	return "INTERCOM_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// Help lists the flags for people.
func Help() string {
	var b strings.Builder
	for _, f := range Flags() {
		fmt.Fprintf(&b, "  --%-28s %s\n", f.Name, f.Help)
	}
	return b.String()
}
