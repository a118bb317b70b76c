package intersplit

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	Channel  string       `json:"channel" jsonschema:"channel of the ledger"`
	Entries  int          `json:"entries" jsonschema:"how many expenses and payments are in effect, since the last close"`
	Totals   []Total      `json:"totals" jsonschema:"what was spent, by currency"`
	Members  []RoomMember `json:"members" jsonschema:"whom its entries name"`
	Conflict []Conflict   `json:"conflict,omitempty" jsonschema:"members whom others renamed or merged at the same time, until somebody picks"`
	Last     int64        `json:"last,omitempty" jsonschema:"when its last entry was recorded, ms since 1970 by its author's clock"`
}

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
		facts := RoomFacts{Channel: channel, Totals: []Total{}, Members: []RoomMember{}}
		if err := r.room(channel, true).look(facts.read); err != nil {
			return RoomsResult{}, err
		}
		out.Rooms = append(out.Rooms, facts)
	}
	return out, nil
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
	}
	if len(r.Rooms) == 0 {
		out.WriteString("no rooms yet.\n")
	}
	return out.String()
}
