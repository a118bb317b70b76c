package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

// listening gives an address of a peer that others on this machine can dial.
func listening(t testing.TB, c caller) string {
	t.Helper()
	var info struct{ Listening []string }
	if err := json.Unmarshal(result(t, c, "info", `{}`), &info); err != nil || len(info.Listening) == 0 {
		t.Fatalf("no address: %v", err)
	}
	return info.Listening[0]
}

func keyOf(t testing.TB, c caller) string {
	t.Helper()
	var keys struct{ PublicKey string }
	if err := json.Unmarshal(result(t, c, "get_keys", `{}`), &keys); err != nil {
		t.Fatal(err)
	}
	return keys.PublicKey
}

// sendUntilHeard sends until a member hears it.
func sendUntilHeard(t testing.TB, from, to caller, channel, text string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		result(t, from, "sc_send", fmt.Sprintf(`{"channel":%q,"message":%q}`, channel, text))
		time.Sleep(50 * time.Millisecond)
		if holds(text)(to.call(t, "sc_read", fmt.Sprintf(`{"channel":%q,"limit":1000}`, channel))) {
			return
		}
	}
	t.Fatalf("%q does not arrive; the sender has %s", channel, from.call(t, "stats", `{}`))
}

// threeInALine starts a middle and two ends that connect to nobody else, on the machines
// given, and waits until the middle has both.
func threeInALine(t testing.TB, ends [2]machine, middle machine, flags ...string) (a, m, b *rpcClient) {
	t.Helper()
	m = middle.rpc(t, append([]string{"--log-level", "debug"}, flags...)...)
	at := listening(t, m)
	a = ends[0].rpc(t, "--p2p-only", "--dht-bootstrap", at)
	b = ends[1].rpc(t, "--p2p-only", "--dht-bootstrap", at)
	eventually(t, m, "stats", `{}`, func(raw json.RawMessage) bool { return holds(keyOf(t, a))(raw) && holds(keyOf(t, b))(raw) })
	return a, m, b
}

// apart fails when the ends of a line are connected to each other.
func apart(t testing.TB, a, b caller) {
	t.Helper()
	if holds(keyOf(t, b))(a.call(t, "stats", `{}`)) || holds(keyOf(t, a))(b.call(t, "stats", `{}`)) {
		t.Fatal("the ends are connected to each other")
	}
}

func TestMessagesPassOverTheMiddleOfALine(t *testing.T) {
	a, m, b := threeInALine(t, [2]machine{newMachine(t), newMachine(t)}, newMachine(t))
	for _, c := range []caller{a, m, b} {
		result(t, c, "sc_join", `{"channel":"lane"}`)
	}
	sendUntilHeard(t, a, b, "lane", "from one end")
	sendUntilHeard(t, b, a, "lane", "from the other")
	if got := b.call(t, "sc_read", `{"channel":"lane"}`); !holds(`"relayed_by":"` + keyOf(t, m) + `"`)(got) {
		t.Errorf("the relay is not named: %s", got)
	}
	apart(t, a, b)
}

// TestProofRelayOfASealedChannelReadsNothing: a relay that was not invited forwards an invite-only channel and learns
// neither its name nor what is said: both are searched for in the memory of its
// process, in all its files and in its log.
func TestProofRelayOfASealedChannelReadsNothing(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Log("the memory of a process is read through /proc; only files and log are searched here")
	}
	ends := [2]machine{newMachine(t), newMachine(t)}
	secret, channel := "kumquat-"+randomText(t), "orchard-"+randomText(t)

	// The invitee meets the inviter once, to get the key.
	a := ends[0].rpc(t)
	b := ends[1].rpc(t, "--dht-bootstrap", listening(t, a))
	result(t, a, "sc_join", fmt.Sprintf(`{"channel":%q,"create":true,"invite_only":true}`, channel))
	var out struct{ Invite map[string]json.RawMessage }
	if err := json.Unmarshal(result(t, a, "sc_invite", fmt.Sprintf(`{"channel":%q,"pubkey":%q}`, channel, keyOf(t, b))), &out); err != nil {
		t.Fatal(err)
	}
	bare := fmt.Sprintf(`{"payload":%s,"sig":%s}`, out.Invite["payload"], out.Invite["sig"]) // as upstream makes it
	result(t, b, "sc_join", fmt.Sprintf(`{"channel":%q,"invite":%s}`, channel, bare))
	sendUntilHeard(t, a, b, channel, "we have met")
	a.kill()
	b.kill()

	middle := newMachine(t)
	a, m, b := threeInALine(t, ends, middle, "--sidechannel-backbone", "16")
	sendUntilHeard(t, a, b, channel, secret)
	sendUntilHeard(t, b, a, channel, "reply-"+secret)
	apart(t, a, b)
	stats := string(m.call(t, "stats", `{}`))
	var relayed struct {
		Network struct {
			Backbone int
			Frames   struct{ Relayed uint64 }
		}
	}
	if err := json.Unmarshal([]byte(stats), &relayed); err != nil || relayed.Network.Backbone == 0 || relayed.Network.Frames.Relayed == 0 {
		t.Errorf("the middle relayed nothing: %s", stats)
	}

	for _, planted := range []string{secret, channel} {
		if runtime.GOOS == "linux" {
			if n := inMemory(t, b.cmd.Process.Pid, planted); n == 0 {
				t.Error("the search does not find what a member must hold")
			}
			if n := inMemory(t, m.cmd.Process.Pid, planted); n == 0 {
				t.Logf("PROOF relay of a sealed channel: 0 hits of %q in its memory", planted)
			} else {
				t.Errorf("%d hits in the memory of the relay", n)
			}
		}
		if n := count([]byte(m.stderr()), planted); n > 0 {
			t.Errorf("%d hits in the log of the relay", n)
		}
	}
	m.kill()
	for _, planted := range []string{secret, channel} {
		if n := inFiles(t, middle.home, planted); n > 0 {
			t.Errorf("%d hits in the files of the relay", n)
		}
	}
}

