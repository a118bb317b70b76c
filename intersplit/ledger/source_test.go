package ledger

import "testing"

func TestASettlementKeepsItsImportID(t *testing.T) {
	transfer := Transfer{From: "ann", To: "ben", Amount: 5}
	body, err := NewSettlement(Settlement{Payments: []Transfer{transfer}, Source: "x/1"}, "")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := body.Encode()
	if again := Decode(raw); err != nil || again.Source() != "x/1" {
		t.Fatalf("%s %v", raw, err)
	}
	l := New()
	for i, parent := range [][]ID{nil, {{1}}} { // the second is a twin of the first
		if err := l.Apply(Entry{ID: ID{byte(i + 1)}, Height: uint64(i), Parents: parent, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	e, known := l.BySource("x/1")
	if !known || e.ID != (ID{1}) || l.InEffect() != 1 {
		t.Error(e, known, l.InEffect())
	}
	if _, known := l.BySource(""); known {
		t.Error("an entry has no import id, and is found by it")
	}
}
