package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"intercom/cmd/internal/validator"
)

// node is a validator, or a full node, on a machine of its own.
type node struct {
	machine
	card   validator.Card
	listen string   // for nodes
	entry  string   // for light clients
	args   []string // of every start
	run    *process
}

func newNode(t testing.TB) *node {
	t.Helper()
	n := &node{machine: newMachine(t), listen: fmt.Sprintf("127.0.0.1:%d", freePort(t)), entry: fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", freePort(t))}
	out, log, code := n.machine.run(t, "", "validator", "init", "--json")
	if code != done || json.Unmarshal([]byte(out), &n.card) != nil {
		t.Fatalf("init: %d %s %s", code, out, log)
	}
	return n
}

// city is a network of validators as processes. Its genesis lies in a file.
type city struct {
	nodes   []*node
	genesis string
}

// newCity makes a network of n validators, in which these addresses have a
// million each and the first is the admin, and starts them.
func newCity(t testing.TB, n int, rich ...string) *city {
	t.Helper()
	dir := t.TempDir()
	c := &city{genesis: filepath.Join(dir, "genesis.json")}
	var cards, peers []string
	for i := range n {
		v := newNode(t)
		text, err := json.Marshal(v.card)
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, filepath.Join(dir, fmt.Sprint("card", i)))
		write(t, cards[i], string(text))
		peers = append(peers, v.card.Node+"@"+v.listen)
		c.nodes = append(c.nodes, v)
	}
	balances := map[string]string{}
	for _, address := range rich {
		balances[address] = "1000000"
	}
	text, err := json.Marshal(balances)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "balances"), string(text))
	args := []string{"validator", "init", "--network", "city", "--cards", strings.Join(cards, ","), "--balances", filepath.Join(dir, "balances"), "--out", c.genesis}
	if len(rich) > 0 {
		args = append(args, "--admin", rich[0])
	}
	out, log, code := c.nodes[0].machine.run(t, "", args...)
	if code != done {
		t.Fatalf("genesis: %d %s %s", code, out, log)
	}
	for _, v := range c.nodes {
		v.args = []string{"--msb-genesis", c.genesis, "--listen", v.listen, "--peers", strings.Join(peers, ","), "--strangers", "1", "--p2p-listen", v.entry}
		v.start(t)
	}
	return c
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// files is where the node's files lie.
func (n *node) files() string {
	return filepath.Join(n.home, "intercom", "stores", "validator", "validator")
}

func (n *node) start(t testing.TB) {
	t.Helper()
	_ = os.Remove(filepath.Join(n.files(), "status.json")) // of the one that was killed
	n.run = n.machine.start(t, append([]string{"validator", "start"}, n.args...)...)
}

// tells is how the node stands, from where show reads it too; ok is false while
// it has told nothing.
func (n *node) tells() (s validator.Status, ok bool) {
	raw, err := os.ReadFile(filepath.Join(n.files(), "status.json"))
	return s, err == nil && json.Unmarshal(raw, &s) == nil
}

// until waits for a status.
func (n *node) until(t testing.TB, what string, is func(validator.Status) bool) (s validator.Status) {
	t.Helper()
	for end := time.Now().Add(2 * patience); ; time.Sleep(100 * time.Millisecond) {
		s, ok := n.tells()
		if ok && is(s) {
			return s
		}
		if time.Now().After(end) {
			t.Fatalf("not %s: %+v", what, s)
		}
	}
}

// terminate ends the node as a service manager does and gives its exit code.
func (n *node) terminate(t testing.TB) int {
	t.Helper()
	if err := n.run.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = n.run.cmd.Wait()
	code := n.run.cmd.ProcessState.ExitCode()
	n.run.once.Do(func() { close(n.run.ended) })
	return code
}

