package intersplit

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// The texts that people read: upstream's (10.1), and a currency behind an amount
// once a room has one.

func (r AddResult) text() string {
	did := "added"
	if r.DryRun {
		did = "would add"
	}
	return fmt.Sprintf("[expense:%s] %s %s by %s split=%s", r.Channel, did,
		withCode(r.Entry.Amount, r.Entry.Currency), spokenPayers(r.Entry), spokenSplit(r.Entry))
}

func (r ListResult) text() string {
	var out strings.Builder
	if r.Count == 0 && len(r.Entries) == 0 {
		fmt.Fprintf(&out, "[expense:%s] no expenses yet.\n", r.Channel)
	} else {
		fmt.Fprintf(&out, "[expense:%s] entries=%d\n", r.Channel, r.Count)
	}
	for _, e := range r.Entries {
		fmt.Fprintf(&out, "- %s\n", spokenEntry(e))
	}
	if r.Cleared != nil {
		fmt.Fprintf(&out, "- cleared: %s\n", spokenCleared(*r.Cleared))
	}
	if r.NextCursor != "" {
		fmt.Fprintf(&out, "- more with --cursor %s\n", r.NextCursor)
	}
	return out.String()
}

func (r BalanceResult) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "[expense:%s] entries=%d total=%s\n", r.Channel, r.Entries, spokenTotals(r.Totals))
	if len(r.Balances) == 0 {
		out.WriteString("- no balances yet.\n")
	} else {
		out.WriteString("- balances:\n")
	}
	for _, b := range r.Balances {
		fmt.Fprintf(&out, "  %s: %s\n", b.Member, withCode(signed(b.Amount), b.Currency))
	}
	if len(r.Settlements) == 0 {
		out.WriteString("- settlements: none\n")
	} else {
		out.WriteString("- settlements:\n")
	}
	for _, p := range r.Settlements {
		fmt.Fprintf(&out, "  %s\n", spokenSettlement(p))
	}
	if !r.Plan.Optimal {
		fmt.Fprintf(&out, "- plan: %d payments, at least %d are needed\n", r.Plan.Payments, r.Plan.LowerBound)
	}
	return out.String()
}

func (r ClearResult) text() string {
	if r.DryRun {
		return fmt.Sprintf("[expense:%s] would clear %d entries total=%s", r.Channel, r.Cleared, spokenTotals(r.Totals))
	}
	return fmt.Sprintf("[expense:%s] ledger cleared.", r.Channel)
}

func (r ExportResult) text() string {
	if r.Format == FormatCSV {
		return r.Data
	}
	return r.Data + base64.StdEncoding.EncodeToString([]byte(r.Data))
}

// spokenEntry is a line of the list: when, who, how much, for whom, what for.
func spokenEntry(e Entry) string {
	if e.Reason != "" {
		return fmt.Sprintf("%s | unsupported entry | by %s | %s", isoTime(e.TS), e.By, e.Reason)
	}
	note := e.Note
	if note == "" {
		note = "-"
	}
	return fmt.Sprintf("%s | %s paid %s | split=%s | note=%s", isoTime(e.TS), spokenPayers(e),
		withCode(e.Amount, e.Currency), spokenSplit(e), note)
}

// spokenPayers is the payer's name, or each payer with what it paid.
func spokenPayers(e Entry) string {
	if e.Payer != "" {
		return e.Payer
	}
	said := make([]string, len(e.Payers))
	for i, p := range e.Payers {
		said[i] = p.Member + ":" + p.Amount
	}
	return strings.Join(said, ",")
}

// spokenSplit is the split as expense_add reads it.
func spokenSplit(e Entry) string {
	if len(e.Values) == 0 {
		return strings.Join(e.Split, ",")
	}
	values := make(map[string]string, len(e.Values))
	for _, v := range e.Values {
		values[v.Member] = ":" + v.Value
	}
	said := make([]string, len(e.Split))
	for i, name := range e.Split {
		said[i] = name + values[name]
	}
	return strings.Join(said, ",") + " " + e.Mode
}

func spokenSettlement(p Settlement) string {
	return fmt.Sprintf("%s -> %s: %s", p.From, p.To, withCode(p.Amount, p.Currency))
}

func spokenCleared(c Cleared) string {
	return fmt.Sprintf("%s | %d entries | by %s", isoTime(c.TS), c.Expenses, c.By)
}

func spokenTotals(totals []Total) string {
	if len(totals) == 0 {
		return "0.00"
	}
	said := make([]string, len(totals))
	for i, t := range totals {
		said[i] = withCode(t.Amount, t.Currency)
	}
	return strings.Join(said, ", ")
}

// signed puts a plus before a positive amount.
func signed(amount string) string {
	if strings.HasPrefix(amount, "-") || strings.Trim(amount, "0.") == "" {
		return amount
	}
	return "+" + amount
}

func withCode(amount, currency string) string {
	if currency == "" {
		return amount
	}
	return amount + " " + currency
}
