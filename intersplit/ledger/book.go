package ledger

import (
	"maps"
	"slices"
	"strings"

	"intercom/intersplit/money"
)

// book holds the running balances of one currency. Currencies are never netted.
// Members are known by the names in the entries; who is who is for whoever reads.
type book struct {
	subjects int // that are in it
	open     int // of these, the ones that are not closed
	total    money.Sum
	accounts map[Name]*account
}

type account struct {
	balance  money.Sum
	mentions int // of the member in the book's subjects
}

// Balance is what a member is owed, or owes when it is negative.
type Balance struct {
	Member Name
	Amount money.Sum
}

func (l *Ledger) book(c money.Currency) *book {
	b, known := l.books[c]
	if !known {
		b = &book{accounts: map[Name]*account{}}
		l.books[c] = b
	}
	return b
}

// post counts a body, or takes it back with sign -1. Taking back leaves exactly
// what was there before, down to who is a member.
func (l *Ledger) post(body *Body, sign int, closed bool) {
	if body.Kind == KindRule {
		return // it moves nothing
	}
	if !closed {
		l.counting += sign
	}
	seen := make([]*book, 0, 1) // a settlement may be in several
	for posting := range body.postings() {
		b := l.book(posting.Currency)
		if !slices.Contains(seen, b) {
			seen = append(seen, b)
			b.subjects += sign
			if !closed {
				b.open += sign
				b.total = plus(b.total, posting.Spent, sign)
			}
		}
		b.post(posting, sign)
	}
}

// Posting is what an entry moves on one member's account. Spent is the same on
// all of an entry's postings in a currency: what was spent in all.
type Posting struct {
	Currency money.Currency
	Member   Name
	Amount   money.Minor // negative is borne, or received
	Spent    money.Minor
}

// postings gives what a body moves; in each currency it adds up to zero.
func (b *Body) postings() func(yield func(Posting) bool) {
	return func(yield func(Posting) bool) {
		switch {
		case b.Expense != nil:
			booked, err := b.Expense.Booked()
			if err != nil {
				panic("ledger: an expense that was checked cannot be split: " + err.Error())
			}
			p := Posting{Currency: booked.Currency, Spent: booked.Total}
			for _, part := range booked.Paid {
				if p.Member, p.Amount = part.Member, part.Amount; !yield(p) {
					return
				}
			}
			for _, part := range booked.Borne {
				if p.Member, p.Amount = part.Member, -part.Amount; !yield(p) {
					return
				}
			}
		case b.Payment != nil:
			_ = b.Payment.Transfer.post(yield)
		case b.Settlement != nil:
			for _, t := range b.Settlement.Payments {
				if !t.post(yield) {
					return
				}
			}
		}
	}
}

func (t Transfer) post(yield func(Posting) bool) bool {
	return yield(Posting{Currency: t.Currency, Member: t.From, Amount: t.Amount}) &&
		yield(Posting{Currency: t.Currency, Member: t.To, Amount: -t.Amount})
}

func (b *book) post(p Posting, sign int) {
	a, known := b.accounts[p.Member]
	if !known {
		a = &account{}
		b.accounts[p.Member] = a
	}
	a.balance = plus(a.balance, p.Amount, sign)
	if a.mentions += sign; a.mentions == 0 {
		delete(b.accounts, p.Member)
	}
}

func plus(s money.Sum, m money.Minor, sign int) money.Sum {
	if sign < 0 {
		return s.Minus(money.SumOf(m))
	}
	return s.Plus(money.SumOf(m))
}

// Currencies lists the currencies of the entries in effect, sorted.
func (l *Ledger) Currencies() []money.Currency {
	l.refresh()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.books)), func(c money.Currency) bool {
		return l.books[c].subjects == 0
	})
}

// Total is what was spent in a currency since the last close; refunds count
// against it, and payments are no spending.
func (l *Ledger) Total(c money.Currency) money.Sum {
	l.refresh()
	if b, known := l.books[c]; known {
		return b.total
	}
	return money.Sum{}
}

// Balances gives the balance of everyone whom an entry in effect names, by name.
// They add up to zero.
func (l *Ledger) Balances(c money.Currency) []Balance {
	l.refresh()
	b, known := l.books[c]
	if !known {
		return nil
	}
	balances := make([]Balance, 0, len(b.accounts))
	for name, a := range b.accounts {
		balances = append(balances, Balance{Member: l.names.nameOf(name), Amount: a.balance})
	}
	return gather(balances)
}

// gather sorts balances by name and adds up those of one member.
func gather(balances []Balance) []Balance {
	slices.SortFunc(balances, func(a, b Balance) int { return strings.Compare(string(a.Member), string(b.Member)) })
	gathered := balances[:0]
	for _, b := range balances {
		if last := len(gathered) - 1; last >= 0 && gathered[last].Member == b.Member {
			gathered[last].Amount = gathered[last].Amount.Plus(b.Amount)
		} else {
			gathered = append(gathered, b)
		}
	}
	return gathered
}

// InEffect is how many expenses and payments count since the last close.
func (l *Ledger) InEffect() int {
	l.refresh()
	return l.counting
}

// InEffectIn is how many of them are in a currency.
func (l *Ledger) InEffectIn(c money.Currency) int {
	l.refresh()
	if b, known := l.books[c]; known {
		return b.open
	}
	return 0
}
