package intersplit

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/intersplit/ledger"
)

// The snapshot file is a copy of all rooms in the seed application's form
// (upstream 10.2), for people and programs that read that, and for restoring a
// room when its store is lost. Beside the seed's events each room has the signed
// entries themselves, which the seed passes over and which alone are restored.
//
//	{"version":1,"updatedAt":ms,"rooms":[{"channel":…,"version":1,"events":[…],"entries":["<base64>",…]},…]}
const snapshotVersion = 1

// Snapshot is one room of the file.
type Snapshot struct {
	Channel string          `json:"channel"`
	Version int             `json:"version"`
	Events  []SnapshotEvent `json:"events"`
	Entries []string        `json:"entries,omitempty"` // base64, parents first
}

// SnapshotEvent is an expense in effect as the seed application knows it.
type SnapshotEvent struct {
	TxID        string   `json:"txId"`
	Payer       string   `json:"payer"`
	AmountCents int64    `json:"amountCents"` // minor units
	Split       []string `json:"split"`
	Note        string   `json:"note"`
	TS          int64    `json:"ts"`
	By          string   `json:"by"`
	Currency    string   `json:"currency,omitempty"`
}

// events lists the room's expenses in effect.
func (rm *room) events() ([]SnapshotEvent, error) {
	events := []SnapshotEvent{}
	err := rm.look(func(l *ledger.Ledger) {
		for _, e := range l.Entries() {
			if !e.Shown() || e.Current().Expense == nil {
				continue
			}
			x := e.Current().Expense
			event := SnapshotEvent{
				TxID: idText(e.ID), AmountCents: int64(x.Amount), Note: x.Note, TS: e.TS,
				By: identity.PublicKey(e.Author).Address(), Currency: x.Currency.Code(), Split: []string{},
			}
			if len(x.Payers) > 0 {
				event.Payer = string(x.Payers[0].Member)
			}
			for _, p := range x.Split {
				event.Split = append(event.Split, string(p.Member))
			}
			events = append(events, event)
		}
	})
	return events, err
}

// writeSnapshots writes the file anew, atomically: all rooms of the channels that
// this peer is in, and those of the file before that it has left.
func (r *Rooms) writeSnapshots(ctx context.Context, path string) error {
	channels := r.channels.Joined()
	slices.Sort(channels)
	return replaceFile(path, func(w io.Writer) error {
		out := &snapshotWriter{w: bufio.NewWriterSize(w, 64<<10)}
		out.begin(r.now().UnixMilli())
		for _, channel := range channels {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := r.writeSnapshot(out, channel); err != nil {
				return err
			}
		}
		err := readSnapshots(path, func(s Snapshot) bool {
			if _, joined := slices.BinarySearch(channels, s.Channel); !joined {
				out.room(s, func(entry func(string)) error { each(s.Entries, entry); return nil })
			}
			return out.err == nil
		})
		if err != nil { // a file that cannot be read is not worth keeping
			r.log.Warn("the snapshot file before was damaged", "file", path, "err", err)
		}
		return out.end()
	})
}

func each(all []string, visit func(string)) {
	for _, one := range all {
		visit(one)
	}
}

func (r *Rooms) writeSnapshot(out *snapshotWriter, channel string) error {
	rm := r.room(channel, true)
	n, err := r.feeds.Count(rm.id)
	if err != nil || n == 0 {
		return err
	}
	events, err := rm.events()
	if err != nil {
		return err
	}
	out.room(Snapshot{Channel: channel, Version: snapshotVersion, Events: events}, func(entry func(string)) error {
		return rm.eachSigned(func(_ feed.Position, text string) bool {
			entry(text)
			return out.err == nil
		})
	})
	return out.err
}

// snapshotWriter writes the file as it goes, however great the rooms are.
type snapshotWriter struct {
	w     *bufio.Writer
	rooms int
	err   error
}

func (o *snapshotWriter) text(parts ...string) {
	for _, part := range parts {
		if o.err == nil {
			_, o.err = o.w.WriteString(part)
		}
	}
}

