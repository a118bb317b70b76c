package intersplit

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"intercom/core/identity"
	"intercom/core/op"
	"intercom/intersplit/ledger"
)

// RoomsParams are the parameters of expense_rooms, which has none.
type RoomsParams struct{}

// RoomsResult is the result of expense_rooms.
type RoomsResult struct {
	Rooms []RoomFacts `json:"rooms" jsonschema:"the ledgers of the channels that this peer is in, by name"`
}

// RoomFacts is one ledger at a glance.
type RoomFacts struct {
	Channel  string         `json:"channel" jsonschema:"channel of the ledger"`
	Entries  int            `json:"entries" jsonschema:"how many expenses and payments are in effect, since the last close"`
	Totals   []Total        `json:"totals" jsonschema:"what was spent, by currency"`
	Members  []RoomMember   `json:"members" jsonschema:"whom its entries name"`
	Conflict []Conflict     `json:"conflict,omitempty" jsonschema:"members whom others renamed or merged at the same time, until somebody picks"`
	Disagree []Disagreement `json:"disagree,omitempty" jsonschema:"connected members with whom no entries are exchanged, since they hold others to be owner or inviters: give all the same"`
	Last     int64          `json:"last,omitempty" jsonschema:"when its last entry was recorded, ms since 1970 by its author's clock"`
	Freshness
}

// Disagreement is a member who holds others to count in a ledger than this peer.
type Disagreement struct {
	Peer   string `json:"peer" jsonschema:"public key of the member"`
	Reason string `json:"reason" jsonschema:"who counts there, and who counts here"`
}

// mostDisagreements bounds what one room tells.
const mostDisagreements = 16

// RoomMember is a member of a ledger.
type RoomMember struct {
	Member string `json:"member" jsonschema:"name of the member"`
	Left   bool   `json:"left,omitempty" jsonschema:"has left: do not offer it for new splits"`
}

func (r *Rooms) roomsOp() *op.Op {
	return op.New(op.Spec[RoomsParams, RoomsResult]{
		Name: "expense_rooms", Owner: owner, Summary: "List the ledgers of the channels that this peer is in",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Untrusted: true,
		Example: `{}`,
		Run:     r.rooms,
		Text:    RoomsResult.text,
	})
}

func (r *Rooms) rooms(context.Context, RoomsParams) (RoomsResult, error) {
	out := RoomsResult{Rooms: []RoomFacts{}}
	for _, channel := range slices.Sorted(slices.Values(r.channels.Joined())) {
		rm := r.room(channel, true)
		facts := RoomFacts{
			Channel: channel, Totals: []Total{}, Members: []RoomMember{}, Disagree: r.disagreements(channel), Freshness: r.freshness(rm),
		}
		if err := rm.look(facts.read); err != nil {
			return RoomsResult{}, err
		}
		out.Rooms = append(out.Rooms, facts)
	}
	return out, nil
}

func (r *Rooms) disagreements(channel string) (list []Disagreement) {
	refusals := r.schedule.refusals(channel)
	for _, peer := range slices.SortedFunc(maps.Keys(refusals), func(a, b identity.PublicKey) int { return bytes.Compare(a[:], b[:]) }) {
		if len(list) < mostDisagreements {
			list = append(list, Disagreement{Peer: peer.String(), Reason: refusals[peer]})
		}
	}
	return list
}

func (f *RoomFacts) read(l *ledger.Ledger) {
	f.Entries, f.Conflict = l.InEffect(), conflictsOf(l.Disputes())
	for _, c := range l.Currencies() {
		f.Totals = append(f.Totals, Total{Currency: c.Code(), Amount: l.Total(c).Format(c)})
	}
	for _, m := range l.Members() {
		f.Members = append(f.Members, RoomMember{Member: string(m.Name), Left: m.Left})
	}
	if all := l.Entries(); len(all) > 0 {
		f.Last = all[len(all)-1].TS
	}
}

func (r RoomsResult) text() string {
	var out strings.Builder
	for _, room := range r.Rooms {
		var names []string
		for _, m := range room.Members {
			if !m.Left {
				names = append(names, m.Member)
			}
		}
		fmt.Fprintf(&out, "[expense:%s] entries=%d total=%s members=%s\n", room.Channel, room.Entries, spokenTotals(room.Totals), strings.Join(names, ","))
		out.WriteString(spokenDisputes(room.Conflict))
		for _, d := range room.Disagree {
			fmt.Fprintf(&out, "- conflict with %s: %s\n", d.Peer, d.Reason)
		}
		out.WriteString(room.spoken())
	}
	if len(r.Rooms) == 0 {
		out.WriteString("no rooms yet.\n")
	}
	return out.String()
}
