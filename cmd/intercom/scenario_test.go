package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

const (
	room    = `{"channel":"trip-nyc"}`
	dinner  = `{"channel":"trip-nyc","payer":"alice","amount":"30","split":"alice,bob","note":"dinner"}`
	snacks  = `{"channel":"trip-nyc","payer":"bob","amount":"10","split":"alice,bob","note":"snacks"}`
	settled = `{"from":"bob","to":"alice","amount":"10.00"`
)

// What is added through JSON-RPC on one peer shows over SC-Bridge on another,
// and through MCP in a third process that attached to it. No network flags.
func TestExpenseTravelsOverEverySurface(t *testing.T) {
	m := newMachine(t)
	bob, _ := m.bridge(t, "--peer-store-name", "bob")
	result(t, bob, "sc_join", room)
	alice := m.rpc(t, "--peer-store-name", "alice")
	result(t, alice, "expense_add", dinner)
	eventually(t, bob, "expense_balance", room, holds(`"-15.00"`))
	result(t, bob, "expense_add", snacks)

	agent := m.mcp(t, "--peer-store-name", "bob")
	sheets := []json.RawMessage{
		eventually(t, alice, "expense_balance", room, holds(settled)),
		eventually(t, bob, "expense_balance", room, holds(settled)),
		eventually(t, agent, "expense_balance", room, func(raw json.RawMessage) bool {
			return sorted(t, raw) != "" && strings.Contains(string(raw), `"10.00"`)
		}),
	}
	for _, sheet := range sheets {
		if sorted(t, sheet) != sorted(t, sheets[0]) {
			t.Errorf("balances differ:\n%s\n%s", sheets[0], sheet)
		}
	}
}

// sorted writes JSON with sorted members, to compare.
func sorted(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	text, _ := json.Marshal(v)
	return string(text)
}

// A peer that is killed keeps what it answered, finds the others again, and
// gets what it missed.
func TestKilledPeerComesBack(t *testing.T) {
	m := newMachine(t)
	bob, _ := m.bridge(t, "--peer-store-name", "bob")
	result(t, bob, "sc_join", room)
	alice := m.rpc(t, "--peer-store-name", "alice")
	result(t, alice, "expense_add", dinner)
	eventually(t, bob, "expense_list", room, holds("dinner"))
	alice.kill()
	result(t, bob, "expense_add", snacks)

	alice = m.rpc(t, "--peer-store-name", "alice")
	if list := result(t, alice, "expense_list", room); !strings.Contains(string(list), "dinner") {
		t.Errorf("after kill -9 the list is %s", list)
	}
	eventually(t, alice, "expense_list", room, holds("snacks"))
	result(t, alice, "expense_add", `{"channel":"trip-nyc","payer":"alice","amount":"4","split":"alice,bob","note":"coffee"}`)
	eventually(t, bob, "expense_list", room, holds("coffee"))
}

// When the process that holds the peer is killed, one that was attached takes
// the store over.
func TestAttachedProcessTakesTheStoreOver(t *testing.T) {
	m := newMachine(t)
	host := m.rpc(t, "--peer-store-name", "alice")
	result(t, host, "expense_add", dinner)
	attached := m.rpc(t, "--peer-store-name", "alice")
	if list := result(t, attached, "expense_list", room); !strings.Contains(string(list), "dinner") {
		t.Fatalf("attached, the list is %s", list)
	}
	host.kill()
	eventually(t, attached, "expense_list", room, holds("dinner"))
	result(t, attached, "expense_add", snacks)
	third := m.rpc(t, "--peer-store-name", "alice")
	eventually(t, third, "expense_list", room, holds("snacks"))
}

func TestSecondPeerOnAStoreIsRefused(t *testing.T) {
	m := newMachine(t)
	_, first := m.bridge(t, "--peer-store-name", "alice")
	_, stderr, code := m.run(t, "", "run", "--peer-store-name", "alice")
	if code != failed || !strings.Contains(stderr, "alice") || !strings.Contains(stderr, "hint:") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	_, stderr, code = m.run(t, "", "expense", "list", "--channel", "x", "--peer-store-name", "alice", "--mdns", "1")
	if code != failed || !strings.Contains(stderr, "--mdns") {
		t.Errorf("a flag that would change the running peer: exit %d: %s", code, stderr)
	}
	first.kill()
	if _, stderr, code := m.run(t, "", "expense", "add", "--channel", "x", "--payer", "a", "--amount", "1", "--split", "a", "--peer-store-name", "alice"); code != done {
		t.Errorf("after kill -9 the store cannot be used: exit %d: %s", code, stderr)
	}
}

