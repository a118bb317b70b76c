package intersplit

import (
	"intercom/core/identity"
	"intercom/intersplit/format"
	"intercom/intersplit/ledger"
)

// The forms of export for other programs: see package format.
const (
	FormatCSVEntries Format = "csv-entries"
	FormatHledger    Format = "hledger"
	FormatBeancount  Format = "beancount"
	FormatMarkdown   Format = "markdown"
)

// formats lists every form of export.
var formats = []Format{FormatText, FormatJSON, FormatCSV, FormatCSVEntries, FormatHledger, FormatBeancount, FormatMarkdown}

// writeBook gives the statement in one of the forms for other programs; ok is
// false for another form.
func (s *statement) writeBook(form Format, entries []format.Entry, at int64) (data string, ok bool, err error) {
	b := &format.Book{Channel: s.channel, At: at, Entries: entries}
	for _, book := range s.books {
		for _, member := range book.balances {
			b.Balances = append(b.Balances, format.Balance{Member: member.Member, Currency: book.currency, Amount: member.Amount})
		}
		for _, p := range book.plan.Payments {
			b.Plan = append(b.Plan, format.Payment{From: p.From, To: p.To, Currency: book.currency, Amount: p.Amount})
		}
	}
	switch form {
	case FormatCSVEntries:
		data, err = format.CSVEntries(b)
		return data, true, err
	case FormatHledger:
		return format.Hledger(b), true, nil
	case FormatBeancount:
		return format.Beancount(b), true, nil
	case FormatMarkdown:
		return format.Markdown(b), true, nil
	}
	return "", false, nil
}

// bookEntries gives what counts, closed or not, as it is now.
func bookEntries(l *ledger.Ledger) []format.Entry {
	var entries []format.Entry
	for _, e := range l.Entries() {
		if e.Shown() && e.Body.Kind.Subject() {
			entries = append(entries, format.Entry{
				ID: idText(e.ID), By: identity.PublicKey(e.Author).Address(), TS: e.TS, Body: e.Current(),
			})
		}
	}
	return entries
}
