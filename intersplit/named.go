package intersplit

import (
	"strings"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/intersplit/ledger"
	"intercom/intersplit/money"
)

// EntryID names an entry of the room: its id, the beginning of it, or "last".
type EntryID string

const (
	minID  = 8 // the fewest digits that name an entry
	lastID = "last"
)

// Schema is the rule of an entry's id.
func (EntryID) Schema() op.Schema {
	return op.Schema{"type": "string", "maxLength": 64, "pattern": "^([0-9a-f]{8,64}|last)$"}
}

// find gives the entry that an id names; of those that last may mean, the last in
// the order of the list.
func (id EntryID) find(l *ledger.Ledger, last func(e *ledger.Entry) bool) (*ledger.Entry, error) {
	var found *ledger.Entry
	for _, e := range l.Entries() {
		switch {
		case id == lastID && last(e):
			found = e
		case id == lastID || !strings.HasPrefix(idText(e.ID), string(id)):
		case found != nil:
			return nil, fault.New(fault.Invalid, "id %q names several entries", id).WithHint("give more of its digits")
		default:
			found = e
		}
	}
	if found == nil {
		return nil, fault.New(fault.NotFound, "no entry %q in this ledger", id).WithHint("expense_list tells the ids; include_deleted shows all")
	}
	return found, nil
}

// writable gives the name to write for a member as its caller knows it. What is no
// name is left for the ledger to refuse.
func writable(l *ledger.Ledger, text string) ledger.Name {
	name, err := ledger.ParseName(text)
	if err != nil {
		return ledger.Name(text)
	}
	return l.Writable(name)
}

// member finds somebody whom the ledger names, under the name of now.
func member(l *ledger.Ledger, text string) (ledger.Name, error) {
	name, err := ledger.ParseName(text)
	if err != nil {
		return "", err
	}
	for _, m := range l.Members() {
		if m.Name == name {
			return name, nil
		}
	}
	missing := fault.New(fault.NotFound, "%q is no member of this ledger", name)
	if now := l.NameOf(name); now != name {
		return "", missing.WithHint("it is called %q now", now)
	}
	return "", missing.WithHint("expense_balance names the members")
}

// currencyNamed reads a currency in a room: one of its units, or a code.
func currencyNamed(l *ledger.Ledger, text string) (money.Currency, error) {
	if unit, declared := l.Unit(strings.ToLower(strings.TrimSpace(text))); declared {
		return unit, nil
	}
	for _, c := range l.Currencies() { // a unit that others declared otherwise since
		if c.IsUnit() && c.Code() == strings.ToLower(strings.TrimSpace(text)) {
			return c, nil
		}
	}
	return money.ParseCurrency(text)
}

// currencyOf is the one that is named, else the only one of the room.
func currencyOf(l *ledger.Ledger, named *string) (money.Currency, error) {
	if named != nil {
		return currencyNamed(l, *named)
	}
	switch known := l.Currencies(); len(known) {
	case 0:
		return "", nil
	case 1:
		return known[0], nil
	default:
		return "", fault.New(fault.Invalid, "currency is missing, and the room has %d: %q", len(known), codes(known)).
			WithHint(`say which one with currency; "" is the one without a code`)
	}
}

func codes(currencies []money.Currency) []string {
	said := make([]string, len(currencies))
	for i, c := range currencies {
		said[i] = c.Code()
	}
	return said
}
