package intersplit

import (
	"context"
	"reflect"

	"intercom/core/fault"
	"intercom/intersplit/format"
	"intercom/intersplit/ledger"
)

// signed reads the signed entries of the data; nil when they are to be taken row
// by row, as those of another channel are: a signature holds in its room only.
func (in ImportParams) signed(channel string, data []byte) (*format.Signed, error) {
	if in.Format != "json" {
		return nil, nil
	}
	s, err := format.ReadSigned(data)
	if err != nil {
		return nil, in.unread(err)
	}
	if s.Entries == nil || s.Channel != channel {
		return nil, nil
	}
	return s, nil
}

// importSigned merges the signed entries of a room into it, all of them or none.
func (r *Rooms) importSigned(ctx context.Context, rm *room, s *format.Signed, out *ImportResult) error {
	out.Way = WaySigned
	m, err := r.merger(ctx, rm, s.Entries)
	if err != nil {
		return err
	}
	places := m.places()
	for i, id := range s.Listed {
		if places[id] == 0 {
			return fault.New(fault.Invalid, "row %d: the entry %.80q is not among the signed entries", i+1, id).
				WithHint("export the room again; without the member signed, each row is imported as a new entry")
		}
	}
	if err := out.foretell(m, places); err != nil || out.DryRun || out.New == 0 {
		return err
	}
	if out.New, err = r.merge(ctx, m); err != nil {
		return err
	}
	out.Known = len(m.entries) - out.New
	heads, err := r.feeds.Heads(rm.id)
	out.SentTo = r.announceHeads(ctx, rm, out.New, heads...)
	return err
}

// places tells where each entry stands in the list, from 1, by its id.
func (m *merger) places() map[string]int {
	places := make(map[string]int, len(m.entries))
	for i, e := range m.entries {
		places[e.ID().String()] = i + 1
	}
	return places
}

// foretell says what merging does: which entries are new, and which of those that
// the room has are different with them.
func (out *ImportResult) foretell(m *merger, places map[string]int) error {
	fresh := m.fresh()
	out.New, out.Known = len(fresh), len(m.entries)-len(fresh)
	if len(fresh) == 0 {
		return nil
	}
	after, err := m.room.foretold(fresh)
	if err != nil {
		return err
	}
	for _, e := range fresh {
		entry, _ := after.ByID(ledger.ID(e.ID()))
		if entry.Body.Kind == ledger.KindUnsupported {
			out.Void++
		}
		out.row(ImportRow{Row: places[idText(entry.ID)], Status: "new", Entry: entryOf(entry)})
	}
	return m.room.look(func(before *ledger.Ledger) {
		for _, e := range before.Entries() {
			if now, here := after.ByID(e.ID); here && e.Body.Kind.Subject() {
				if will := entryOf(now); !reflect.DeepEqual(entryOf(e), will) {
					out.Changed++
					out.row(ImportRow{Row: places[will.ID], Status: "changed", ID: will.ID, Entry: will})
				}
			}
		}
	})
}

func (out *ImportResult) row(row ImportRow) {
	if len(out.Rows) < maxImportRows {
		out.Rows = append(out.Rows, row)
	}
}
