package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/validator"
	"intercom/core/fault"
	"intercom/core/identity"
)

func (p program) validatorShow(_ context.Context, c validatorCall) error {
	if operator := c.options["consent"]; operator != "" {
		consent, err := validator.ConsentTo(c.cfg, operator)
		if err != nil {
			return err
		}
		return p.answer(c.cfg, consent, fmt.Sprintf("network:       %s\noperator:      %s\nvalidator key: %s\nproof:         %s\n",
			consent.Network, consent.Operator, consent.Key, consent.Proof))
	}
	s, err := validator.Show(c.cfg, c.passphrase)
	if err != nil {
		return err
	}
	return p.answer(c.cfg, s, statusText(s))
}

func statusText(s validator.Status) string {
	running := "no"
	if s.Running {
		running = fmt.Sprintf("yes, as of %s ago", time.Since(s.At).Round(100*time.Millisecond))
	}
	health := string(s.Health)
	if s.Reason != "" {
		health += ": " + s.Reason
	}
	keys := func(list []identity.PublicKey) string {
		words := make([]string, len(list))
		for i, key := range list {
			words[i] = key.String()[:8]
		}
		return strings.Join(words, " ")
	}
	rows := [][2]string{
		{"running", running}, {"network", s.Network}, {"genesis", s.Genesis}, {"health", health},
		{"height", strconv.FormatInt(s.Height, 10)}, {"state", s.State},
		{"votes", strconv.FormatBool(s.Seat)}, {"validators", keys(s.Validators)}, {"absent", keys(s.Absent)},
		{"waiting", strconv.Itoa(s.Waiting)}, {"nodes", strings.Join(s.Nodes, " ")},
		{"operator", s.Operator}, {"validator key", s.Key.String()}, {"node", s.Node}, {"peer", s.Peer.String()},
		{"listen", s.Listen}, {"addresses", strings.Join(s.Addresses, " ")},
	}
	var b strings.Builder
	for _, row := range rows {
		if row[1] == "" {
			continue
		}
		fmt.Fprintf(&b, "%-14s %s\n", row[0]+":", row[1])
	}
	return b.String()
}

// answer prints a result for people, or as JSON.
func (p program) answer(cfg config.Config, result any, text string) error {
	if !cfg.JSON {
		_, err := fmt.Fprint(p.out, text)
		return err
	}
	raw, err := jsonText(result)
	if err != nil {
		return fault.New(fault.Internal, "the answer has no text: %v", err)
	}
	_, err = fmt.Fprintf(p.out, "%s\n", raw)
	return err
}
