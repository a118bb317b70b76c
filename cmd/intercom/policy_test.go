package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// paperOf takes a member of a result that is a text.
func paperOf(t testing.TB, raw json.RawMessage, member string) string {
	t.Helper()
	var object map[string]json.RawMessage
	var text string
	if err := json.Unmarshal(raw, &object); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	if err := json.Unmarshal(object[member], &text); err != nil {
		t.Fatalf("%s of %s: %v", member, raw, err)
	}
	return text
}

// A channel that only its owner writes in: readers drop what others send, and
// go on doing so when owner, reader, or both have restarted.
func TestOwnerOnlyChannelOutlivesRestarts(t *testing.T) {
	m := newMachine(t)
	owner, reader := m.rpc(t, "--peer-store-name", "owner"), m.rpc(t, "--peer-store-name", "reader")
	stranger := m.rpc(t, "--peer-store-name", "stranger")
	result(t, owner, "sc_join", `{"channel":"news","create":true,"owner_write":true}`)
	welcome := paperOf(t, result(t, owner, "sc_welcome", `{"channel":"news","text":"hear"}`), "welcome_b64")
	if got := result(t, reader, "sc_join", fmt.Sprintf(`{"channel":"news","welcome":%q}`, welcome)); !holds(`"welcome":"verified","welcome_text":"hear"`)(got) {
		t.Fatalf("the reader joins: %s", got)
	}
	if got := reader.call(t, "sc_send", `{"channel":"news","message":"me too"}`); !holds(`"kind":"denied"`)(got) {
		t.Errorf("the reader writes: %s", got)
	}
	round := 0
	heard := func() {
		round++
		spam, word := fmt.Sprintf("spam-%d", round), fmt.Sprintf("word-%d", round)
		eventually(t, stranger, "sc_send", fmt.Sprintf(`{"channel":"news","message":%q}`, spam), holds(`"peers":2`))
		sendUntilHeard(t, owner, reader, "news", word)
		if got := reader.call(t, "sc_read", `{"channel":"news","limit":1000}`); holds("spam")(got) {
			t.Errorf("the stranger was heard: %s", got)
		}
	}
	heard()
	owner.kill()
	owner = m.rpc(t, "--peer-store-name", "owner")
	heard()
	reader.kill()
	reader = m.rpc(t, "--peer-store-name", "reader")
	heard()
	owner.kill()
	reader.kill()
	owner, reader = m.rpc(t, "--peer-store-name", "owner"), m.rpc(t, "--peer-store-name", "reader")
	heard()
}

// An invite-only channel under upstream's flags: who restarts is still in, who
// was not invited hears and says nothing, who is revoked is out for good.
func TestInviteOnlyChannelOutlivesRestarts(t *testing.T) {
	m := newMachine(t)
	const flags = "--sidechannel-invite-required=1 --sidechannel-invite-channels=priv-1 --sidechannel-inviter-keys="
	as := func(name, inviter string) *rpcClient {
		return m.rpc(t, append(strings.Fields(flags+inviter), "--peer-store-name", name)...)
	}
	owner := as("owner", "self")
	key := keyOf(t, owner)
	guest, stranger := as("guest", key), m.rpc(t, "--peer-store-name", "stranger")
	result(t, owner, "sc_join", `{"channel":"priv-1","create":true}`)
	if got := guest.call(t, "sc_join", `{"channel":"priv-1"}`); !holds(`needs an invite`)(got) {
		t.Errorf("joining without an invite: %s", got)
	}
	out := result(t, owner, "sc_invite", fmt.Sprintf(`{"channel":"priv-1","pubkey":%q}`, keyOf(t, guest)))
	invite := paperOf(t, out, "invite_b64")
	if got := stranger.call(t, "sc_join", fmt.Sprintf(`{"channel":"priv-1","invite":%q}`, invite)); !holds(`"kind":"denied"`)(got) {
		t.Errorf("another key joins with the invite: %s", got)
	}
	if got := result(t, guest, "sc_join", fmt.Sprintf(`{"channel":"priv-1","invite":%q}`, invite)); !holds(`"open":false`)(got) || !holds(`"welcome":"verified"`)(got) {
		t.Errorf("the guest joins: %s", got)
	}
	result(t, stranger, "sc_join", `{"channel":"priv-1"}`)
	round := 0
	talk := func() {
		round++
		result(t, stranger, "sc_send", fmt.Sprintf(`{"channel":"priv-1","message":"spam-%d"}`, round))
		sendUntilHeard(t, owner, guest, "priv-1", fmt.Sprintf("from owner %d", round))
		sendUntilHeard(t, guest, owner, "priv-1", fmt.Sprintf("from guest %d", round))
		for _, c := range []*rpcClient{owner, guest} {
			if got := c.call(t, "sc_read", `{"channel":"priv-1","limit":1000}`); holds("spam")(got) {
				t.Errorf("the stranger was heard: %s", got)
			}
		}
	}
	talk()
	owner.kill()
	owner = as("owner", "self")
	talk()
	guest.kill()
	guest = as("guest", key)
	talk()
	owner.kill()
	guest.kill()
	owner, guest = as("owner", "self"), as("guest", key)
	talk()
	result(t, owner, "sc_revoke", fmt.Sprintf(`{"channel":"priv-1","pubkey":%q}`, keyOf(t, guest)))
	eventually(t, guest, "sc_send", `{"channel":"priv-1","message":"still here"}`, holds(`revoked`))
	guest.kill()
	guest = as("guest", key)
	if got := guest.call(t, "sc_send", `{"channel":"priv-1","message":"still here"}`); !holds(`revoked`)(got) {
		t.Errorf("a revoked guest after its restart: %s", got)
	}
}

