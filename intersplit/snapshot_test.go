package intersplit

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"intercom/core/fault"
)

func TestTheSnapshotFileIsTheSeedsFormAndRestoresTheRoom(t *testing.T) {
	w := newWorld(t)
	w.snapshot = filepath.Join(t.TempDir(), "expense-split.snapshots.json")
	alice := w.join(1)
	alice.must("expense_add", expense("alice", "30"))
	alice.must("expense_add", `{"channel":"other","payer":"ann","amount":"5.25","currency":"EUR","split":"ann,ben","note":"\"x\" <b>"}`)
	before, other := alice.export("trip"), alice.export("other")
	until(t, "the file is written after a quiet second", func() bool {
		raw, err := os.ReadFile(w.snapshot)
		return err == nil && strings.Contains(string(raw), `"other"`) && strings.Contains(string(raw), `"trip"`)
	})
	alice.must("expense_add", expense("bob", "7"))
	alice.leave() // the last change is written at stop

	raw, err := os.ReadFile(w.snapshot)
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Version   int
		UpdatedAt int64
		Rooms     []Snapshot
	}
	if err := json.Unmarshal(raw, &file); err != nil || file.Version != 1 || file.UpdatedAt == 0 || len(file.Rooms) != 2 {
		t.Fatalf("%v\n%s", err, raw)
	}
	trip := file.Rooms[1]
	if trip.Channel != "trip" || trip.Version != 1 || len(trip.Events) != 2 || len(trip.Entries) != 2 {
		t.Fatalf("%+v", trip)
	}
	e := trip.Events[0]
	if e.Payer != "alice" || e.AmountCents != 3000 || strings.Join(e.Split, ",") != "alice,bob" || e.By != alice.id.PublicKey().Address() || e.TS == 0 || e.TxID == "" {
		t.Errorf("%+v", e)
	}
	if info, err := os.Stat(w.snapshot); err != nil || info.Mode().Perm() != 0o600 {
		t.Error(info.Mode(), err)
	}

	again := w.join(1) // the store is lost
	if _, err := again.Join(t.Context(), "trip"); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{2, 0} {
		added, total, err := again.RestoreLocal(t.Context(), "trip")
		if added != want || total != 2 || err != nil {
			t.Errorf("restore %d: %d of %d, %v", i, added, total, err)
		}
	}
	if got := again.total(); got != "37.00" || before == "" {
		t.Error(got)
	}
	again.leave() // writes the file anew, and keeps the room that it is not in
	last := w.join(1)
	if _, err := last.Join(t.Context(), "other"); err != nil {
		t.Fatal(err)
	}
	if added, _, err := last.RestoreLocal(t.Context(), "other"); added != 1 || err != nil || last.export("other") != other {
		t.Error(added, err)
	}
}

func TestADamagedSnapshotFileIsSaid(t *testing.T) {
	w := newWorld(t)
	w.snapshot = filepath.Join(t.TempDir(), "snapshots.json")
	p := w.join(1)
	if added, total, err := p.RestoreLocal(t.Context(), "trip"); added != 0 || total != 0 || err != nil {
		t.Error("without a file:", added, total, err)
	}
	for _, text := range []string{"", "[]", `{"rooms":7}`, `{"rooms":[{"channel":"trip","entries":["AAAA"]}]}`, `{"rooms":[{"channel":"trip","entries":["!"]}]}`, `{"rooms":[`} {
		if err := os.WriteFile(w.snapshot, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := p.RestoreLocal(t.Context(), "trip"); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), w.snapshot) {
			t.Errorf("%q: %v", text, err)
		}
	}
	other := newWorld(t).join(2)
	for range 3 {
		other.must("expense_add", expense("alice", "30"))
	}
	hole, err := json.Marshal(map[string]any{"rooms": []any{map[string]any{"channel": "trip", "entries": []string{
		base64.StdEncoding.EncodeToString(other.signed(t, "trip")[0].Encode()), base64.StdEncoding.EncodeToString(other.signed(t, "trip")[2].Encode()),
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.snapshot, hole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := p.RestoreLocal(t.Context(), "trip"); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "signed entry 2 (") || p.count(t) != 0 {
		t.Errorf("a missing entry: %v, and %d are stored", err, p.count(t))
	}
	seed := `{"version":1,"updatedAt":1,"rooms":[{"channel":"trip","version":1,"events":[{"txId":"a","payer":"alice","amountCents":3000,"split":["alice","bob"],"note":"","ts":1,"by":"trac1x"}]}]}`
	if err := os.WriteFile(w.snapshot, []byte(seed), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := readSnapshots(w.snapshot, func(s Snapshot) bool {
		if len(s.Events) != 1 || s.Events[0].AmountCents != 3000 {
			t.Errorf("%+v", s)
		}
		return true
	}); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeSnapshots(f *testing.F) {
	f.Add(`{"version":1,"updatedAt":1,"rooms":[{"channel":"trip","version":1,"events":[],"entries":["AAAA"]}]}`)
	f.Add(`{"rooms":[7]}`)
	f.Fuzz(func(t *testing.T, text string) {
		_ = decodeSnapshots(strings.NewReader(text), func(s Snapshot) bool {
			for _, text := range s.Entries {
				_, _ = readSigned(&room{}, text)
			}
			return true
		})
	})
}
