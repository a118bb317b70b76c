package main

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/cmd/internal/validator"
)

const validatorUsage = `intercom validator init [--operator <address>]         make the keys; print the card for the others
intercom validator init --network <name> --cards <file,…> --out <genesis file>
                        [--balances <file>] [--admin <address>]
                                                       make the genesis of a network from everybody's cards
intercom validator start --msb-genesis <file or hash>  run the validator
                         [--listen <host:port>] [--peers <id@host:port,…>] [--strangers 1] [--keep <blocks>]
                         [--follow] [--msb-validators <host:port,…>]
intercom validator show [--consent <address>]          tell how it stands; or consent to be that operator's

The store is chosen by --home and --peer-store-name (default validator), and is
not a peer's. Nodes connect at --listen (default a free port of 127.0.0.1), light
clients at --p2p-listen. --follow runs a full node, which needs no init and votes
only if its key gets a seat later, for which --consent is needed. A new node
takes the state over from --msb-validators when they are named, else it replays
all blocks. --keep forgets older blocks. What a start was told of genesis is
kept; the rest is told at each start.
`

// validatorStore is the label of the store when none is named: a validator runs
// beside a peer, not on its store.
const validatorStore = "validator"

// validator runs `validator <verb> …`.
func (p program) validator(ctx context.Context, cfg config.Config, words []string) error {
	if cfg.StoreName == "peer" {
		cfg.StoreName = validatorStore
	}
	if len(words) == 0 {
		return misused("`intercom help validator` lists the forms", "validator needs a verb: init, start or show")
	}
	var known map[string]int
	var run func(context.Context, validatorCall) error
	switch words[0] {
	case "init":
		known, run = map[string]int{"operator": 1, "network": 1, "cards": 1, "out": 1, "balances": 1, "admin": 1}, p.validatorInit
	case "start":
		known, run = map[string]int{"listen": 1, "peers": 1, "keep": 1, "strangers": 0, "follow": 0}, p.validatorStart
	case "show":
		known, run = map[string]int{"consent": 1}, p.validatorShow
	default:
		return misused("`intercom help validator` lists the forms", "validator cannot %q", words[0])
	}
	options, err := validatorOptions(words[0], words[1:], known)
	if err != nil {
		return err
	}
	passphrase, err := peer.Passphrase(cfg)
	if err != nil {
		return err
	}
	return run(ctx, validatorCall{cfg, passphrase, options})
}

// validatorCall is what one call of validator was told.
type validatorCall struct {
	cfg        config.Config
	passphrase []byte
	options    map[string]string
}

// list is an option that names several things.
func (c validatorCall) list(name string) (items []string) {
	for item := range strings.SplitSeq(c.options[name], ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}

// validatorOptions reads the options of one verb: known tells whether an option
// needs a value (1) or is a switch (0).
func validatorOptions(verb string, words []string, known map[string]int) (map[string]string, error) {
	options := map[string]string{}
	for len(words) > 0 {
		name, value, inline := strings.Cut(strings.TrimPrefix(words[0], "--"), "=")
		needs, ok := known[name]
		if !ok || !strings.HasPrefix(words[0], "--") {
			return nil, misused("`intercom help validator` lists the forms", "validator %s takes no %q", verb, words[0])
		}
		words = words[1:]
		if !inline && len(words) > 0 && !strings.HasPrefix(words[0], "--") {
			value, words = words[0], words[1:]
		}
		if needs == 0 && value == "" {
			value = "1"
		}
		if value == "" {
			return nil, misused("write --"+name+" <value>", "option --%s has no value", name)
		}
		if needs == 0 && !slices.Contains([]string{"0", "1"}, value) {
			return nil, misused("write --"+name+" 1 or --"+name+" 0", "--%s: %q is neither 1 nor 0", name, value)
		}
		options[name] = value
	}
	return options, nil
}

func (p program) validatorInit(_ context.Context, c validatorCall) error {
	if len(c.options) > 0 && c.options["operator"] == "" {
		return p.found(c)
	}
	if len(c.options) > 1 {
		return misused("make the card first, then the genesis from everybody's cards", "--operator is for the card, not for a genesis")
	}
	card, err := validator.Init(c.cfg, c.passphrase, c.options["operator"])
	if err != nil {
		return err
	}
	return p.answer(c.cfg, card, fmt.Sprintf("operator:      %s\nvalidator key: %s\nnode:          %s\npeer:          %s\n",
		card.Operator, card.Key, card.Node, card.Peer))
}

// found writes the genesis of a new network.
func (p program) found(c validatorCall) error {
	for _, name := range []string{"network", "cards", "out"} {
		if c.options[name] == "" {
			return misused("`intercom help validator` lists the forms", "a genesis needs --%s", name)
		}
	}
	cards, err := validator.ReadCards(c.list("cards"))
	if err != nil {
		return err
	}
	f := validator.Founding{Network: c.options["network"], Validators: cards, Admin: c.options["admin"]}
	if file := c.options["balances"]; file != "" {
		if f.Balances, err = validator.ReadBalances(file); err != nil {
			return err
		}
	}
	g, err := validator.Found(f, time.Now())
	if err != nil {
		return err
	}
	if err := validator.WriteFile(c.options["out"], g.Encode()); err != nil {
		return err
	}
	hash := g.Hash().String()
	return p.answer(c.cfg, map[string]any{"network": g.ChainID, "genesis": hash, "file": c.options["out"], "validators": len(cards)},
		fmt.Sprintf("network:    %s\ngenesis:    %s\nvalidators: %d\nfile:       %s\n", g.ChainID, hash, len(cards), c.options["out"]))
}

func (p program) validatorStart(ctx context.Context, c validatorCall) error {
	peers, err := validator.ParsePeers(c.list("peers"))
	if err != nil {
		return err
	}
	o := validator.Options{Listen: c.options["listen"], Peers: peers, Strangers: c.options["strangers"] == "1", Follow: c.options["follow"] == "1"}
	if keep := c.options["keep"]; keep != "" {
		if o.Keep, err = strconv.ParseInt(keep, 10, 64); err != nil || o.Keep < 0 {
			return misused("write --keep <blocks>, 0 for all", "--keep: %q is no number of blocks", keep)
		}
	}
	n, err := validator.Open(ctx, c.cfg, o, c.passphrase, p.logger(c.cfg, slog.LevelInfo))
	if err != nil {
		return err
	}
	fmt.Fprint(p.err, n.Banner())
	err = n.Run(ctx)
	if closed := n.Close(); err == nil {
		err = closed
	}
	return err
}
