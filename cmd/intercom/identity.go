package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/core/fault"
	"intercom/core/identity"
)

const identityUsage = `intercom identity show                          tell address and public key
intercom identity new                           make a new identity; on a terminal its words are shown, once
intercom identity restore                       make it from 12 or 24 words, read from standard input
intercom identity import <keypair.json>         take over an upstream wallet [--password-file f]
intercom identity export <keypair.json>         write an upstream wallet [--password-file f] [--wallet 1|2]
intercom identity export --words                print the words

The store is chosen by --home and --peer-store-name. --passphrase-file protects
the identity file, and opens it.
`

// identity runs `identity <verb> …`. It is the only way to a secret, and works
// on the files of the store, never on a running peer.
func (p program) identity(_ context.Context, cfg config.Config, words []string) error {
	if len(words) == 0 {
		return misused("`intercom help identity` lists the forms", "identity needs a verb: show, new, restore, import or export")
	}
	args, options, err := identityOptions(words[1:])
	if err != nil {
		return err
	}
	passphrase, err := peer.Passphrase(cfg)
	if err != nil {
		return err
	}
	wallet := wallet{program: p, dir: cfg.Store(), passphrase: passphrase, options: options}
	verb, known := map[string]func([]string) error{
		"show": wallet.show, "new": wallet.create, "restore": wallet.restore, "import": wallet.importFile, "export": wallet.export,
	}[words[0]]
	if !known {
		return misused("`intercom help identity` lists the forms", "identity cannot %q", words[0])
	}
	return verb(args)
}

// identityOptions reads the options that only identity has.
func identityOptions(words []string) (args []string, options map[string]string, err error) {
	options = map[string]string{}
	for len(words) > 0 {
		name, value, inline := strings.Cut(words[0], "=")
		words = words[1:]
		switch {
		case !strings.HasPrefix(name, "--"):
			args = append(args, name)
			continue
		case !slices.Contains([]string{"--words", "--password-file", "--wallet"}, name):
			return nil, nil, misused("`intercom help identity` lists the forms", "identity has no option %s", name)
		case name != "--words" && !inline && len(words) > 0:
			value, words = words[0], words[1:]
		}
		if name != "--words" && value == "" {
			return nil, nil, misused("write "+name+" <value>", "option %s has no value", name)
		}
		options[name] = value
	}
	return args, options, nil
}

// wallet is the identity of one store and what was asked of it.
type wallet struct {
	program
	dir        string
	passphrase []byte
	options    map[string]string
}

func (w wallet) show(args []string) error {
	if len(args) > 0 {
		return misused("write `intercom identity show`", "show takes no %q", args[0])
	}
	if !identity.Exists(w.dir) {
		return fault.New(fault.NotFound, "there is no identity in %s", w.dir).
			WithHint("a peer makes one at its first start, and so does `intercom identity new`")
	}
	id, err := identity.Open(w.dir, w.passphrase)
	if err != nil {
		return err
	}
	return w.tell(id)
}

func (w wallet) tell(id *identity.Identity) error {
	fmt.Fprintf(w.out, "address:    %s\npublic key: %s\nfile:       %s\n", id.PublicKey().Address(), id.PublicKey(), identity.Path(w.dir))
	return nil
}

func (w wallet) create(args []string) error {
	if len(args) > 0 {
		return misused("write `intercom identity new`", "new takes no %q", args[0])
	}
	id, words, err := identity.Create(w.dir, w.passphrase, nil)
	if err != nil {
		return err
	}
	if term.IsTerminal(int(w.out.Fd())) {
		showWords(w.out, words)
	} else {
		fmt.Fprintln(w.err, "the words are not shown: standard output is no terminal; `intercom identity export --words` prints them")
	}
	return w.tell(id)
}

// showWords shows the words of a new identity to its owner.
func showWords(out io.Writer, words identity.Mnemonic) {
	fmt.Fprintf(out, "These 24 words are the identity. Write them down; they are shown this once:\n\n  %s\n\n", words.Reveal())
}

func (w wallet) restore(args []string) error {
	if len(args) > 0 {
		return misused("words on the command line would be seen by others of this machine: give them on standard input", "restore takes no words here")
	}
	if term.IsTerminal(int(w.in.Fd())) {
		fmt.Fprint(w.err, "words: ")
	}
	line, err := bufio.NewReader(io.LimitReader(w.in, 4096)).ReadString('\n')
	if err != nil && err != io.EOF {
		return fault.New(fault.Invalid, "the words cannot be read: %v", err).WithHint("give them on standard input, in one line")
	}
	id, err := identity.Restore(w.dir, line, w.passphrase)
	if err != nil {
		return err
	}
	return w.tell(id)
}

func (w wallet) importFile(args []string) error {
	if len(args) != 1 {
		return misused("write `intercom identity import <keypair.json>`", "import takes one file")
	}
	password, err := w.password()
	if err != nil {
		return err
	}
	id, err := identity.ImportKeypair(w.dir, args[0], password, w.passphrase)
	if err != nil {
		return err
	}
	return w.tell(id)
}

func (w wallet) export(args []string) error {
	_, words := w.options["--words"]
	if words == (len(args) == 1) || len(args) > 1 {
		return misused("write `intercom identity export <keypair.json>` or `… export --words`", "export takes one file, or --words")
	}
	id, err := identity.Open(w.dir, w.passphrase)
	if err != nil {
		return err
	}
	if words {
		if id.Mnemonic().IsZero() {
			return fault.New(fault.NotFound, "this identity has no words: it came from a secret key").WithHint("export it to a file instead")
		}
		fmt.Fprintln(w.out, id.Mnemonic().Reveal())
		return nil
	}
	password, err := w.password()
	if err != nil {
		return err
	}
	form := identity.Wallet1
	switch w.options["--wallet"] {
	case "", "1":
	case "2":
		form = identity.Wallet2
	default:
		return misused("write --wallet 1 or --wallet 2", "there is no wallet form %q", w.options["--wallet"])
	}
	if err := identity.ExportKeypair(id, args[0], password, form); err != nil {
		return err
	}
	fmt.Fprintf(w.out, "written to %s; whoever reads it is you\n", args[0])
	return nil
}

// password is that of an upstream wallet file; upstream itself uses none.
func (w wallet) password() ([]byte, error) {
	path, given := w.options["--password-file"]
	if !given {
		return nil, nil
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.New(fault.Invalid, "--password-file: %v", err).WithHint("name a file that can be read")
	}
	return []byte(strings.TrimRight(string(raw), "\r\n")), nil
}