func TestValidatorsRunANetworkAndOthersFollowIt(t *testing.T) {
	c := newCity(t, 2, "trac1f0z83u6fhhgjpz0053c3942u8mwduxt7wscfmpyz78r5n3gcewcqayleua")
	up := func(s validator.Status) bool {
		return s.Health == "healthy" && s.Height > 0 && len(s.Nodes) == 1 && len(s.Validators) == 2 && s.Seat
	}
	first := c.nodes[0].until(t, "up", up)
	second := c.nodes[1].until(t, "up", up)
	shown, log, code := c.nodes[0].machine.run(t, "", "validator", "show")
	if code != done || !strings.Contains(shown, "running:       yes") || !strings.Contains(shown, first.State) {
		t.Errorf("show: %d %s %s", code, shown, log)
	}
	if first.State != second.State || first.Network != "city" || first.Operator != c.nodes[0].card.Operator || len(first.Addresses) == 0 {
		t.Errorf("they tell %+v and %+v", first, second)
	}

	// A full node that knows the hash of the genesis, a validator's address and
	// nothing else.
	full := newNode(t)
	full.args = []string{"--follow", "--msb-genesis", first.Genesis, "--msb-validators", c.nodes[0].entry, "--peers", c.nodes[0].card.Node + "@" + c.nodes[0].listen}
	full.start(t)
	now := full.until(t, "in step", func(s validator.Status) bool { return s.State == first.State && len(s.Nodes) == 1 })
	if now.Seat || now.Operator != "" {
		t.Errorf("a full node votes: %+v", now)
	}
	out, _, code := full.machine.run(t, "", "validator", "show", "--consent", full.card.Operator, "--json")
	var consent validator.Consent
	if code != done || json.Unmarshal([]byte(out), &consent) != nil || consent.Key != full.card.Key || len(consent.Proof) != 128 || consent.Network != "city" {
		t.Errorf("consent: %d %s", code, out)
	}

	for name, refused := range map[string]struct {
		args []string
		code int
		text string
	}{
		"a second one on the store":   {c.nodes[0].args, failed, "is in use"},
		"a peer that is no peer":      {[]string{"--peers", "nobody"}, failed, "no id@host:port"},
		"an option it does not have":  {[]string{"--bogus"}, usage, "takes no"},
		"a number that is none":       {[]string{"--keep", "few"}, usage, "no number"},
		"a switch that is neither":    {[]string{"--follow", "maybe"}, usage, "neither 1 nor 0"},
		"an option without its value": {[]string{"--listen"}, usage, "has no value"},
	} {
		_, log, code := c.nodes[0].machine.run(t, "", append([]string{"validator", "start"}, refused.args...)...)
		if code != refused.code || !strings.Contains(log, refused.text) || !strings.Contains(log, "hint: ") {
			t.Errorf("%s: %d %s", name, code, log)
		}
	}
	for _, n := range []*node{full, c.nodes[0], c.nodes[1]} {
		if code := n.terminate(t); code != done {
			t.Errorf("SIGTERM: exit code %d, %s", code, n.run.stderr())
		}
	}
	checkAtRest(t, c, first)
}

// checkAtRest looks at a validator that does not run.
func checkAtRest(t *testing.T, c *city, before validator.Status) {
	t.Helper()
	v := c.nodes[0]
	out, log, code := v.machine.run(t, "", "validator", "show", "--json")
	var s validator.Status
	if code != done || json.Unmarshal([]byte(out), &s) != nil || s.Running || s.State != before.State || s.Health != "off" {
		t.Errorf("at rest: %d %s %s", code, out, log)
	}
	other := newCity(t, 1)
	_, log, code = v.machine.run(t, "", "validator", "start", "--msb-genesis", other.genesis)
	if code != failed || !strings.Contains(log, "another store") {
		t.Errorf("another genesis: %d %s", code, log)
	}
	_, log, code = v.machine.run(t, "", "validator", "start", "--follow")
	if code != failed || !strings.Contains(log, "would vote") {
		t.Errorf("a validator that follows: %d %s", code, log)
	}
	other.nodes[0].run.kill()
	entries, err := os.ReadDir(v.files())
	if err != nil || len(entries) < 4 {
		t.Fatalf("%d files, %v", len(entries), err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, %v", e.Name(), info.Mode(), err)
		}
	}
}
