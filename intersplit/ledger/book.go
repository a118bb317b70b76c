package ledger

import (
	"maps"
	"slices"

	"intercom/intersplit/money"
)

// book holds the running balances of one currency. Currencies are never netted.
type book struct {
	expenses int
	total    money.Sum
	accounts map[Name]*account
}

type account struct {
	balance  money.Sum
	mentions int // expenses in effect that name the member
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

// add counts an expense, or takes it back with sign -1. Taking back leaves
// exactly what was there before, down to who is a member.
func (b *book) add(e *Expense, sign int) {
	b.expenses += sign
	b.total = plus(b.total, e.Amount, sign)
	for _, p := range e.Paid() {
		b.post(p, sign, sign)
	}
	borne, err := e.Borne()
	if err != nil {
		panic("ledger: an expense that was checked cannot be split: " + err.Error())
	}
	for _, p := range borne {
		b.post(p, -sign, sign)
	}
}

func (b *book) post(p Part, sign, mention int) {
	a, known := b.accounts[p.Member]
	if !known {
		a = &account{}
		b.accounts[p.Member] = a
	}
	a.balance = plus(a.balance, p.Amount, sign)
	if a.mentions += mention; a.mentions == 0 {
		delete(b.accounts, p.Member)
	}
}

func plus(s money.Sum, m money.Minor, sign int) money.Sum {
	if sign < 0 {
		return s.Minus(money.SumOf(m))
	}
	return s.Plus(money.SumOf(m))
}

// Currencies lists the currencies of the expenses in effect, sorted.
func (l *Ledger) Currencies() []money.Currency {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(l.books)), func(c money.Currency) bool {
		return l.books[c].expenses == 0
	})
}

// Total is what was spent in a currency; refunds count against it.
func (l *Ledger) Total(c money.Currency) money.Sum {
	if b, known := l.books[c]; known {
		return b.total
	}
	return money.Sum{}
}

// Balances gives the balance of everyone whom an expense in effect names, by
// name. They add up to zero.
func (l *Ledger) Balances(c money.Currency) []Balance {
	b, known := l.books[c]
	if !known {
		return nil
	}
	balances := make([]Balance, 0, len(b.accounts))
	for _, name := range slices.Sorted(maps.Keys(b.accounts)) {
		balances = append(balances, Balance{Member: name, Amount: b.accounts[name].balance})
	}
	return balances
}
