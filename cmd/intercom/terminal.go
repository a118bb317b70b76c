package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"golang.org/x/term"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

// terminal reads commands such as `/sc_send --channel trip --message hi`, runs
// them, and shows what comes in meanwhile. It has every operation, and `print`,
// which only a terminal needs (upstream 5.3).
type terminal struct {
	caller op.Caller
	quiet  bool // show no messages
	in     *os.File
	line   *term.Terminal
}

const (
	// terminalClient is the name under which the terminal calls.
	terminalClient = "terminal"
	// maxLine is how many characters x/term takes; it drops further ones.
	maxLine = 4096
)

func newTerminal(caller op.Caller, quiet bool, in, out *os.File) *terminal {
	t := &terminal{caller: caller, quiet: quiet, in: in}
	t.line = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{in, out}, "> ")
	t.line.AutoCompleteCallback = t.complete
	return t
}

// Run reads lines until ctx ends, the user leaves, or the input does. A read of
// the terminal cannot be woken: it ends with the process.
func (t *terminal) Run(ctx context.Context) error {
	cooked, err := term.MakeRaw(int(t.in.Fd()))
	if err != nil {
		return err
	}
	defer term.Restore(int(t.in.Fd()), cooked) //nolint:errcheck // nothing is left to be done about it
	if width, height, err := term.GetSize(int(t.in.Fd())); err == nil && width > 0 {
		t.line.SetSize(width, height) //nolint:errcheck // it keeps the size it had
	}
	ctx, cancel := context.WithCancel(ctx)
	shown := make(chan struct{})
	go func() { defer close(shown); t.show(ctx) }()
	defer func() { cancel(); <-shown }()
	left := make(chan struct{})
	go func() { defer close(left); t.read(ctx) }()
	select {
	case <-left:
	case <-ctx.Done():
	}
	return nil
}

func (t *terminal) read(ctx context.Context) {
	for {
		text, err := t.line.ReadLine()
		if errors.Is(err, term.ErrPasteIndicator) {
			err = nil
		}
		switch {
		case err != nil:
			return
		case utf8.RuneCountInString(text) >= maxLine:
			t.print(fmt.Sprintf("Command failed: the line has %d characters or more\n  use `intercom call <operation> -`, which reads its parameters", maxLine))
		case strings.TrimSpace(text) == "":
		case t.run(ctx, text) == "exit":
			return
		}
	}
}

// complete fills in the name of an operation when the tab key is pressed.
func (t *terminal) complete(line string, pos int, key rune) (string, int, bool) {
	word := strings.TrimPrefix(line[:pos], "/")
	if key != '\t' || word == "" || strings.Contains(word, " ") {
		return "", 0, false
	}
	var found []string
	for _, info := range t.caller.Ops() {
		if strings.HasPrefix(info.Name, word) {
			found = append(found, info.Name)
		}
	}
	if len(found) == 0 {
		return "", 0, false
	}
	common := found[0]
	for _, name := range found[1:] {
		for !strings.HasPrefix(name, common) {
			common = common[:len(common)-1]
		}
	}
	if len(found) == 1 {
		common += " "
	}
	return "/" + common + line[pos:], len(common) + 1, true
}

// run runs one line and prints what came of it.
func (t *terminal) run(ctx context.Context, text string) string {
	words, err := op.Tokens(strings.TrimPrefix(strings.TrimSpace(text), "/"))
	if err == nil && len(words) > 0 && words[0] == "print" {
		t.print(strings.Join(dropName(words[1:], "text"), " "))
		return "print"
	}
	var name string
	var reply op.Reply
	if err == nil {
		name, reply, err = t.call(ctx, words)
	}
	if err != nil {
		f := fault.Of(err)
		t.print("Command failed: " + f.Message)
		if f.Hint != "" {
			t.print("  " + f.Hint)
		}
		return name
	}
	t.print(reply.Text)
	return name
}

// call runs the operation that words name.
func (t *terminal) call(ctx context.Context, words []string) (name string, reply op.Reply, err error) {
	info, rest, err := op.Match(t.caller.Ops(), words)
	if err != nil {
		return "", op.Reply{}, err
	}
	if rest, err = fromFiles(info, rest); err != nil {
		return info.Name, op.Reply{}, err
	}
	params, err := op.ReadParams(info, rest)
	if err != nil {
		return info.Name, op.Reply{}, err
	}
	reply, err = t.caller.Call(ctx, op.Request{Name: info.Name, Params: params, Grant: op.Admin, Client: terminalClient, Text: true})
	return info.Name, reply, err
}

// dropName takes a leading `--name` away.
func dropName(words []string, name string) []string {
	if len(words) > 0 && words[0] == "--"+name {
		return words[1:]
	}
	return words
}

// print writes above the line that is being typed.
func (t *terminal) print(text string) {
	if text != "" {
		fmt.Fprintln(t.line, plain(text))
	}
}

// show prints what happens until ctx ends.
func (t *terminal) show(ctx context.Context) {
	after, err := t.caller.Now(ctx)
	for err == nil && ctx.Err() == nil {
		var batch event.Batch
		batch, err = t.caller.Events(ctx, after, 100)
		for _, e := range batch.Events {
			if text := incoming(e); text != "" && !t.quiet {
				t.print(text)
			}
		}
		after = batch.Next
	}
}

// incoming is what a terminal shows of an event: messages as upstream prints
// them (upstream 6.3), and that some were lost. Messages of applications are
// not for reading; the application tells what they did.
func incoming(e event.Event) string {
	var data struct {
		Channel string          `json:"channel"`
		From    string          `json:"from"`
		Message json.RawMessage `json:"message"`
		Missed  json.RawMessage `json:"missed"`
		Kind    string          `json:"kind"`
		By      string          `json:"by"`
	}
	if json.Unmarshal(e.Data, &data) != nil {
		return ""
	}
	switch e.Kind {
	case "sidechannel_message":
		var app struct {
			App string `json:"app"`
		}
		if json.Unmarshal(data.Message, &app) == nil && app.App != "" {
			return ""
		}
		text := string(data.Message)
		var said string
		if json.Unmarshal(data.Message, &said) == nil {
			text = said
		}
		return fmt.Sprintf("[sidechannel:%s] %s: %s", data.Channel, data.From, text)
	case "expense_changed":
		return fmt.Sprintf("[expense:%s] %s by %s", data.Channel, data.Kind, data.By)
	case event.Gap:
		return fmt.Sprintf("[events] %s are gone", data.Missed)
	}
	return ""
}