func (o *snapshotWriter) value(v any) {
	raw, err := json.Marshal(v)
	o.err = errors.Join(o.err, err)
	o.text(string(raw))
}

func (o *snapshotWriter) begin(at int64) {
	o.text(`{"version":1,"updatedAt":`)
	o.value(at)
	o.text(`,"rooms":[`)
}

func (o *snapshotWriter) room(s Snapshot, entries func(entry func(string)) error) {
	if o.rooms++; o.rooms > 1 {
		o.text(",")
	}
	o.text("\n{\"channel\":")
	o.value(s.Channel)
	o.text(`,"version":`)
	o.value(s.Version)
	o.text(`,"events":`)
	o.value(s.Events)
	o.text(`,"entries":[`)
	first := true
	err := entries(func(entry string) {
		if !first {
			o.text(",")
		}
		first = false
		o.text(`"`, entry, `"`)
	})
	o.err = errors.Join(o.err, err)
	o.text("]}")
}

func (o *snapshotWriter) end() error {
	o.text("\n]}\n")
	return errors.Join(o.err, o.w.Flush())
}

// replaceFile puts a new file in the place of one, whole or not at all, for its
// owner's eyes only.
func replaceFile(path string, write func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.new") // mode 0600
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// readSnapshots reads the rooms of a snapshot file, ours or the seed's, until
// visit answers false. A file that is not there has none.
func readSnapshots(path string, visit func(Snapshot) (more bool)) error {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return decodeSnapshots(f, visit)
}

// decodeSnapshots reads one room at a time.
func decodeSnapshots(from io.Reader, visit func(Snapshot) (more bool)) error {
	in := json.NewDecoder(bufio.NewReader(from))
	if err := expect(in, json.Delim('{')); err != nil {
		return err
	}
	for in.More() {
		name, err := in.Token()
		if err != nil {
			return err
		}
		if name != "rooms" {
			var other json.RawMessage
			if err := in.Decode(&other); err != nil {
				return err
			}
			continue
		}
		if err := expect(in, json.Delim('[')); err != nil {
			return err
		}
		for in.More() {
			s := Snapshot{Events: []SnapshotEvent{}}
			if err := in.Decode(&s); err != nil {
				return err
			}
			if !visit(s) {
				return nil
			}
		}
		if err := expect(in, json.Delim(']')); err != nil {
			return err
		}
	}
	return expect(in, json.Delim('}'))
}

func expect(in *json.Decoder, want json.Delim) error {
	token, err := in.Token()
	if err == nil && token != want {
		err = fault.New(fault.Invalid, "%v stands where %v must", token, want).WithHint("the file is no snapshot file")
	}
	return err
}

// RestoreLocal takes the entries of a channel's room from the snapshot file and
// says how many the room did not have, and how many it has now. It changes
// nothing but by adding, and nothing at all when one of the entries is refused.
func (r *Rooms) RestoreLocal(ctx context.Context, channel string) (added int, total uint64, err error) {
	rm := r.room(channel, true)
	var saved []string
	if err = readSnapshots(r.snapshots.path, func(s Snapshot) bool {
		if s.Channel == channel {
			saved = s.Entries
		}
		return s.Channel != channel
	}); err != nil {
		return 0, 0, r.damagedSnapshots(err)
	}
	m, err := r.merger(ctx, rm, saved)
	if err != nil {
		return 0, 0, r.damagedSnapshots(err)
	}
	if added, err = r.merge(ctx, m); err == nil {
		total, err = r.feeds.Count(rm.id)
	}
	return added, total, err
}

// damagedSnapshots is the fault of a file that is not as it was written; what is
// about this peer stays.
func (r *Rooms) damagedSnapshots(err error) error {
	if f := fault.Of(err); f.Kind == fault.Limited || f.Kind == fault.Unavailable || f.Kind == fault.Cancelled {
		return err
	}
	return fault.New(fault.Unavailable, "the snapshot file %q is damaged: %w", r.snapshots.path, err).
		WithHint("sync with a member, or restore from the contract")
}
