package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"
)

// proving says that the long forms of the tests are to run: see make proof.
func proving() bool { return os.Getenv("INTERCOM_PROOF") != "" }

// figure reports a number that a proof is about.
func figure(t testing.TB, format string, args ...any) {
	t.Helper()
	t.Logf("PROOF "+format, args...)
}

// island is the machine with an entry port of its own: a peer started there
// meets nobody from elsewhere.
func (m machine) island(t testing.TB) machine {
	t.Helper()
	return machine{home: m.home, env: append(m.env, fmt.Sprintf("INTERCOM_P2P_ENTRY_PORT=%d", freePort(t)))}
}

// exported is everything a peer says of a room, but for the time of export.
func exported(t testing.TB, c caller) string {
	t.Helper()
	var out struct{ Data string }
	if err := json.Unmarshal(result(t, c, "expense_export", `{"channel":"trip-nyc","format":"json"}`), &out); err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(out.Data) {
		if !strings.Contains(line, `"generatedAt"`) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// inAgreement waits until all peers export the same, and gives it.
func inAgreement(t testing.TB, peers map[string]*rpcClient) string {
	t.Helper()
	var said map[string]string
	for deadline := time.Now().Add(3 * patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		said = map[string]string{}
		for name, c := range peers {
			said[exported(t, c)] = name
		}
		if len(said) == 1 {
			for all := range said {
				return all
			}
		}
	}
	for text, name := range said {
		t.Logf("%s has %d bytes with %d entries", name, len(text), strings.Count(text, `"by"`))
	}
	t.Fatal("the peers do not agree")
	return ""
}

// crowd is peers in processes of their own that do random things to one room.
type crowd struct {
	t     testing.TB
	m     machine
	rng   *rand.Rand
	peers map[string]*rpcClient
	n     int // entries made
}

func (c *crowd) start(m machine, name string) {
	c.t.Helper()
	c.peers[name] = m.rpc(c.t, "--peer-store-name", name)
	result(c.t, c.peers[name], "expense_list", room)
}

func (c *crowd) restart(m machine, name string) {
	c.t.Helper()
	c.peers[name].kill()
	c.start(m, name)
}

// act does one random thing as that peer: mostly it adds, else it changes
// something that it sees.
func (c *crowd) act(name string) {
	c.t.Helper()
	c.n++
	peer := c.peers[name]
	seen := shown(c.t, peer)
	if len(seen) == 0 || c.rng.IntN(3) > 0 {
		members := []string{"alice", "bob", "carol", "dave"}
		c.rng.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		result(c.t, peer, "expense_add", fmt.Sprintf(`{"channel":"trip-nyc","payer":%q,"amount":"%d.%02d","split":%q,"note":"%s %d"}`,
			members[0], 1+c.rng.IntN(500), c.rng.IntN(100), strings.Join(members[:1+c.rng.IntN(4)], ","), name, c.n))
		return
	}
	id := seen[c.rng.IntN(len(seen))]
	change := [][2]string{
		{"expense_edit", fmt.Sprintf(`,"amount":"%d"`, 1+c.rng.IntN(500))}, {"expense_edit", fmt.Sprintf(`,"note":"said by %s"`, name)},
		{"expense_delete", ""}, {"expense_undo", ""},
	}[c.rng.IntN(4)]
	// Somebody may have deleted it meanwhile: then there is nothing to change.
	if raw := peer.call(c.t, change[0], fmt.Sprintf(`{"channel":"trip-nyc","id":%q%s}`, id, change[1])); strings.Contains(string(raw), `"kind":"internal"`) {
		c.t.Errorf("%s of %s: %s", change[0], id, raw)
	}
}

// shown gives the ids of the entries that a peer lists.
func shown(t testing.TB, c caller) (ids []string) {
	t.Helper()
	var page struct{ Entries []struct{ ID string } }
	if err := json.Unmarshal(result(t, c, "expense_list", room), &page); err != nil {
		t.Fatal(err)
	}
	for _, e := range page.Entries {
		ids = append(ids, e.ID)
	}
	return ids
}

// Four peers in processes of their own do random things, are killed and started
// again, and one is cut off and comes back: in the end all say the same, and so
// does one that comes last, when the first author is gone.
func TestProofFourPeersAgree(t *testing.T) {
	rounds := 6
	if proving() {
		rounds = 40
	}
	c := &crowd{t: t, m: newMachine(t), rng: rand.New(rand.NewPCG(4, 2)), peers: map[string]*rpcClient{}}
	names := []string{"alice", "bob", "carol", "dave"}
	for _, name := range names {
		c.start(c.m, name)
	}
	for i := range rounds {
		switch i {
		case rounds / 3:
			c.restart(c.m.island(t), "dave") // cut off, and working
		case 2 * rounds / 3:
			if peers := c.peers["dave"].call(t, "stats", `{}`); !strings.Contains(string(peers), `"peers":[]`) {
				t.Errorf("dave was not cut off: %s", peers)
			}
			c.restart(c.m, "dave")
		}
		for _, name := range names {
			for range 1 + c.rng.IntN(4) {
				c.act(name)
			}
		}
		if i%4 == 1 {
			c.restart(c.m, names[c.rng.IntN(3)])
		}
	}
	before := inAgreement(t, c.peers)
	c.peers["alice"].kill()
	delete(c.peers, "alice")
	begun := time.Now()
	c.start(c.m, "eve")
	if after := inAgreement(t, c.peers); after != before {
		t.Error("the room changed when eve came")
	}
	figure(t, "4 peers, %d entries, kills, a partition, a last joiner without the first author: %d bytes of export alike on all; the joiner was complete after %v",
		c.n, len(before), time.Since(begun).Round(time.Millisecond))
}

// Every entry that was answered is there after kill -9, whenever it came.
func TestProofKillLosesNothingAnswered(t *testing.T) {
	kills := 5
	if proving() {
		kills = 100
	}
	m, rng := newMachine(t), rand.New(rand.NewPCG(9, 9))
	var answered []string
	for i := range kills {
		c := m.rpc(t, "--peer-store-name", "alice")
		answered = append(answered, addUntilKilled(t, c, i, time.Duration(20+rng.IntN(200))*time.Millisecond)...)
	}
	c := m.rpc(t, "--peer-store-name", "alice")
	have := listed(t, c)
	for _, id := range answered {
		if !have[id] {
			t.Errorf("%s was answered and is lost", id)
		}
	}
	if len(answered) == 0 {
		t.Error("nothing was answered before a kill")
	}
	figure(t, "%d kills -9 during writes: %d entries answered, %d lost, %d in the room", kills, len(answered), lost(answered, have), len(have))
}

func lost(answered []string, have map[string]bool) (n int) {
	for _, id := range answered {
		if !have[id] {
			n++
		}
	}
	return n
}

// addUntilKilled adds with 16 calls under way, kills the process after that
// time, and gives the ids that were answered.
func addUntilKilled(t *testing.T, c *rpcClient, run int, after time.Duration) (ids []string) {
	result(t, c, "expense_list", room) // it is up
	window := make(chan struct{}, 16)
	gone := make(chan struct{})
	timer := time.AfterFunc(after, c.kill)
	defer timer.Stop()
	go func() {
		for i := 1000; ; i++ {
			select {
			case window <- struct{}{}:
			case <-gone:
				return
			}
			if _, err := fmt.Fprintf(c.stdin, `{"jsonrpc":"2.0","id":%d,"method":"expense_add","params":{"channel":"trip-nyc","payer":"a","amount":"%d","split":"a,b","note":"%d"}}`+"\n", i, i, run); err != nil {
				return
			}
		}
	}()
	defer close(gone)
	for c.lines.Scan() {
		var answer struct {
			Result struct{ Entry struct{ ID string } }
			Error  json.RawMessage
		}
		if err := json.Unmarshal(c.lines.Bytes(), &answer); err != nil {
			break // cut off in the middle
		}
		if answer.Error != nil {
			t.Errorf("%s", answer.Error)
		} else if answer.Result.Entry.ID != "" {
			ids = append(ids, answer.Result.Entry.ID)
		}
		<-window
	}
	c.kill()
	return ids
}

// listed gives the ids of all entries of the room.
func listed(t *testing.T, c caller) map[string]bool {
	t.Helper()
	have := map[string]bool{}
	for cursor := ""; ; {
		var page struct {
			Entries []struct{ ID string }
			Next    string `json:"next_cursor"`
		}
		if err := json.Unmarshal(result(t, c, "expense_list", fmt.Sprintf(`{"channel":"trip-nyc","cursor":%q}`, cursor)), &page); err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Entries {
			have[e.ID] = true
		}
		if cursor = page.Next; cursor == "" {
			return have
		}
	}
}
