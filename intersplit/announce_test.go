package intersplit

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/intersplit/ledger"
)

// announced is a message of a valid entry.
func announced(tb testing.TB) (*feed.Entry, []byte) {
	tb.Helper()
	feeds, err := feed.Open(memory(tb).Space("feed"), slog.New(slog.DiscardHandler))
	if err != nil {
		tb.Fatal(err)
	}
	body, err := ledger.NewExpense(ledger.Expense{
		Amount: 3000, Payers: []ledger.Part{{Member: "alice", Amount: 3000}},
		Split: []ledger.Portion{{Member: "alice"}, {Member: "bob"}}, Note: "dinner",
	})
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := body.Encode()
	if err != nil {
		tb.Fatal(err)
	}
	e, err := feeds.Append(tb.Context(), FeedOf("trip"), identity.FromSeed([32]byte{1}), raw, time.UnixMilli(1_800_000_000_000))
	if err != nil {
		tb.Fatal(err)
	}
	message, err := announce(e, body)
	if err != nil {
		tb.Fatal(err)
	}
	return e, message
}

func TestAnAnnouncementCanBeReadByPeopleAndPrograms(t *testing.T) {
	e, message := announced(t)
	var said struct {
		App, Type string
		Event     struct {
			Payer, Amount, Currency, Note, By string
			Split                             []string
			TS                                int64
		}
	}
	if err := json.Unmarshal(message, &said); err != nil {
		t.Fatal(err)
	}
	if said.App != "expense_split_v1" || said.Type != "expense_add" || said.Event.Payer != "alice" || said.Event.Amount != "30.00" ||
		said.Event.Note != "dinner" || said.Event.TS != 1_800_000_000_000 || said.Event.By != e.Author.Address() ||
		strings.Join(said.Event.Split, ",") != "alice,bob" {
		t.Errorf("%s", message)
	}
	back, err := decodeAnnouncement(message)
	if err != nil || !bytes.Equal(back.entry.Encode(), e.Encode()) {
		t.Error(back, err)
	}
}

// The greatest entry there may be still fits a message that is taken in.
func TestTheGreatestEntryCanBeAnnounced(t *testing.T) {
	e, _ := announced(t)
	e.Body = bytes.Repeat([]byte(`"`), feed.MaxBody) // twice as long once it is quoted
	e.Parents = make([]feed.ID, feed.MaxParents)
	body := ledger.Body{Kind: ledger.KindExpense, Expense: &ledger.Expense{
		Amount: 1, Payers: []ledger.Part{{Member: "a", Amount: 1}}, Mode: ledger.Equal, Split: []ledger.Portion{{Member: "a"}},
		Note: strings.Repeat(`"`, feed.MaxBody),
	}}
	message, err := announce(e, body)
	if err != nil || len(message) > maxMessage {
		t.Errorf("%d bytes, %v", len(message), err)
	}
}

func FuzzDecodeAnnouncement(f *testing.F) {
	_, message := announced(f)
	f.Add(message)
	f.Add([]byte(`{"event":{"entry":"AAAA"}}`))
	f.Add([]byte(`{"event":7}`))
	f.Add([]byte(`{"event":{"heads":["00",""]}}`))
	f.Fuzz(func(t *testing.T, message []byte) {
		said, err := decodeAnnouncement(message)
		if err == nil && said.entry != nil {
			ledgerEntry(said.entry)
		}
		if len(said.heads) > feed.MaxParents {
			t.Errorf("%d heads", len(said.heads))
		}
	})
}
