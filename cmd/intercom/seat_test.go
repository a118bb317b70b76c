package main

import (
	"encoding/json"
	"fmt"
	"testing"

	"intercom/cmd/internal/validator"
)

// A full node joins a running network by a snapshot, consents to be an
// operator's, gets a seat by two transactions, and then nothing is settled
// without its vote; it gives the seat back the same way.
func TestFullNodeBecomesAValidator(t *testing.T) {
	admin, operator := newPayer(t, "admin"), newPayer(t, "operator")
	c := newCity(t, 2, admin.address, operator.address)
	for _, n := range c.nodes {
		n.until(t, "up", func(s validator.Status) bool { return s.Health == "healthy" && s.Height > 0 && len(s.Nodes) == 1 })
	}
	for _, p := range []*payer{admin, operator} {
		p.args = []string{"--msb-genesis", c.genesis, "--msb-validators", c.nodes[0].entry + "," + c.nodes[1].entry}
	}
	confirmed := func(p *payer, name, params string) {
		t.Helper()
		raw := result(t, p.lives(t), name, params)
		raw = result(t, p.lives(t), "tx_wait", fmt.Sprintf(`{"hash":%q,"timeout_ms":60000}`, said(t, raw, "hash")))
		if said(t, raw, "state") != "confirmed" {
			t.Fatalf("%s %s: %s", name, params, raw)
		}
	}
	confirmed(admin, "msb_roles", fmt.Sprintf(`{"action":"whitelist","address":%q}`, operator.address))

	third := newNode(t)
	third.args = []string{"--follow", "--msb-genesis", c.genesis, "--msb-validators", c.nodes[1].entry, "--listen", third.listen,
		"--peers", c.nodes[0].card.Node + "@" + c.nodes[0].listen + "," + c.nodes[1].card.Node + "@" + c.nodes[1].listen}
	third.start(t)
	third.until(t, "in step", func(s validator.Status) bool { return s.Height > 1 && len(s.Nodes) == 2 && !s.Seat })
	out, log, code := third.machine.run(t, "", "validator", "show", "--consent", operator.address, "--json")
	var consent validator.Consent
	if code != done || json.Unmarshal([]byte(out), &consent) != nil {
		t.Fatalf("consent: %d %s %s", code, out, log)
	}
	confirmed(operator, "msb_roles", fmt.Sprintf(`{"action":"add_validator","validator_key":%q,"proof":%q}`, consent.Key, consent.Proof))
	seated := func(s validator.Status) bool {
		return s.Seat && len(s.Validators) == 3 && s.Operator == operator.address
	}
	third.until(t, "a validator", seated)
	confirmed(admin, "transfer", fmt.Sprintf(`{"to":%q,"amount":"3"}`, operator.address))

	third.run.kill()
	sent := result(t, admin.lives(t), "transfer", fmt.Sprintf(`{"to":%q,"amount":"4"}`, operator.address))
	wait := fmt.Sprintf(`{"hash":%q,"timeout_ms":1000}`, said(t, sent, "hash"))
	if raw := result(t, admin.lives(t), "tx_wait", wait); said(t, raw, "state") == "confirmed" {
		t.Errorf("two of three confirmed: %s", raw)
	}
	third.start(t)
	eventually(t, admin.lives(t), "tx_wait", wait, holds(`"confirmed"`))
	confirmed(operator, "msb_roles", `{"action":"remove_validator"}`)
	third.until(t, "without a seat", func(s validator.Status) bool { return !s.Seat && len(s.Validators) == 2 })
	c.nodes = append(c.nodes, third)
	c.oneState(t)
}
