package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// step is one call of the script that every surface plays.
type step struct{ name, params string }

// script is 200 calls: talk, expenses of every kind, reading in between, and
// mistakes of every kind.
func script() []step {
	var steps []step
	for i := range 20 {
		payer := []string{"alice", "bob", "Cleo"}[i%3]
		channel := []string{"trip", "flat"}[i/10]
		steps = append(steps,
			step{"sc_join", fmt.Sprintf(`{"channel":%q}`, channel)},
			step{"sc_send", fmt.Sprintf(`{"channel":%q,"message":"round %d"}`, channel, i)},
			step{"expense_add", fmt.Sprintf(`{"channel":%q,"payer":%q,"amount":"%d.%02d","split":"alice,bob,cleo","note":"round %d"}`, channel, payer, i, i*7%100, i)},
			step{"expense_add", fmt.Sprintf(`{"channel":%q,"payer":"bob","amount":"%d","split":"alice, bob","key":"k%d"}`, channel, i+1, i/2)},
			step{"expense_add", fmt.Sprintf(`{"channel":%q,"payer":"alice","amount":"1e%d","split":"alice"}`, channel, i)},
			step{"expense_balance", fmt.Sprintf(`{"channel":%q}`, channel)},
			step{"expense_list", fmt.Sprintf(`{"channel":%q,"limit":%d}`, channel, i+1)},
			step{"expense_export", fmt.Sprintf(`{"channel":%q,"format":%q}`, channel, []string{"text", "json", "csv"}[i%3])},
			[]step{{"nonsense", `{}`}, {"expense_add", `{"payer":"a"}`}, {"sc_send", `{"channel":"trip","mesage":"typo"}`}, {"sc_read", `{"channel":"trip"}`}}[i%4],
			[]step{{"help", `{}`}, {"ping", `{}`}, {"expense_clear", fmt.Sprintf(`{"channel":%q,"dry_run":true}`, channel)}, {"sc_leave", fmt.Sprintf(`{"channel":%q}`, channel)}, {"expense_clear", fmt.Sprintf(`{"channel":%q}`, channel)}}[(i+3)%5],
		)
	}
	return steps
}

// fresh matches what is new in each run: signed entries, keys, addresses, ids, times.
var fresh = regexp.MustCompile(`ABZpbnRlcmNvbS9mZWVk[0-9A-Za-z+/]+=*|[0-9a-f]{64}(:\d+:[0-9a-z]{8})?|trac1[0-9a-z]{58}|\d{4}-\d\d-\d\dT[0-9:.]+Z|\d{13}`)

// masked is a result without what is new in each run. An error is its kind.
func masked(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	var failed struct {
		Error json.RawMessage `json:"error"`
		Kind  string          `json:"kind"`
		Data  struct {
			Kind string `json:"kind"`
		} `json:"data"`
	}
	if json.Unmarshal(raw, &failed); failed.Error != nil {
		return "error " + failed.Kind + failed.Data.Kind
	}
	return fresh.ReplaceAllString(sorted(t, raw), "…")
}

const finalState = `{"channel":"flat","format":"json"}`

func TestSameScriptSameResultsOnEverySurface(t *testing.T) {
	surfaces := map[string]caller{}
	surfaces["JSON-RPC"] = newMachine(t).rpc(t)
	surfaces["SC-Bridge"], _ = newMachine(t).bridge(t)
	surfaces["MCP"] = newMachine(t).mcp(t, "--toolsets", "all")
	steps := script()
	if len(steps) != 200 {
		t.Fatalf("%d steps", len(steps))
	}
	results := map[string][]string{}
	for name, c := range surfaces {
		for _, s := range steps {
			got := masked(t, c.call(t, s.name, s.params))
			if s.name == "nonsense" && strings.HasPrefix(got, "error") {
				got = "error unknown" // MCP has a word of its own for it
			}
			results[name] = append(results[name], got)
		}
	}
	for i, s := range steps {
		a, b, c := results["JSON-RPC"][i], results["SC-Bridge"][i], results["MCP"][i]
		if s.name == "ping" {
			continue // on the bridge, ping is upstream's and answers in upstream's form
		}
		if a != b || a != c {
			t.Errorf("step %d, %s %s:\nJSON-RPC  %s\nSC-Bridge %s\nMCP       %s", i, s.name, s.params, a, b, c)
		}
	}
	want := masked(t, result(t, surfaces["JSON-RPC"], "expense_export", finalState))
	if got := playOnTerminal(t, steps); got != want {
		t.Errorf("the terminal ends in another state:\n%s\n%s", got, want)
	}
}

// playOnTerminal types the script on a pseudo-terminal and gives the final state.
func playOnTerminal(t *testing.T, steps []step) string {
	t.Helper()
	m := newMachine(t)
	cmd := m.command("--sc-bridge", "0")
	tty, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	defer cmd.Process.Kill()
	screen := make(chan []byte)
	go func() {
		defer close(screen)
		for {
			buf := make([]byte, 64<<10)
			n, err := tty.Read(buf)
			if n > 0 {
				screen <- buf[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	seen := ""
	await := func(text string) {
		deadline := time.After(patience)
		for !strings.Contains(seen, text) {
			select {
			case piece, open := <-screen:
				if seen += string(piece); !open {
					t.Fatalf("the terminal ended before %q:\n%s", text, seen)
				}
			case <-deadline:
				t.Fatalf("the terminal never showed %q:\n%s", text, seen)
			}
		}
		seen = seen[strings.Index(seen, text)+len(text):]
	}
	await("> ")
	for i, s := range steps {
		mark := fmt.Sprintf("step-%d-done", i)
		if _, err := io.WriteString(tty, line(t, s)+"\n/print --text "+strings.Replace(mark, "step", `"step"`, 1)+"\n"); err != nil {
			t.Fatal(err)
		}
		await(mark)
	}
	if _, err := io.WriteString(tty, "/exit\n"); err != nil {
		t.Fatal(err)
	}
	await("Exiting...")
	for range screen { // until the program has ended
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	stdout, stderr, code := m.run(t, "", "call", "expense_export", finalState, "--json")
	if code != done {
		t.Fatal(stderr)
	}
	return masked(t, json.RawMessage(stdout))
}

// line writes a call as a terminal line.
func line(t *testing.T, s step) string {
	t.Helper()
	var params map[string]any
	if err := json.Unmarshal([]byte(s.params), &params); err != nil {
		t.Fatal(err)
	}
	words := []string{"/" + s.name}
	names := make([]string, 0, len(params))
	for name := range params {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		words = append(words, "--"+name, fmt.Sprintf("%q", fmt.Sprint(params[name])))
	}
	return strings.Join(words, " ")
}

// The words of a new identity are shown on the terminal once, and never logged.
func TestNewWordsAreShownOnceOnATerminal(t *testing.T) {
	m := newMachine(t)
	tty, err := pty.Start(m.command("--sc-bridge", "0"))
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	shown := make(chan string)
	go func() { raw, _ := io.ReadAll(tty); shown <- string(raw) }()
	time.AfterFunc(0, func() { io.WriteString(tty, "/exit\n") })
	first := <-shown
	words, _, _ := m.run(t, "", "identity", "export", "--words")
	if !strings.Contains(first, strings.TrimSpace(words)) {
		t.Errorf("the words were not shown:\n%s", first)
	}
	stdout, stderr, _ := m.run(t, "", "info")
	if strings.Contains(stdout+stderr, strings.TrimSpace(words)) {
		t.Error("the words were shown again")
	}
	if os.Getenv("HOME") == m.home {
		t.Error("the test must not touch the real home")
	}
}