func randomText(t testing.TB) string {
	t.Helper()
	raw := make([]byte, 12)
	if _, err := rand.Read(raw); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(raw)
}

// count counts a text in bytes, as it is and in the forms it may take.
func count(data []byte, text string) (n int) {
	wide := make([]byte, 0, 2*len(text))
	for _, c := range []byte(text) {
		wide = append(wide, c, 0)
	}
	forms := [][]byte{[]byte(text), wide, []byte(hex.EncodeToString([]byte(text)))}
	for shift := range 3 { // base64 from each place in a group
		inner := base64.StdEncoding.EncodeToString(append(make([]byte, shift), text...))
		forms = append(forms, []byte(inner[4:len(inner)-4]))
	}
	for _, form := range forms {
		n += bytes.Count(data, form)
	}
	return n
}

// inMemory counts a text in all readable memory of a process (proc(5)).
func inMemory(t testing.TB, pid int, text string) (n int) {
	t.Helper()
	maps, err := os.Open(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer maps.Close()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	span := regexp.MustCompile(`^([0-9a-f]+)-([0-9a-f]+) r`)
	const piece, overlap = 16 << 20, 4 << 10
	buffer := make([]byte, piece)
	read := 0
	for lines := bufio.NewScanner(maps); lines.Scan(); {
		var from, to int64
		if found := span.FindStringSubmatch(lines.Text()); found == nil {
			continue
		} else if _, err := fmt.Sscanf(found[1]+" "+found[2], "%x %x", &from, &to); err != nil {
			continue // beyond what a file offset can be: the vsyscall page
		}
		for at := from; at < to; at += piece - overlap {
			got, _ := memory.ReadAt(buffer[:min(piece, to-at)], at) // some pages cannot be read
			read += got
			n += count(buffer[:got], text)
		}
	}
	if read < 1<<20 {
		t.Fatalf("only %d bytes of memory were read", read)
	}
	return n
}

// inFiles counts a text in the files of a folder and in their names.
func inFiles(t testing.TB, folder, text string) (n int) {
	t.Helper()
	files := 0
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files++
		n += count(data, text) + strings.Count(path, text)
		return err
	})
	if err != nil || files == 0 {
		t.Fatalf("%d files, %v", files, err)
	}
	return n
}

// The ledger of an invite-only channel reaches the invited, and nobody who knows
// the channel's name alone.
func TestLedgerOfASealedChannelStaysInside(t *testing.T) {
	a := newMachine(t).rpc(t)
	at := listening(t, a)
	b, c := newMachine(t).rpc(t, "--dht-bootstrap", at), newMachine(t).rpc(t, "--dht-bootstrap", at)
	result(t, a, "sc_join", `{"channel":"vault","create":true,"invite_only":true}`)
	var out struct{ Invite json.RawMessage }
	if err := json.Unmarshal(result(t, a, "sc_invite", fmt.Sprintf(`{"channel":"vault","pubkey":%q}`, keyOf(t, b))), &out); err != nil {
		t.Fatal(err)
	}
	result(t, b, "sc_join", fmt.Sprintf(`{"channel":"vault","invite":%s}`, out.Invite))
	result(t, c, "sc_join", `{"channel":"vault"}`)
	result(t, a, "expense_add", `{"channel":"vault","payer":"alice","amount":"30","split":"alice,bob"}`)
	eventually(t, b, "expense_balance", `{"channel":"vault"}`, holds(`"-15.00"`))
	result(t, b, "expense_add", `{"channel":"vault","payer":"bob","amount":"10","split":"alice,bob"}`)
	eventually(t, a, "expense_balance", `{"channel":"vault"}`, holds(`"10.00"`))
	eventually(t, c, "stats", `{}`, holds(keyOf(t, b))) // it is connected to both
	result(t, a, "expense_add", `{"channel":"vault","payer":"alice","amount":"4","split":"alice,bob"}`)
	eventually(t, b, "expense_balance", `{"channel":"vault"}`, holds(`"12.00"`)) // 15 - 5 + 2
	if got := c.call(t, "expense_list", `{"channel":"vault"}`); holds("alice")(got) {
		t.Errorf("a stranger has the ledger: %s", got)
	}
}
