package main

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// The proofs print how long it takes what the README promises. They assert that
// it happens; the figures are for whoever runs `make proof` on a quiet machine.

func TestProofMeeting(t *testing.T) {
	m := newMachine(t)
	bob, _ := m.bridge(t, "--peer-store-name", "bob")
	begun := time.Now()
	alice := m.rpc(t, "--peer-store-name", "alice")
	eventually(t, alice, "sc_stats", `{}`, holds(`"connectionCount":1`))
	t.Logf("a new peer, from the start of its process to being connected, without network flags: %v", time.Since(begun).Round(time.Millisecond))
	result(t, bob, "ping", `{}`)
}

// Whoever holds the entry port is killed; the others and a newcomer go on.
func TestProofEntryPort(t *testing.T) {
	m := newMachine(t)
	var peers []*rpcClient
	for i := range 3 {
		peers = append(peers, m.rpc(t, "--peer-store-name", fmt.Sprint("peer", i)))
		result(t, peers[i], "ping", `{}`)
	}
	holder := -1
	for i, c := range peers {
		eventually(t, c, "sc_stats", `{}`, holds(`"connectionCount":2`))
		if strings.Contains(string(result(t, c, "stats", `{}`)), `"entry_port":true`) {
			holder = i
		}
	}
	if holder < 0 {
		t.Fatal("nobody holds the entry port")
	}
	peers[holder].kill()
	begun := time.Now()
	heirs := append(append([]*rpcClient{}, peers[:holder]...), peers[holder+1:]...)
	for held := false; !held; {
		if time.Since(begun) > patience {
			t.Fatal("nobody took the entry port")
		}
		for _, c := range heirs {
			held = held || strings.Contains(string(result(t, c, "stats", `{}`)), `"entry_port":true`)
		}
	}
	t.Logf("after kill -9 of its holder, another holds the entry port: %v", time.Since(begun).Round(time.Millisecond))
	newcomer := m.rpc(t, "--peer-store-name", "newcomer")
	eventually(t, newcomer, "sc_stats", `{}`, holds(`"connectionCount":2`))
	t.Logf("a newcomer is connected to all: %v", time.Since(begun).Round(time.Millisecond))
}

func TestProofTakeOver(t *testing.T) {
	m := newMachine(t)
	host := m.rpc(t)
	result(t, host, "expense_add", dinner)
	attached := m.rpc(t)
	result(t, attached, "ping", `{}`)
	host.kill()
	begun := time.Now()
	eventually(t, attached, "expense_list", room, holds("dinner"))
	t.Logf("after kill -9 of the process that holds the peer, an attached one answers from the store: %v", time.Since(begun).Round(time.Millisecond))
}
