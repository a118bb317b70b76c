package intersplit

import (
	"encoding/base64"
	"fmt"
	"strings"

	"intercom/intersplit/ledger"
)

// The texts that people read: upstream's (10.1), and a currency behind an amount
// once a room has one.

func (r Written) text() string {
	kind := r.Entry.Kind
	if r.Change != nil {
		kind = r.Change.Kind
	}
	did := deeds[kind]
	if r.DryRun {
		did = wouldDo[kind]
	}
	said := spokenFact(r.Entry)
	switch ledger.Kind(kind) {
	case ledger.KindExpense:
		said = fmt.Sprintf("%s by %s split=%s", spokenAmount(r.Entry), spokenPayers(r.Entry), spokenSplit(r.Entry))
	case ledger.KindPayment:
		said = fmt.Sprintf("%s from %s to %s", withCode(r.Entry.Amount, r.Entry.Currency), r.Entry.From, r.Entry.To)
	case ledger.KindRename, ledger.KindMerge:
		said = r.Entry.Member + " -> " + r.Entry.To
	case ledger.KindLeave:
		did, said = r.Entry.Member, did
	case ledger.KindRule:
		did = "repeats:"
		if r.DryRun {
			did = "would repeat:"
		}
	}
	return fmt.Sprintf("[expense:%s] %s %s", r.Channel, did, said)
}

// deeds is what an entry of a kind did, wouldDo what it would do.
var (
	deeds = map[string]string{
		"expense": "added", "payment": "paid", "settlement": "settled", "edit": "edited", "delete": "deleted",
		"undelete": "restored", "undo": "undid", "rename": "renamed", "merge": "merged", "leave": "left", "unit": "declared",
	}
	wouldDo = map[string]string{
		"expense": "would add", "payment": "would pay", "settlement": "would settle", "edit": "would edit", "delete": "would delete",
		"undelete": "would restore", "undo": "would undo", "rename": "would rename", "merge": "would merge", "leave": "would leave", "unit": "would declare",
	}
)

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
	out.WriteString(spokenDisputes(r.Conflict))
	if r.Incomplete {
		out.WriteString(saidIncomplete)
	}
	out.WriteString(r.spoken())
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
	out.WriteString(spokenDisputes(r.Conflict))
	if r.Incomplete {
		out.WriteString(saidIncomplete)
	}
	out.WriteString(r.spoken())
	return out.String()
}

// spokenDisputes is a line for each member who was renamed or merged differently.
func spokenDisputes(conflicts []Conflict) string {
	var out strings.Builder
	for _, c := range conflicts {
		if c.Field == string(ledger.FieldShared) {
			fmt.Fprintf(&out, "- conflict: %s were both renamed to %s, and count as one until one of the renames is undone\n", strings.Join(c.Names, " and "), c.Member)
			continue
		}
		fmt.Fprintf(&out, "- conflict: %s was renamed to %s; %s counts until somebody picks\n", c.Member, strings.Join(c.Names, " and to "), c.Names[0])
	}
	return out.String()
}

const saidIncomplete = "- incomplete: this peer had no room for all entries, and others have more\n"

func (r SettleResult) text() string {
	if len(r.Settlements) == 0 {
		return strings.TrimSuffix(fmt.Sprintf("[expense:%s] everybody is even.\n%s", r.Channel, r.spoken()), "\n")
	}
	var out strings.Builder
	did := "settled"
	if r.DryRun {
		did = "would settle"
	}
	fmt.Fprintf(&out, "[expense:%s] %s with %d payments\n", r.Channel, did, len(r.Settlements))
	for _, p := range r.Settlements {
		fmt.Fprintf(&out, "  %s\n", spokenSettlement(p))
	}
	if said := r.spoken(); said != "" {
		out.WriteString(said)
	} else if r.Hint != "" {
		fmt.Fprintf(&out, "- %s\n", r.Hint)
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
	if r.Format != FormatText && r.Format != FormatJSON {
		return r.Data
	}
	return r.Data + base64.StdEncoding.EncodeToString([]byte(r.Data))
}

// spokenEntry is a line of the list: when, who, how much, for whom, what for.
func spokenEntry(e Entry) string {
	line := isoTime(e.TS) + " | " + spokenFact(e)
	if e.State != "" {
		line += " | " + e.State
	}
	if len(e.Conflict) > 0 {
		line += " | conflict"
	}
	return line
}

func spokenFact(e Entry) string {
	note := e.Note
	if note == "" {
		note = "-"
	}
	switch ledger.Kind(e.Kind) {
	case ledger.KindUnsupported:
		return fmt.Sprintf("unsupported entry | by %s | %s", e.By, e.Reason)
	case ledger.KindExpense:
		return fmt.Sprintf("%s paid %s | split=%s | note=%s", spokenPayers(e), spokenAmount(e), spokenSplit(e), note)
	case ledger.KindPayment:
		return fmt.Sprintf("%s -> %s: %s | note=%s", e.From, e.To, withCode(e.Amount, e.Currency), note)
	case ledger.KindSettlement:
		said := make([]string, len(e.Payments))
		for i, p := range e.Payments {
			said[i] = spokenSettlement(p)
		}
		return fmt.Sprintf("settled %s | note=%s", strings.Join(said, ", "), note)
	case ledger.KindRule:
		every := e.Recurs.Every
		if e.Recurs.Interval > 1 {
			every = fmt.Sprintf("%d %ss", e.Recurs.Interval, every)
		}
		return fmt.Sprintf("%s pays %s every %s from %s | split=%s | note=%s", spokenPayers(e), spokenAmount(e), every, e.Recurs.First, spokenSplit(e), note)
	case ledger.KindRename, ledger.KindMerge:
		return fmt.Sprintf("%s %s -> %s", e.Kind, e.Member, e.To)
	case ledger.KindLeave:
		return "leave " + e.Member
	case ledger.KindUnit:
		return fmt.Sprintf("unit %s with %d decimals", e.Unit.Name, e.Unit.Decimals)
	}
	if e.Target != "" {
		return strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Kind, e.Target, strings.Join(e.Changes, ",")))
	}
	return e.Kind
}

// spokenAmount is the amount and what it was converted to.
func spokenAmount(e Entry) string {
	amount := withCode(e.Amount, e.Currency)
	if e.Converted != nil {
		amount += " = " + withCode(e.Converted.Amount, e.Converted.Currency)
	}
	return amount
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
