// Package format writes a ledger in forms that other programs read, and reads
// what other programs write: plain-text accounting for hledger and beancount, a
// table of entries, Markdown; Splitwise's and Spliit's exports and our own.
//
// It guarantees that amounts pass exactly, that a text from outside is bounded
// before it is looked at and refused with the row that is wrong, that no cell is
// run as a formula by a spreadsheet, and that reading back what it wrote gives the
// same entries. It is pure: files, rooms and what is known already are for others.
package format

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// Book is a room at one moment.
type Book struct {
	Channel  string
	At       int64   // when, ms since 1970
	Entries  []Entry // what counts, in order
	Balances []Balance
	Plan     []Payment
}

// Entry is an entry as it is now.
type Entry struct {
	ID, By string
	TS     int64 // ms since 1970
	Body   ledger.Body
}

// Balance is where a member stands in a currency.
type Balance struct {
	Member   ledger.Name
	Currency money.Currency
	Amount   money.Sum
}

// Payment is a line of the plan.
type Payment struct {
	From, To string
	Currency money.Currency
	Amount   money.Sum
}

// movement is what an entry moves on one member's account: the movements of an
// entry add up to zero in each currency.
type movement struct {
	member   ledger.Name
	currency money.Currency
	amount   money.Minor
}

func (e *Entry) movements() []movement {
	var all []movement
	transfer := func(t ledger.Transfer) {
		all = append(all, movement{t.From, t.Currency, t.Amount}, movement{t.To, t.Currency, -t.Amount})
	}
	switch {
	case e.Body.Expense != nil:
		booked, err := e.Body.Expense.Booked()
		if err != nil {
			panic("format: an expense that was checked cannot be split: " + err.Error())
		}
		for _, p := range booked.Paid {
			all = append(all, movement{p.Member, booked.Currency, p.Amount})
		}
		for _, p := range booked.Borne {
			all = append(all, movement{p.Member, booked.Currency, -p.Amount})
		}
	case e.Body.Payment != nil:
		transfer(e.Body.Payment.Transfer)
	case e.Body.Settlement != nil:
		for _, t := range e.Body.Settlement.Payments {
			transfer(t)
		}
	}
	return all
}

// says is what the entry is, for people.
func (e *Entry) says() (note, category, date string, tags []string) {
	switch {
	case e.Body.Expense != nil:
		x := e.Body.Expense
		return x.Note, x.Category, x.Date, x.Tags
	case e.Body.Payment != nil:
		return e.Body.Payment.Note, "", e.Body.Payment.Date, nil
	case e.Body.Settlement != nil:
		return e.Body.Settlement.Note, "", "", nil
	}
	return "", "", "", nil
}

// who is who paid, or who paid whom.
func (e *Entry) who() string {
	var names []string
	switch {
	case e.Body.Expense != nil:
		for _, p := range e.Body.Expense.Payers {
			names = append(names, string(p.Member))
		}
		return strings.Join(names, ", ")
	case e.Body.Payment != nil:
		return fmt.Sprintf("%s to %s", e.Body.Payment.From, e.Body.Payment.To)
	}
	return string(e.Body.Kind)
}

// day is the day of an entry: its own, or that of its record.
func (e *Entry) day() string {
	if _, _, date, _ := e.says(); date != "" {
		return date
	}
	return day(e.TS)
}

// day writes a time as its day, UTC. A clock that is far off is brought into the
// years that programs read.
func day(ms int64) string {
	const latest = 253402214400000 // 9999-12-31
	return time.UnixMilli(min(max(ms, 0), latest)).UTC().Format(time.DateOnly)
}

// byDay gives the entries that move something, by day, the order of the room
// within a day.
func (b *Book) byDay() []Entry {
	sorted := slices.DeleteFunc(slices.Clone(b.Entries), func(e Entry) bool { return len(e.movements()) == 0 })
	slices.SortStableFunc(sorted, func(x, y Entry) int { return strings.Compare(x.day(), y.day()) })
	return sorted
}

// members and currencies list whom and what the book names, sorted.
func (b *Book) members() []ledger.Name {
	var names []ledger.Name
	for i := range b.Entries {
		for _, m := range b.Entries[i].movements() {
			names = append(names, m.member)
		}
	}
	for _, balance := range b.Balances {
		names = append(names, balance.Member)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func (b *Book) currencies() []money.Currency {
	var all []money.Currency
	for i := range b.Entries {
		for _, m := range b.Entries[i].movements() {
			all = append(all, m.currency)
		}
	}
	for _, balance := range b.Balances {
		all = append(all, balance.Currency)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// unique gives each item a text of its own: the one that make gives it, with a
// number when another item has that.
func unique[T comparable](items []T, make func(T) string) map[T]string {
	given, taken := map[T]string{}, map[string]bool{}
	for _, item := range items {
		text := make(item)
		for n := 2; taken[text]; n++ {
			text = fmt.Sprintf("%s-%d", make(item), n)
		}
		given[item], taken[text] = text, true
	}
	return given
}

func isoTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }
