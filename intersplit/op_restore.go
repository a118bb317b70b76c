package intersplit

import (
	"context"
	"fmt"

	"intercom/core/fault"
	"intercom/core/op"
)

// RestoreParams are the parameters of expense_restore.
type RestoreParams struct {
	Channel   Channel  `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Confirmed *op.Flag `json:"confirmed,omitempty" jsonschema:"true (default): first from what the subnet's indexers agreed on; false: from what this peer sees now"`
}

// RestoreResult is the result of expense_restore.
type RestoreResult struct {
	Channel   string `json:"channel" jsonschema:"channel of the ledger"`
	Source    string `json:"source" jsonschema:"contract: the subnet's contract state; local: the snapshot file of this peer"`
	Confirmed bool   `json:"confirmed" jsonschema:"whether it came from the confirmed state"`
	Added     int    `json:"added" jsonschema:"signed entries that the ledger did not have"`
	Total     uint64 `json:"total" jsonschema:"signed entries that it has now"`
	Joined    bool   `json:"joined,omitempty" jsonschema:"the channel was joined for this call"`
}

// The sources of a restored room.
const (
	fromContract = "contract"
	fromLocal    = "local"
)

func (r *Rooms) restoreOp() *op.Op {
	return op.New(op.Spec[RestoreParams, RestoreResult]{
		Name: "expense_restore", Owner: owner, Summary: "Bring a channel's ledger back from the contract state, or from this peer's snapshot file",
		Notes: "It looks in the confirmed state, then in this peer's view of it, then in the file, and says where it found the room. " +
			"Entries are merged, each checked like one from a member; what the ledger has beside them stays.",
		Access: op.Write, Effects: op.Effects{Idempotent: true, OpenWorld: true}, Common: true,
		Synonyms: roomSynonyms, Example: `{"channel":"trip-nyc"}`,
		Run: r.restore, Text: RestoreResult.text,
	})
}

func (r *Rooms) restore(ctx context.Context, in RestoreParams) (RestoreResult, error) {
	v, err := r.enter(ctx, in.Channel, false)
	if err != nil {
		return RestoreResult{}, err
	}
	out := RestoreResult{Channel: v.channel, Joined: v.joined, Source: fromContract}
	views := []bool{true, false}
	if in.Confirmed != nil && !bool(*in.Confirmed) {
		views = views[1:]
	}
	var unread error // why the contract's state could not be asked
	for _, confirmed := range views {
		k, there, err := r.persisted(ctx, v.channel, confirmed)
		if unread = err; err != nil || !there {
			continue
		}
		m, err := r.merger(ctx, v.room, k.entries)
		if err != nil {
			return out, err
		}
		if out.Added, err = r.merge(ctx, m); err == nil {
			out.Confirmed = confirmed
			out.Total, err = r.feeds.Count(v.room.id)
			r.announceRestored(ctx, v.room, out.Added)
		}
		return out, err
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	return r.restoreFile(ctx, v.room, out, unread)
}

// announceRestored tells connected members, who may lack what was restored too.
func (r *Rooms) announceRestored(ctx context.Context, rm *room, added int) {
	if heads, err := r.feeds.Heads(rm.id); err == nil && added > 0 {
		r.announceHeads(ctx, rm, added, heads...)
	}
}

// restoreFile takes the room from the snapshot file, the last resort.
func (r *Rooms) restoreFile(ctx context.Context, rm *room, out RestoreResult, unread error) (RestoreResult, error) {
	saved, err := r.savedRoom(out.Channel)
	if err != nil {
		return out, err
	}
	if !saved {
		if unread != nil {
			return out, unread
		}
		return out, fault.New(fault.NotFound, "channel %q has no ledger in the contract's state, and none in the snapshot file", out.Channel).
			WithHint("persist it first on a peer that has it: expense_persist; or sync with a member")
	}
	out.Source = fromLocal
	if out.Added, out.Total, err = r.RestoreLocal(ctx, out.Channel); err == nil {
		r.announceRestored(ctx, rm, out.Added)
	}
	return out, err
}

// savedRoom tells whether the snapshot file has a room.
func (r *Rooms) savedRoom(channel string) (saved bool, err error) {
	err = readSnapshots(r.snapshots.path, func(s Snapshot) bool {
		saved = s.Channel == channel
		return !saved
	})
	if err != nil {
		err = r.damagedSnapshots(err)
	}
	return saved, err
}

func (out RestoreResult) text() string {
	return fmt.Sprintf("source=%s confirmed=%t added=%d total=%d", out.Source, out.Confirmed, out.Added, out.Total)
}