func TestOneShotCommands(t *testing.T) {
	m := newMachine(t)
	for _, c := range []struct {
		words  string
		code   int
		stdout string
		stderr string
	}{
		{"version", done, "intercom ", ""},
		{"help", done, "expense_add", ""},
		{"help expense add", done, "--payer", ""},
		{"help flags", done, "--p2p-entry-port", ""},
		{"expense add --help", done, "--payer", ""},
		{"expense add --channel trip --payer alice --amount 30 --split alice,bob --note dinner", done, "[expense:trip] added 30.00 by alice split=alice,bob", ""},
		{"expense list --channel trip", done, "| alice paid 30.00 | split=alice,bob | note=dinner", ""},
		{"expense balance --channel trip --json", done, `"settlements":[{"from":"bob","to":"alice","amount":"15.00"`, ""},
		{`call expense_balance {"channel":"trip"}`, done, "bob -> alice: 15.00", ""},
		{"info --json", done, `"bridge":null`, ""},
		{"expense add --channel trip --payer alice --amount 1e3 --split alice", failed, "", "1e3"},
		{"expense add --payer alice", failed, "", "channel"},
		{"expense add --nonsense 1", usage, "", "nonsense"},
		{"nonsense word", usage, "", "no command and no operation"},
		{"call nonsense {}", failed, "", "nonsense"},
		{"call expense_list {", usage, "", "JSON"},
		{"run --sidechannel-pow-difficulty 99", usage, "", "99"},
		{"run --sidechannel-owner a:b", failed, "", "no key"},
		{"run --sidechannel-invite-channels a", failed, "", "sidechannel-invite-required"},
		{"run --sidechannel-invite-required 1", failed, "", "sidechannel-inviter-keys"},
		{"run --sc-bridge-port 99999", usage, "", "99999"},
		{"identity", usage, "", "show"},
		{"identity show", done, "trac1", ""},
		{"identity new", failed, "", "already"},
	} {
		stdout, stderr, code := m.run(t, "", strings.Fields(c.words)...)
		if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
			t.Errorf("intercom %s: exit %d\nstdout: %s\nstderr: %s", c.words, code, stdout, stderr)
		}
	}
}

func TestWordsOfAnIdentityTravel(t *testing.T) {
	m := newMachine(t)
	_, stderr, code := m.run(t, "", "identity", "new", "--peer-store-name", "a")
	if code != done || !strings.Contains(stderr, "not shown") {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	words, _, _ := m.run(t, "", "identity", "export", "--words", "--peer-store-name", "a")
	if len(strings.Fields(words)) != 24 {
		t.Fatalf("%d words", len(strings.Fields(words)))
	}
	if _, stderr, code := m.run(t, words, "identity", "restore", "--peer-store-name", "b"); code != done {
		t.Fatalf("restore: exit %d: %s", code, stderr)
	}
	file := m.home + "/keypair.json"
	if _, stderr, code := m.run(t, "", "identity", "export", file, "--peer-store-name", "b"); code != done {
		t.Fatalf("export: exit %d: %s", code, stderr)
	}
	if _, stderr, code := m.run(t, "", "identity", "import", file, "--peer-store-name", "c"); code != done {
		t.Fatalf("import: exit %d: %s", code, stderr)
	}
	a, _, _ := m.run(t, "", "identity", "show", "--peer-store-name", "a")
	c, _, _ := m.run(t, "", "identity", "show", "--peer-store-name", "c")
	if strings.Fields(a)[1] != strings.Fields(c)[1] {
		t.Errorf("the address changed on its way:\n%s%s", a, c)
	}
}

func TestDemoAgrees(t *testing.T) {
	m := newMachine(t)
	stdout, stderr, code := m.run(t, "", "demo")
	if code != done || strings.Count(stdout, "bob -> alice: 10.00") < 3 || !strings.Contains(stdout, "Both peers agree") {
		t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
	}
}

// Nothing but protocol comes on standard output, whatever is sent.
func TestGarbageOnJSONRPCIsAnswered(t *testing.T) {
	m := newMachine(t)
	c := m.rpc(t)
	for _, line := range []string{`garbage`, `{"jsonrpc":"2.0","id":1,"method":7}`, `[]`, `null`, "\x00\xff", `{"jsonrpc":"2.0","id":2,"method":"nope"}`} {
		if _, err := fmt.Fprintln(c.stdin, line); err != nil {
			t.Fatal(err)
		}
		if !c.lines.Scan() || !strings.Contains(c.lines.Text(), `"error"`) {
			t.Errorf("%q was answered %q", line, c.lines.Text())
		}
	}
	written := make(chan struct{})
	go func() { // 100 MB in one line
		defer close(written)
		chunk := strings.Repeat("x", 1<<20)
		for range 100 {
			if _, err := fmt.Fprint(c.stdin, chunk); err != nil {
				return
			}
		}
		fmt.Fprintln(c.stdin)
	}()
	if !c.lines.Scan() || !strings.Contains(c.lines.Text(), `"error"`) {
		t.Errorf("an endless line was answered %q", c.lines.Text())
	}
	<-written
	eventually(t, c, "ping", `{}`, holds(`"ts"`))
	c.stdin.Close()
	if c.lines.Scan() {
		t.Errorf("after the end of input came %q", c.lines.Text())
	}
}
