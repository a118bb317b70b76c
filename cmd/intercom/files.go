package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"intercom/core/fault"
	"intercom/core/op"
)

// maxPaperFile bounds a file with an invite or a welcome.
const maxPaperFile = 64 << 10

// fromFiles puts the text of a file where a word says `--invite @file` or
// `--welcome @file`. Only who sits at the terminal or the shell may name files:
// no surface does this for its clients.
func fromFiles(info op.Info, words []string) ([]string, error) {
	words = slices.Clone(words)
	for i, word := range words {
		name, value, inline := strings.Cut(word, "=")
		switch {
		case !paper(info, strings.TrimPrefix(name, "--")):
			continue
		case inline && strings.HasPrefix(value, "@"):
			text, err := paperFile(value[1:])
			if err != nil {
				return nil, err
			}
			words[i] = name + "=" + text
		case !inline && i+1 < len(words) && strings.HasPrefix(words[i+1], "@"):
			text, err := paperFile(words[i+1][1:])
			if err != nil {
				return nil, err
			}
			words[i+1] = text
		}
	}
	return words, nil
}

// paper tells whether a word names an invite or a welcome of an operation, under
// any of its names.
func paper(info op.Info, name string) bool {
	for _, parameter := range []string{"invite", "welcome"} {
		if parameterOf(info, parameter) && (name == parameter || slices.Contains(info.Synonyms[parameter], name)) {
			return true
		}
	}
	return false
}

// parameterOf tells whether an operation takes an object under that name.
func parameterOf(info op.Info, name string) bool {
	return slices.ContainsFunc(info.Parameters(), func(p op.Parameter) bool {
		return p.Name == name && slices.Contains(p.Types, "object")
	})
}

func paperFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", fault.New(fault.Invalid, "%v", err).WithHint("name a file that can be read")
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxPaperFile+1))
	if err == nil && len(raw) > maxPaperFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxPaperFile)
	}
	if err != nil {
		return "", fault.New(fault.Invalid, "%v", err).WithHint("name a file that holds an invite or a welcome")
	}
	return strings.TrimSpace(string(raw)), nil
}