// Upstream's words on the bridge.
func TestBridgeSpeaksUpstreamsRefusals(t *testing.T) {
	m := newMachine(t)
	owner := m.rpc(t, "--peer-store-name", "owner")
	bridge, _ := m.bridge(t, "--peer-store-name", "guest", "--sidechannel-invite-required", "1", "--sidechannel-invite-channels", "priv",
		"--sidechannel-inviter-keys", keyOf(t, owner), "--sidechannel-owner", "a:b:"+keyOf(t, owner), "--sidechannel-owner-write-channels", "a:b")
	expect := func(request, want string) {
		t.Helper()
		bridge.write(t, request)
		got := bridge.read(t, func(f frame) bool { return string(f.ID) == "77" })
		if !strings.Contains(string(got.raw), want) {
			t.Errorf("%s\ngives %s\nwant %s", request, got.raw, want)
		}
	}
	out := result(t, owner, "sc_invite", fmt.Sprintf(`{"channel":"priv","pubkey":%q,"ttl":1}`, "17cea8fa0c8d6993e05bd5f4ad8cff9f413b40d8685bc5e633cbba6f78f5dfc5"))
	other := paperOf(t, out, "invite_b64")
	expect(`{"id":77,"type":"join","channel":"priv"}`, `"error":"Join denied (invite required or invalid)."`)
	expect(`{"id":77,"type":"join","channel":"priv","invite":"`+other+`"}`, `"error":"Join denied (invite required or invalid)."`)
	expect(`{"id":77,"type":"join","channel":"priv","invite":{"payload":{}}}`, `"error":"Join denied (invite required or invalid)."`)
	expect(`{"id":77,"type":"join","channel":"priv","invite":"!"}`, `"error":"Invalid invite (expected JSON or base64)."`)
	expect(`{"id":77,"type":"send","channel":"priv","message":"x"}`, `"error":"Send denied (invite required or invalid)."`)
	expect(`{"id":77,"type":"send","channel":"a:b","message":"x"}`, `"error":"Send denied (invite required or invalid)."`)
	expect(`{"id":77,"type":"open","channel":"priv"}`, `"error":"Open request denied (invalid input or missing invite/welcome)."`)
	expect(`{"id":77,"type":"join","channel":"a:b"}`, `"type":"joined"`)
	expect(`{"id":77,"type":"join","channel":"pub","welcome":{"payload":{},"sig":"00"}}`, `"type":"joined"`)
	expect(`{"id":77,"type":"open","channel":"pub"}`, `"type":"open_requested"`)
}

// An invite may stand in a file, for who sits at the shell.
func TestInviteComesFromAFile(t *testing.T) {
	m := newMachine(t)
	owner := m.rpc(t, "--peer-store-name", "owner")
	guest := m.rpc(t, "--peer-store-name", "guest")
	invite := paperOf(t, result(t, owner, "sc_invite", fmt.Sprintf(`{"channel":"crew","pubkey":%q}`, keyOf(t, guest))), "invite_b64")
	file := filepath.Join(t.TempDir(), "invite")
	if err := os.WriteFile(file, []byte("b64:"+invite+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, stderr, code := m.run(t, "", "sc", "join", "--channel", "crew", "--invite", "@"+file, "--peer-store-name", "guest")
	if code != done || !strings.Contains(stdout, "Joined sidechannel: crew") {
		t.Errorf("exit %d: %s%s", code, stdout, stderr)
	}
	if got := guest.call(t, "sc_join", `{"channel":"x","invite":"@`+file+`"}`); !holds(`"kind":"invalid"`)(got) {
		t.Errorf("a surface reads files: %s", got)
	}
}
