package assist

import (
	"strings"

	"intercom/core/fault"
)

// phrases are the sentences that need no more than themselves.
var phrases = map[string]string{
	"balance": "expense_balance", "balances": "expense_balance", "show balance": "expense_balance",
	"who owes what": "expense_balance", "who owes whom": "expense_balance", "who owes": "expense_balance",
	"who pays whom": "expense_balance", "plan": "expense_balance",
	"list": "expense_list", "show list": "expense_list", "list expenses": "expense_list",
	"stats": "expense_stats", "undo": "expense_undo", "undo last": "expense_undo", "undo that": "expense_undo",
	"clear": "expense_clear", "persist": "expense_persist", "restore": "expense_restore",
	"settle": "expense_settle", "settle up": "expense_settle",
	"export": "expense_export",
}

// command reads the sentences that are no entry.
func (s *sentence) command() (done bool, err error) {
	said := make([]string, 0, len(s.list))
	for _, t := range s.list {
		if t.quoted || len(said) > 8 {
			return s.why(), s.whyOf()
		}
		said = append(said, strings.TrimRight(t.word, "?!."))
	}
	line := strings.TrimSpace(strings.Join(said, " "))
	if line == "" {
		return true, fault.New(fault.Invalid, "the sentence is empty").WithHint("say it like: %s", Examples[0])
	}
	if operation, known := phrases[line]; known {
		s.draft.Operation = operation
		return true, nil
	}
	switch {
	case line == "delete last" || line == "remove last" || line == "delete the last" || line == "delete last entry":
		return true, s.deleteLast()
	case len(said) >= 2 && said[0] == "export":
		return true, s.export(said[1:])
	case len(said) == 2 && (said[0] == "balance" || said[0] == "settle"):
		return s.inCurrency("expense_"+said[0], s.list[1])
	}
	return s.why(), s.whyOf()
}

func (s *sentence) inCurrency(operation string, t token) (done bool, err error) {
	c, known, err := s.currencyOf(t, true)
	if err != nil || !known {
		return err != nil, err
	}
	s.draft.Operation = operation
	s.set("currency", c)
	return true, nil
}

func (s *sentence) deleteLast() error {
	s.draft.Operation = "expense_delete"
	if s.room.Last == nil {
		return fault.New(fault.NotFound, "there is nothing to delete").WithHint("expense_list shows the entries")
	}
	s.set("id", s.room.Last.ID)
	return nil
}

func (s *sentence) export(said []string) error {
	s.draft.Operation = "expense_export"
	if said[0] == "as" {
		said = said[1:]
	}
	if len(said) != 1 {
		return question("which format?", "export text", "export json", "export csv", "export csv-entries", "export hledger", "export beancount", "export markdown")
	}
	s.set("format", said[0])
	return nil
}

// why says whether the sentence asks for the reasons of a balance: "why does bob
// owe", "why is bob owed", "explain bob".
func (s *sentence) why() bool {
	return len(s.list) > 1 && (s.list[0].word == "why" || s.list[0].word == "explain") && !s.list[0].quoted
}

func (s *sentence) whyOf() error {
	if !s.why() {
		return nil
	}
	s.draft.Operation = "expense_explain"
	s.at = 1
	s.skip("does", "do", "is", "did", "must")
	begin := s.at
	for s.more() && (s.peek().quoted || !strings.Contains(" owe owes owed get gets pay pays paid receive receives ", " "+strings.TrimRight(s.peek().word, "?!.")+" ")) {
		s.at++
	}
	if begin == s.at {
		return question("whose balance?", "why does bob owe")
	}
	list := append([]token(nil), s.list[begin:s.at]...)
	if last := &list[len(list)-1]; !last.quoted {
		last.text = strings.TrimRight(last.text, "?!.")
	}
	name, err := s.member(list)
	if err != nil {
		return err
	}
	s.draft.New = nil
	if !s.knows(name) {
		return fault.New(fault.NotFound, "%q is not in this room", name).WithHint("expense_balance shows who is")
	}
	s.set("member", name)
	return nil
}
