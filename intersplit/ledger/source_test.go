package ledger

import (
	"encoding/hex"
	"testing"

	"intercom/intersplit/money"
)

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

// Whatever comes first, an export that was imported and its original are one, and
// nobody puts something older in the original's place.
func TestAnExportAndItsOriginalAreOne(t *testing.T) {
	expense := func(amount money.Minor, source string) Body {
		return must(NewExpense(Expense{
			Amount: amount, Payers: []Part{{"ann", amount}}, Split: []Portion{{"ann", ""}, {"ben", ""}}, Source: source,
		}))(t)
	}
	original := Entry{ID: ID{9}, Height: 5, Body: expense(900, "")}
	source := SourceOf(hex.EncodeToString(original.ID[:]))
	same := Entry{ID: ID{1}, Body: expense(900, source)}
	other := Entry{ID: ID{2}, Body: expense(1, source)}
	for _, order := range [][]Entry{{original, same, other}, {same, other, original}, {other, original, same}} {
		l := New()
		for _, e := range order {
			if err := l.Apply(e); err != nil {
				t.Fatal(err)
			}
		}
		e, _ := l.BySource(source)
		if n := l.InEffect(); n != 1 || e.ID != original.ID {
			t.Errorf("%d in effect, %v stands for them", n, e.ID)
		}
		conflicts := e.Conflicts()
		if len(conflicts) != 1 || len(conflicts[0].Others) != 1 || conflicts[0].Others[0] != other.ID {
			t.Errorf("conflicts %v", conflicts)
		}
	}
}
