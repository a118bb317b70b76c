package intersplit

import (
	"context"
	"fmt"
	"slices"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// RestoreParams are the parameters of expense_restore.
type RestoreParams struct {
	Channel   Channel  `json:"channel" jsonschema:"channel whose ledger it is; there is no default"`
	Confirmed *op.Flag `json:"confirmed,omitempty" jsonschema:"true (default): first from what the subnet's indexers agreed on; false: from what this peer sees now"`
	Replace   op.Flag  `json:"replace,omitempty" jsonschema:"also undo, for every member, what the ledger has beside the restored entries, so that it says what they say"`
}

// RestoreResult is the result of expense_restore.
type RestoreResult struct {
	Channel   string `json:"channel" jsonschema:"channel of the ledger"`
	Source    string `json:"source" jsonschema:"contract: the subnet's contract state; local: the snapshot file of this peer"`
	Confirmed bool   `json:"confirmed" jsonschema:"whether it came from the confirmed state"`
	Added     int    `json:"added" jsonschema:"signed entries that the ledger did not have"`
	Total     uint64 `json:"total" jsonschema:"signed entries that it has now"`
	Undone    int    `json:"undone,omitempty" jsonschema:"with replace: entries that were undone; expense_undo of the undo brings one back"`
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
			"Entries are merged, each checked like one from a member; what the ledger has beside them stays, unless replace is set.",
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
		out.Confirmed = confirmed
		out.Added, err = r.merge(ctx, m)
		return r.restored(ctx, v.room, k.entries, bool(in.Replace), out, err)
	}
	if ctx.Err() != nil {
		return out, ctx.Err()
	}
	return r.restoreFile(ctx, v.room, bool(in.Replace), out, unread)
}

// restored completes the answer when a room's entries were merged.
func (r *Rooms) restored(ctx context.Context, rm *room, entries []string, replace bool, out RestoreResult, err error) (RestoreResult, error) {
	if err == nil && replace {
		out.Undone, err = r.undoOthers(ctx, rm, entries)
	}
	if err == nil {
		out.Total, err = r.feeds.Count(rm.id)
	}
	r.announceRestored(ctx, rm, out.Added)
	return out, err
}

// maxUndone is how many entries one restore undoes.
const maxUndone = 1000

// undoOthers undoes what a room has beside some entries, the newest first, so that
// the room says what those say.
func (r *Rooms) undoOthers(ctx context.Context, rm *room, entries []string) (undone int, err error) {
	kept := map[string]bool{}
	for _, text := range entries {
		kept[text] = true
	}
	var others []ledger.ID
	err = rm.eachSigned(func(at feed.Position, text string) bool {
		if !kept[text] {
			others = append(others, ledger.ID(at.ID))
		}
		return true
	})
	if err == nil && len(others) > maxUndone {
		err = fault.New(fault.Limited, "the ledger has %d entries beside the restored ones, at most %d are undone", len(others), maxUndone).
			WithHint("they were merged; expense_clear and another restore with replace is the short way")
	}
	slices.Reverse(others)
	for _, id := range others {
		if err != nil {
			return undone, err
		}
		effective := false
		if err = rm.look(func(l *ledger.Ledger) {
			e, here := l.ByID(id)
			effective = here && e.Body.Kind.Undoable() && inEffect(e) == nil
			if here && e.Body.Kind == ledger.KindUndo {
				target, _ := e.Body.Target() // an undo of another one serves the same end
				effective = effective && !slices.Contains(others, target)
			}
		}); err != nil || !effective {
			continue
		}
		if _, _, err = r.record(ctx, rm, "", func(*ledger.Ledger) (ledger.Body, error) {
			return ledger.NewMark(ledger.KindUndo, ledger.Mark{Target: id}, "")
		}); err == nil {
			undone++
		}
	}
	return undone, err
}

// announceRestored tells connected members, who may lack what was restored too.
func (r *Rooms) announceRestored(ctx context.Context, rm *room, added int) {
	if heads, err := r.feeds.Heads(rm.id); err == nil && added > 0 {
		r.announceHeads(ctx, rm, added, heads...)
	}
}

// restoreFile takes the room from the snapshot file, the last resort.
func (r *Rooms) restoreFile(ctx context.Context, rm *room, replace bool, out RestoreResult, unread error) (RestoreResult, error) {
	saved, there, err := r.savedRoom(out.Channel)
	switch {
	case err != nil:
		return out, err
	case !there && unread != nil:
		return out, unread
	case !there:
		return out, fault.New(fault.NotFound, "channel %q has no ledger in the contract's state, and none in the snapshot file", out.Channel).
			WithHint("persist it first on a peer that has it: expense_persist; or sync with a member")
	}
	out.Source = fromLocal
	out.Added, _, err = r.RestoreLocal(ctx, out.Channel)
	return r.restored(ctx, rm, saved, replace, out, err)
}

// savedRoom gives the signed entries that the snapshot file has of a room.
func (r *Rooms) savedRoom(channel string) (entries []string, there bool, err error) {
	err = readSnapshots(r.snapshots.path, func(s Snapshot) bool {
		if there = s.Channel == channel; there {
			entries = s.Entries
		}
		return !there
	})
	if err != nil {
		err = r.damagedSnapshots(err)
	}
	return entries, there, err
}

func (out RestoreResult) text() string {
	text := fmt.Sprintf("source=%s confirmed=%t added=%d total=%d", out.Source, out.Confirmed, out.Added, out.Total)
	if out.Undone > 0 {
		text += fmt.Sprintf(" undone=%d", out.Undone)
	}
	return text
}
