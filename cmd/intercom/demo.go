package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/op"
)

// demoPatience is how long the demo waits for the two peers to agree.
const demoPatience = 30 * time.Second

const demoChannel = "trip-nyc"

// demo plays the 60-second demo with two real peers on loopback: alice pays 30
// for dinner, bob 10 for snacks, both split by two. It fails unless both peers
// come to the same balances.
func demo(ctx context.Context, out io.Writer, log *slog.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	home, err := os.MkdirTemp("", "intercom-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home)

	alice, err := openDemo(home, "alice", nil, log)
	if err != nil {
		return err
	}
	defer alice.Close()
	bob, err := openDemo(home, "bob", alice.Addrs(), log)
	if err != nil {
		return err
	}
	defer bob.Close()
	running, stop := context.WithCancel(ctx)
	done := make(chan error, 2)
	go func() { done <- alice.Run(running) }()
	go func() { done <- bob.Run(running) }()
	defer func() { stop(); <-done; <-done }()
	return play(ctx, out, actor{"alice", alice.Registry}, actor{"bob", bob.Registry})
}

// openDemo opens a peer that meets nobody but the peers at the given addresses.
func openDemo(home, name string, others []string, log *slog.Logger) (*peer.Peer, error) {
	return peer.Open(config.Config{
		Home: filepath.Join(home, name), StoresDir: "stores", StoreName: name,
		Listen: []string{"/ip4/127.0.0.1/tcp/0"}, DHTBootstrap: others, Bridge: config.Bridge{On: config.Off},
	}, log)
}

// actor is one peer of the demo and how it is called in the text.
type actor struct {
	name   string
	caller op.Caller
}

// call runs one terminal line at a peer and prints both.
func (a actor) call(ctx context.Context, out io.Writer, line string) error {
	fmt.Fprintf(out, "\n%s> %s\n", a.name, line)
	_, reply, err := op.RunLine(ctx, a.caller, op.Write, "demo", line)
	if err != nil {
		return fmt.Errorf("%s: %w", a.name, err)
	}
	fmt.Fprintln(out, reply.Text)
	return nil
}

func play(ctx context.Context, out io.Writer, alice, bob actor) error {
	fmt.Fprintln(out, "Two peers, alice and bob, meet over libp2p on this machine and split a trip.")
	for _, step := range []struct {
		who  actor
		line string
	}{
		{alice, `/sc_join --channel "trip-nyc"`},
		{bob, `/sc_join --channel "trip-nyc"`},
		{alice, `/expense_add --channel "trip-nyc" --payer alice --amount 30 --split "alice,bob" --note dinner`},
		{bob, `/expense_add --channel "trip-nyc" --payer bob --amount 10 --split "alice,bob" --note snacks`},
	} {
		if step.who.name == alice.name && step.line[:9] == "/expense_" {
			if err := meet(ctx, alice); err != nil {
				return err
			}
		}
		if err := step.who.call(ctx, out, step.line); err != nil {
			return err
		}
	}
	same, err := agree(ctx, alice, bob)
	if err != nil {
		return err
	}
	for _, a := range []actor{alice, bob} {
		if err := a.call(ctx, out, `/expense_balance --channel "trip-nyc"`); err != nil {
			return err
		}
	}
	if err := alice.call(ctx, out, `/expense_export --channel "trip-nyc" --format text`); err != nil {
		return err
	}
	fmt.Fprintf(out, "\nBoth peers agree: %s\n", same)
	return nil
}

// meet waits until the peer has a member beside it in the channel.
func meet(ctx context.Context, a actor) error {
	return until(ctx, a.caller, func() (bool, error) {
		value, err := ask(ctx, a.caller, "sc_stats", `{}`)
		var stats struct {
			Channels []struct {
				Name    string `json:"name"`
				Members int    `json:"members"`
			} `json:"channels"`
		}
		if err == nil {
			err = json.Unmarshal(value, &stats)
		}
		for _, c := range stats.Channels {
			if c.Name == demoChannel && c.Members > 0 {
				return true, nil
			}
		}
		return false, err
	})
}

// agree waits until both peers know both expenses and give the same balances,
// and tells the plan that they agree on.
func agree(ctx context.Context, alice, bob actor) (string, error) {
	var plan string
	err := until(ctx, bob.caller, func() (bool, error) {
		a, err := ask(ctx, alice.caller, "expense_balance", `{"channel":"`+demoChannel+`"}`)
		if err != nil {
			return false, err
		}
		b, err := ask(ctx, bob.caller, "expense_balance", `{"channel":"`+demoChannel+`"}`)
		if err != nil {
			return false, err
		}
		var sheet struct {
			Entries     int                                 `json:"entries"`
			Settlements []struct{ From, To, Amount string } `json:"settlements"`
		}
		if err := json.Unmarshal(a, &sheet); err != nil || sheet.Entries < 2 || len(sheet.Settlements) != 1 {
			return false, err
		}
		plan = fmt.Sprintf("%s -> %s: %s", sheet.Settlements[0].From, sheet.Settlements[0].To, sheet.Settlements[0].Amount)
		return string(a) == string(b), nil
	})
	return plan, err
}

// until asks again at every event of a peer, and at least ten times a second.
func until(ctx context.Context, caller op.Caller, done func() (bool, error)) error {
	after, err := caller.Now(ctx)
	for err == nil {
		if ok, err := done(); ok || err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fault.New(fault.Unavailable, "the two peers did not agree within %s", demoPatience)
		}
		wait, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		var batch event.Batch
		batch, err = caller.Events(wait, after, 100)
		after = batch.Next
		cancel()
	}
	return err
}

func ask(ctx context.Context, caller op.Caller, name, params string) (json.RawMessage, error) {
	reply, err := caller.Call(ctx, op.Request{Name: name, Params: json.RawMessage(params), Grant: op.Write, Client: "demo"})
	return reply.Value, err
}
