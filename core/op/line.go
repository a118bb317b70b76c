package op

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"intercom/core/fault"
)

// Tokens splits a line as a shell does: blanks separate, single and double
// quotes and the backslash protect (upstream 5.1). An open quote is an error.
func Tokens(line string) ([]string, error) {
	var tokens []string
	var word strings.Builder
	begun, quote, escaped := false, rune(0), false
	for _, c := range line {
		switch {
		case escaped:
			word.WriteRune(c)
			escaped = false
		case c == '\\' && quote != '\'':
			begun, escaped = true, true
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(c)
		case c == '"' || c == '\'':
			begun, quote = true, c
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			if begun {
				tokens = append(tokens, word.String())
				word.Reset()
				begun = false
			}
		default:
			begun = true
			word.WriteRune(c)
		}
	}
	if quote != 0 || escaped {
		return nil, fault.New(fault.Invalid, "the line ends inside a quote").WithHint("close the quote, or write \\%c for the character itself", max(quote, '"'))
	}
	if begun {
		tokens = append(tokens, word.String())
	}
	return tokens, nil
}

// Match finds the operation that words begin with: "expense_add", or its parts
// as words of their own, "expense add". It gives the words that are left.
func Match(infos []Info, words []string) (Info, []string, error) {
	for n := min(len(words), 4); n > 0; n-- {
		name := strings.Join(words[:n], "_")
		if i := slices.IndexFunc(infos, func(info Info) bool { return info.Name == name }); i >= 0 {
			return infos[i], words[n:], nil
		}
	}
	if len(words) == 0 {
		return Info{}, nil, fault.New(fault.Invalid, "no operation is named").WithHint("`help` lists them")
	}
	return Info{}, nil, unknown(words[0], infos)
}

// ReadParams reads `--name value` pairs into parameters. `--name=value` serves
// too, the dashes may be left out or stand for underscores within a name, a flag
// may stand alone, and the parameters that the operation lists as Args may come without their name.
func ReadParams(info Info, words []string) (json.RawMessage, error) {
	parameters := info.Parameters()
	object := map[string]json.RawMessage{}
	args := info.Args
	for len(words) > 0 {
		word := words[0]
		words = words[1:]
		name, value, inline := strings.Cut(strings.TrimPrefix(word, "--"), "=")
		if strings.HasPrefix(word, "--") {
			name = strings.ReplaceAll(name, "-", "_") // as people write flags
		}
		p, known := find(info, parameters, name)
		if !known {
			if strings.HasPrefix(word, "--") || len(args) == 0 {
				return nil, fault.New(fault.Invalid, "unknown parameter %q", word).WithHint("`help %s` lists the parameters", info.Name)
			}
			p, _ = find(info, parameters, args[0])
			value, inline = word, true
		}
		args = slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == p.Name })
		switch {
		case inline:
		case len(words) > 0 && !(p.Admits("boolean") && strings.HasPrefix(words[0], "--")):
			value, words = words[0], words[1:]
		case p.Admits("boolean"):
			value = "true"
		default:
			return nil, fault.New(fault.Invalid, "parameter %q has no value", word).WithHint("write %s <value>", word)
		}
		if _, twice := object[p.Name]; twice {
			return nil, fault.New(fault.Invalid, "parameter %q is given twice", p.Name).WithHint("give it once")
		}
		object[p.Name] = literal(p, value)
	}
	return encode(object)
}

// find looks a parameter up by its name or a synonym.
func find(info Info, parameters []Parameter, name string) (Parameter, bool) {
	for _, p := range parameters {
		if p.Name == name || slices.Contains(info.Synonyms[p.Name], name) {
			return p, true
		}
	}
	return Parameter{}, false
}

// literal reads a text as the JSON that the parameter admits. What cannot be
// read stays a string, so that the validation names it.
func literal(p Parameter, text string) json.RawMessage {
	quoted, _ := encode(text)
	switch {
	case len(p.Types) == 1 && p.Types[0] == "array" && !strings.HasPrefix(text, "["):
		list, _ := encode(strings.Split(text, ","))
		return list
	case p.Admits("boolean") && len(p.Types) > 0:
		switch strings.ToLower(text) {
		case "1", "true", "yes", "on":
			return json.RawMessage("true")
		case "0", "false", "no", "off":
			return json.RawMessage("false")
		}
	case !p.Admits("string") && json.Valid([]byte(text)):
		return json.RawMessage(text)
	case p.Admits("string") && p.Admits("array") && strings.HasPrefix(text, "[") && json.Valid([]byte(text)) && len(p.Types) > 0:
		return json.RawMessage(text)
	}
	return quoted
}

// RunLine runs one terminal line, such as
//
//	/expense_add --channel "trip-nyc" --payer alice --amount 30 --split "alice,bob"
//
// and gives the reply with its text. The leading slash may be left out.
func RunLine(ctx context.Context, c Caller, grant Access, client, line string) (name string, reply Reply, err error) {
	words, err := Tokens(strings.TrimPrefix(strings.TrimSpace(line), "/"))
	if err != nil {
		return "", Reply{}, err
	}
	info, rest, err := Match(c.Ops(), words)
	if err != nil {
		return "", Reply{}, err
	}
	params, err := ReadParams(info, rest)
	if err != nil {
		return info.Name, Reply{}, err
	}
	reply, err = c.Call(ctx, Request{Name: info.Name, Params: params, Grant: grant, Client: client, Text: true})
	return info.Name, reply, err
}
