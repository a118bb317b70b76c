// Intercom is a peer for agents: one program that runs a peer, attaches to one
// that runs, or calls one operation and ends.
//
//	intercom                    run a peer (the same as intercom run)
//	intercom rpc                JSON-RPC 2.0 on standard input and output
//	intercom mcp                an MCP server, on stdio or --http
//	intercom demo               two peers split a trip, in a minute
//	intercom expense add …      one operation, by the words of its name
//	intercom call <op> [json]   one operation, with parameters as JSON
//	intercom identity …         the keys of the store
//	intercom validator …        a node of a settlement network
//
// Standard output belongs to answers and protocols; logs go to standard error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/lmittmann/tint"
	"golang.org/x/term"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/core/fault"
	"intercom/core/op"
)

// The exit codes.
const (
	done   = 0
	failed = 1 // refused or failed
	usage  = 2 // the command line is wrong
)

func main() {
	p := program{in: os.Stdin, out: os.Stdout, err: os.Stderr, console: &console{to: os.Stderr}, getenv: os.Getenv}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	code := p.main(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is one run of the command: its streams and its environment.
type program struct {
	in       *os.File
	out, err *os.File
	console  *console
	getenv   func(string) string
}

// console is where logs go: standard error, or above the line that is being
// typed while a terminal has the screen.
type console struct {
	mu sync.Mutex
	to io.Writer
}

func (c *console) Write(text []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.to.Write(text)
}

// show turns logs to another writer until the function it gives is called.
func (c *console) show(to io.Writer) (back func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.to
	c.to = to
	return func() { c.mu.Lock(); defer c.mu.Unlock(); c.to = before }
}

// commands are the words that are no operation, and what they do with the words
// behind them.
func (p program) commands() map[string]func(context.Context, config.Config, []string) error {
	return map[string]func(context.Context, config.Config, []string) error{
		"run": p.run, "rpc": p.rpc, "mcp": p.mcp, "demo": p.demo, "call": p.call,
		"identity": p.identity, "validator": p.validator, "version": p.version, "help": p.help,
	}
}

// main dispatches on the first word that is no flag and gives the exit code.
func (p program) main(ctx context.Context, words []string) int {
	if i := slices.IndexFunc(words, func(w string) bool { return w == "--help" || w == "-h" }); i >= 0 {
		words = append([]string{"help"}, slices.Delete(slices.Clone(words), i, i+1)...)
	}
	ops := peer.Declared()
	_, rest, err := config.Parse(words, p.getenv, notAFlag)
	if err != nil {
		return p.fail(config.Config{}, err, usage)
	}
	if len(rest) > 0 && !strings.HasPrefix(rest[0], "--") {
		if command := p.commands()[rest[0]]; command != nil {
			return p.dispatch(ctx, words, rest[0], command)
		}
		if info, _, err := op.Match(ops, leading(rest)); err == nil {
			return p.oneShot(ctx, words, info)
		}
		if len(leading(rest)) > 1 {
			return p.fail(config.Config{}, fault.New(fault.Invalid, "%q is no command and no operation", rest[0]).
				WithHint("`intercom help` lists them; a store label stands alone"), usage)
		}
		words = labelled(words, rest[0])
	}
	return p.dispatch(ctx, words, "", p.run)
}

// notAFlag keeps what may be a parameter of an operation.
func notAFlag(name string) bool {
	return !slices.ContainsFunc(config.Flags(), func(f config.Flag) bool {
		return f.Name == name || slices.Contains(f.Alias, name)
	})
}

// leading are the words before the first parameter.
func leading(words []string) []string {
	if i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, "--") }); i >= 0 {
		return words[:i]
	}
	return words
}

// labelled turns the store label, a first word that is no command, into the
// flag it stands for. A flag given beside it wins.
func labelled(words []string, label string) []string {
	i := slices.Index(words, label)
	return append([]string{"--peer-store-name", label}, slices.Delete(slices.Clone(words), i, i+1)...)
}

// dispatch parses for a command that takes no parameters of operations.
func (p program) dispatch(ctx context.Context, words []string, name string, command func(context.Context, config.Config, []string) error) int {
	keep := func(string) bool { return false }
	if name == "help" || name == "identity" || name == "validator" {
		keep = notAFlag
	}
	cfg, rest, err := config.Parse(words, p.getenv, keep)
	if err != nil {
		return p.fail(cfg, err, usage)
	}
	if name != "" {
		i := slices.Index(rest, name)
		rest = slices.Delete(rest, i, i+1)
	}
	return p.code(cfg, command(ctx, cfg, rest))
}

// code prints an error and gives the exit code for it.
func (p program) code(cfg config.Config, err error) int {
	var misuse usageError
	switch {
	case err == nil:
		return done
	case errors.As(err, &misuse):
		return p.fail(cfg, err, usage)
	default:
		return p.fail(cfg, err, failed)
	}
}

// usageError is a mistake in the words of the command line.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

func misused(hint, format string, args ...any) error {
	return usageError{fault.New(fault.Invalid, format, args...).WithHint("%s", hint)}
}

// fail tells an error on standard error.
func (p program) fail(cfg config.Config, err error, code int) int {
	f := fault.Of(err)
	if f.Kind == fault.Internal {
		f = fault.New(fault.Internal, "%v", err).WithHint("%s", f.Hint)
	}
	if cfg.JSON {
		raw, _ := jsonText(f)
		fmt.Fprintf(p.err, "%s\n", raw)
		return code
	}
	fmt.Fprintf(p.err, "error: %s\n", plain(f.Message))
	if f.Hint != "" {
		fmt.Fprintf(p.err, "hint: %s\n", plain(f.Hint))
	}
	return code
}

// logger writes to standard error: for people on a terminal, as JSON otherwise.
// The flag chooses the level, else the command.
func (p program) logger(cfg config.Config, level slog.Level) *slog.Logger {
	if cfg.LogLevel != "" {
		_ = level.UnmarshalText([]byte(cfg.LogLevel)) // the flag admits only levels
	}
	if term.IsTerminal(int(p.err.Fd())) {
		return slog.New(tint.NewTextHandler(p.console, &tint.Options{Level: level, TimeFormat: "15:04:05.000"}))
	}
	return slog.New(slog.NewJSONHandler(p.console, &slog.HandlerOptions{Level: level}))
}

func (p program) version(_ context.Context, _ config.Config, rest []string) error {
	if len(rest) > 0 {
		return misused("write `intercom version`", "version takes no %q", rest[0])
	}
	fmt.Fprintln(p.out, "intercom", peer.Version)
	return nil
}

func (p program) demo(ctx context.Context, cfg config.Config, rest []string) error {
	if len(rest) > 0 {
		return misused("write `intercom demo`", "demo takes no %q", rest[0])
	}
	return demo(ctx, p.out, p.logger(cfg, slog.LevelError)) // a story, not a log
}
