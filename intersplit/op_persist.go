package intersplit

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/op"
	"intercom/intersplit/persist"
)

// Contract is what a ledger needs of a contract's state, in which rooms are persisted
// by the functions of package persist.
type Contract interface {
	// Get reads a value of the confirmed state, or as this peer sees it now; nil when
	// there is none.
	Get(ctx context.Context, key string, confirmed bool) (json.RawMessage, error)
	// Call has a function called in a transaction, with a value of at most 15 KiB of
	// text, and waits at most so long for it to be confirmed. With sim it is only
	// tried.
	Call(ctx context.Context, function string, value json.RawMessage, sim bool, wait time.Duration) (Transaction, error)
}

// Transaction is a call of a contract on its way.
type Transaction struct {
	Tx      string // hash, hex; "" when it was only tried
	State   string // accepted, confirmed, failed or simulated
	Settled bool   // it is paid for on a settlement network
	Error   string // why it failed
}

// maxCall is how many characters of entries one transaction carries: a command holds
// 15 KiB.
const maxCall = 14 << 10

// PersistParams are the parameters of expense_persist.
type PersistParams struct {
	Channel Channel   `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Sim     op.Flag   `json:"sim,omitempty" jsonschema:"only try it: nothing is signed, paid or written"`
	WaitMS  op.WaitMS `json:"wait_ms,omitempty" jsonschema:"wait for it to be confirmed, at most so long; 0: answer as soon as it is accepted"`
}

// PersistResult is the result of expense_persist.
type PersistResult struct {
	Channel      string `json:"channel" jsonschema:"channel of the ledger"`
	Tx           string `json:"tx" jsonschema:"hash of the transaction, the last one when it took several; of the one before when there was nothing new; empty with sim"`
	State        string `json:"state" jsonschema:"accepted: it goes on by itself, and an event subnet_tx tells its end; confirmed: everybody has it; failed: see error; simulated: only tried"`
	Settled      bool   `json:"settled" jsonschema:"whether it was paid for on a settlement network"`
	Transactions int    `json:"transactions" jsonschema:"how many transactions it took; 0 when there was nothing new"`
	Added        int    `json:"added" jsonschema:"signed entries that the contract's state did not have"`
	Entries      int    `json:"entries" jsonschema:"signed entries of the room: expenses, payments, changes and clears"`
	Error        string `json:"error,omitempty" jsonschema:"why it failed"`
	Joined       bool   `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
}

func (r *Rooms) persistOp() *op.Op {
	return op.New(op.Spec[PersistParams, PersistResult]{
		Name: "expense_persist", Owner: owner, Summary: "Write a channel's ledger into the subnet's contract state",
		Notes: "Only what the state lacks is written, and every entry keeps its author's signature; a cleared ledger writes the clear. " +
			"Everybody who knows the subnet can read it then, also the ledger of a channel that needs an invite. " +
			"In a subnet that settles, each transaction costs the network's fee.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, OpenWorld: true}, Common: true,
		Synonyms: roomSynonyms, Example: `{"channel":"trip-nyc","sim":true}`,
		Run: r.persist, Text: PersistResult.text,
	})
}

func (r *Rooms) persist(ctx context.Context, in PersistParams) (PersistResult, error) {
	v, err := r.visit(ctx, in.Channel, bool(in.Sim))
	if err != nil {
		return PersistResult{}, err
	}
	out := PersistResult{Channel: v.channel, Joined: v.joined, Settled: true}
	before, there, err := r.persisted(ctx, v.channel, false)
	if err != nil {
		return out, err
	}
	known := map[string]bool{}
	for _, text := range before.entries {
		known[text] = true
	}
	var fresh []string
	err = v.room.eachSigned(func(_ feed.Position, text string) bool {
		if out.Entries++; !known[text] {
			fresh = append(fresh, text)
		}
		return true
	})
	switch out.Added = len(fresh); {
	case err != nil:
	case there && len(fresh) == 0:
		err = r.nothingNew(ctx, before.room, &out)
	default:
		err = r.persistAll(ctx, in, fresh, &out)
	}
	return out, err
}

