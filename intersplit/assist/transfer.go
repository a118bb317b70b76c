package assist

import (
	"fmt"
)

// transferTo reads "alice paid bob [back] 25".
func (x *expense) transferTo(from string, back bool) error {
	if x.word("for") || !x.peek().name() {
		return x.unknown()
	}
	begin := x.at
	to, err := x.nameHere()
	if err != nil {
		return err
	}
	said := x.between(x.list[begin:x.at])
	back = x.skip("back") || back
	if !x.more() || !x.peek().numeric() {
		return x.unknown()
	}
	amount, err := x.amountHere()
	if err != nil {
		return err
	}
	if !back && (!x.knows(to) || x.word("for")) {
		return question(fmt.Sprintf("did %s pay back %q, or is that what was bought?", from, said),
			fmt.Sprintf("%s paid %s back %s", from, said, amount), fmt.Sprintf("%s paid %s for %s", from, amount, said))
	}
	return x.payment(from, to, amount)
}

// transfer reads what follows "alice paid 25".
func (x *expense) transfer(from, amount string) error {
	if !x.skip("to") {
		return question(fmt.Sprintf("whom did %s pay back?", from), fmt.Sprintf("%s paid bob back %s", from, amount))
	}
	to, err := x.nameHere()
	if err != nil {
		return err
	}
	return x.payment(from, to, amount)
}

func (x *expense) payment(from, to, amount string) error {
	x.draft.Operation = "expense_pay"
	x.set("from", from)
	x.set("to", to)
	x.set("amount", amount)
	if from == to {
		return question(fmt.Sprintf("%s pays %s: who was paid?", from, to))
	}
	if err := x.checkCurrency(amount); err != nil {
		return err
	}
	if err := x.details(); err != nil {
		return err
	}
	if x.note != "" {
		x.set("note", x.note)
	}
	return nil
}
