package ledger

import (
	"intercom/core/fault"
	"intercom/intersplit/money"
)

// MaxBody is the most bytes an entry's body has; the feed holds the same limit.
const MaxBody = 16 << 10

// Kind is what an entry does.
type Kind string

// The kinds of entries. What a body of a kind may hold is closed: see [Decode].
const (
	KindExpense    Kind = "expense"
	KindPayment    Kind = "payment"
	KindSettlement Kind = "settlement" // several payments, booked and undone as one
	KindEdit       Kind = "edit"
	KindDelete     Kind = "delete"
	KindUndelete   Kind = "undelete"
	KindUndo       Kind = "undo"
	KindClear      Kind = "clear"
	KindClose      Kind = "close" // what came before counts in balances only
	KindRename     Kind = "rename"
	KindMerge      Kind = "merge"
	KindLeave      Kind = "leave"
	KindUnit       Kind = "unit"
	KindRule       Kind = "rule" // an expense that comes again and again
	// KindUnsupported is what another version wrote, or no ledger did. It is kept
	// and shown, and counts nowhere.
	KindUnsupported Kind = "unsupported"
)

// Body is what one entry says: of the pointers, the one of its kind is set.
type Body struct {
	Kind       Kind
	Expense    *Expense
	Payment    *Payment
	Settlement *Settlement
	Edit       *Edit
	Mark       *Mark  // delete, undelete, undo
	Alias      *Alias // rename, merge
	Rule       *Rule
	Member     Name           // of a leave
	Unit       money.Currency // of a unit
	Key        string         // idempotency key of its author; an expense and a payment carry their own
	Reason     string         // of an unsupported body: why it does not count
}

// NewExpense checks an expense that a caller described and makes it canonical:
// names folded, repeats in the split removed, texts trimmed.
func NewExpense(e Expense) (Body, error) {
	tidy, err := e.tidy()
	if err != nil {
		return Body{}, err
	}
	return Body{Kind: KindExpense, Expense: tidy}, nil
}

// NewClear makes the body that empties a room.
func NewClear(key string) (Body, error) { return plain(KindClear, key) }

// NewClose makes the body that ends a period: what its author knows goes out of
// totals and lists, and stays in the balances.
func NewClose(key string) (Body, error) { return plain(KindClose, key) }

func plain(kind Kind, key string) (Body, error) {
	if err := CheckKey(key); err != nil {
		return Body{}, err
	}
	return Body{Kind: kind, Key: key}, nil
}

// NewLeave makes the body that says that a member has left.
func NewLeave(member, key string) (Body, error) {
	name, err := ParseName(member)
	if err != nil {
		return Body{}, err
	}
	body, err := plain(KindLeave, key)
	body.Member = name
	return body, err
}

// NewUnit makes the body that declares a unit of the room: see [money.Unit].
func NewUnit(name string, decimals int, key string) (Body, error) {
	unit, err := money.Unit(name, decimals)
	if err != nil {
		return Body{}, err
	}
	body, err := plain(KindUnit, key)
	body.Unit = unit
	return body, err
}

// IdempotencyKey is the key its author gave it, or "".
func (b *Body) IdempotencyKey() string {
	switch {
	case b.Expense != nil:
		return b.Expense.Key
	case b.Payment != nil:
		return b.Payment.Key
	}
	return b.Key
}

// Source is the import id, which belongs to the room: equal ones count once.
func (b *Body) Source() string {
	switch {
	case b.Expense != nil:
		return b.Expense.Source
	case b.Payment != nil:
		return b.Payment.Source
	case b.Settlement != nil:
		return b.Settlement.Source
	}
	return ""
}

// Target is the entry that a body names, if it names one.
func (b *Body) Target() (target ID, names bool) {
	switch {
	case b.Edit != nil:
		return b.Edit.Target, true
	case b.Mark != nil:
		return b.Mark.Target, true
	}
	return ID{}, false
}

// after is the entries that a body says its author knew.
func (b *Body) after() []ID {
	switch {
	case b.Edit != nil:
		return b.Edit.After
	case b.Mark != nil:
		return b.Mark.After
	case b.Alias != nil:
		return b.Alias.After
	}
	return nil
}

// Subject says whether an entry of this kind is listed, and can be edited or
// deleted.
func (k Kind) Subject() bool {
	return k == KindExpense || k == KindPayment || k == KindSettlement || k == KindRule
}

// Undoable says whether an undo may name an entry of this kind.
func (k Kind) Undoable() bool { return k == KindExpense || reader(k) != nil }

// Revises says whether an entry of this kind changes one that is listed.
func (k Kind) Revises() bool { return k == KindEdit || k == KindDelete || k == KindUndelete }

func unknownMode(mode Mode) error {
	return fault.New(fault.Invalid, "mode %q is not known", clip(string(mode))).WithHint("use equal, exact, shares or percent")
}