// nothingNew answers with the transaction that brought what there is.
func (r *Rooms) nothingNew(ctx context.Context, room persist.Room, out *PersistResult) error {
	sure, there, err := r.persisted(ctx, out.Channel, true)
	if err != nil {
		return err
	}
	out.Tx, out.State, out.Settled = room.Tx, "accepted", false
	if there && sure.room.Tx == room.Tx {
		out.State = "confirmed"
	}
	return nil
}

// persistAll writes entries in as many transactions as they need. Their order does
// not matter, so none waits for another.
func (r *Rooms) persistAll(ctx context.Context, in PersistParams, fresh []string, out *PersistResult) error {
	parts := partsOf(fresh)
	for i, part := range parts {
		wait := in.WaitMS.Duration()
		if i < len(parts)-1 {
			wait = 0
		}
		value, err := json.Marshal(persist.Upsert{Channel: out.Channel, Entries: part})
		if err != nil {
			return err
		}
		tx, err := r.contract.Call(ctx, persist.UpsertRoom, value, bool(in.Sim), wait)
		if err != nil {
			if i > 0 {
				f := fault.Of(err)
				err = fault.New(f.Kind, "%d of %d transactions were accepted, then: %s", i, len(parts), f.Message).
					WithHint("call again: it goes on where this ended")
			}
			return err
		}
		out.Tx, out.State, out.Settled, out.Error = tx.Tx, tx.State, tx.Settled, tx.Error
		out.Transactions++
	}
	return nil
}

// partsOf splits entries so that each part fits into one transaction; there is at
// least one, for a room without entries has its place too.
func partsOf(entries []string) [][]string {
	parts, size := [][]string{{}}, 0
	for _, text := range entries {
		last := len(parts) - 1
		if len(parts[last]) > 0 && (size+len(text) > maxCall || len(parts[last]) == persist.MaxEntries) {
			parts, size, last = append(parts, []string{}), 0, last+1
		}
		parts[last], size = append(parts[last], text), size+len(text)+3
	}
	return parts
}

// kept is a room as it lies in the contract's state.
type kept struct {
	room    persist.Room
	entries []string // in order of (height, id)
}

// persisted reads a room from the contract's state.
func (r *Rooms) persisted(ctx context.Context, channel string, confirmed bool) (k kept, there bool, err error) {
	if r.contract == nil {
		return k, false, fault.New(fault.Unavailable, "this peer has no contract state").WithHint("start it with its subnet")
	}
	k.room, k.entries, there, err = persist.Load(channel, func(key string) (json.RawMessage, error) {
		return r.contract.Get(ctx, key, confirmed)
	})
	if err != nil || !there {
		return k, there, err
	}
	return k, true, k.sort()
}

// sort brings the entries into the order of a feed, each once.
func (k *kept) sort() error {
	at := map[string]feed.Position{}
	for _, text := range k.entries {
		e, err := persist.Entry(text)
		if err != nil {
			return fault.New(fault.Unavailable, "an entry in the contract's state cannot be read: %w", err)
		}
		at[text] = e.Position()
	}
	slices.SortFunc(k.entries, func(a, b string) int { return at[a].Compare(at[b]) })
	k.entries = slices.Compact(k.entries)
	return nil
}

func (out PersistResult) text() string {
	switch {
	case out.Error != "":
		return fmt.Sprintf("persist failed: %s\ntx=%s", out.Error, out.Tx)
	case out.State == "simulated":
		return fmt.Sprintf("simulated: %d entries would be written to %s", out.Added, persist.RoomKey(out.Channel))
	}
	text := fmt.Sprintf("tx=%s state=%s entries=%d added=%d", out.Tx, out.State, out.Entries, out.Added)
	if !out.Settled && out.Transactions > 0 {
		text += "\nunsettled: this subnet's transactions are not paid for on a settlement network"
	}
	return text
}
