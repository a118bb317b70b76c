package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// CommandHash is what a settlement names a command by: subnet, function and value,
// the whole of what will be done (in canonical JSON, so that there is one text of it).
func CommandHash(subnet identity.PublicKey, function string, value []byte) [sha256.Size]byte {
	return sha256.Sum256(canon.Preimage("intercom/subnet/command/v1", subnet[:], []byte(function), value))
}

// Transaction is the record of one that was carried out, as it stands under txi/<n>,
// with upstream's members.
type Transaction struct {
	Val       contract.Dispatch  `json:"val"`
	Err       any                `json:"err"` // nil, a text, or the number that the text begins with
	Tx        string             `json:"tx"`
	Requester identity.PublicKey `json:"ipk"`
	Validator *string            `json:"wp"` // who settled it; nil when nobody did, or it is not known

	result json.RawMessage
}

// Failure is why the contract refused it, "" if it did not.
func (t *Transaction) Failure() string {
	switch e := t.Err.(type) {
	case nil:
		return ""
	case string:
		return e
	case int64:
		return strconv.FormatInt(e, 10)
	case float64: // as it is read back
		return strconv.FormatFloat(e, 'f', -1, 64)
	}
	return "Error"
}

// Result is what the function returned when it was carried out here; it is no part
// of the state.
func (t *Transaction) Result() json.RawMessage { return t.result }

// execute runs a transaction and records what came of it, well or not.
func (m *Machine) execute(s *state, inv contract.Invocation, out *Outcome) {
	result := m.run(s, inv)
	t := &Transaction{
		Val: contract.Dispatch{Type: inv.Name, Value: inv.Value}, Err: errorOf(result.Failure),
		Tx: hex.EncodeToString(inv.ID[:]), Requester: inv.Caller, result: result.Value,
	}
	if !inv.Validator.IsZero() {
		by := inv.Validator.String()
		t.Validator = &by
	}
	who := inv.Caller.String()
	n := s.next("txl")
	s.set(numbered("txi", n), t)
	s.set("tx/"+t.Tx, n)
	s.set(numbered("utxi/"+who, s.next("utxl/"+who)), n)
	out.Tx = t
}

// run calls the contract on the state of the entry.
func (m *Machine) run(s *state, inv contract.Invocation) contract.Result {
	inv.TS = s.entry.TS
	result, err := m.contract.Run(s.draft, inv)
	if err != nil && s.err == nil {
		s.err = err
	}
	return result
}

// errorOf is a failure as upstream records it: the number that it begins with, if
// there is one (upstream 3.7).
func errorOf(failure string) any {
	if failure == "" {
		return nil
	}
	text := strings.TrimLeft(failure, " ")
	end := strings.IndexFunc(text[min(1, len(text)):], func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		text = text[:end+1]
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > -1<<53 && n < 1<<53 {
		return n
	}
	return failure
}

func (s *state) transactionsOn() *fault.Error {
	if !s.is("txen", true) {
		return denied("transactions are off").WithHint("the admin turns them on with enable_transactions")
	}
	return nil
}

// command keeps what is to be settled, or, in a subnet that settles nothing, does
// it.
func (m *Machine) command(s *state, b *Command, out *Outcome) *fault.Error {
	if refused := s.transactionsOn(); refused != nil {
		return refused
	}
	if s.own("settlement") != nil {
		s.keep(b)
		return nil
	}
	if b.Requester != s.author() {
		return denied("the command is for %s, and nothing is settled here: it runs for its author", b.Requester)
	}
	m.execute(s, contract.Invocation{
		Way: contract.ByTransaction, Name: b.Type, Value: b.Value, Caller: b.Requester, ID: s.id,
	}, out)
	return nil
}

// CommandsKept is how many commands of one author wait to be settled. One more
// takes the place of the oldest, which whoever paid for it appends again.
const CommandsKept = 256

// keep remembers a command until it is settled.
func (s *state) keep(b *Command) {
	author := s.author()
	n := s.count("queue/", author[:])
	slot := []byte{byte(n % CommandsKept)}
	if old := s.own("queue/", author[:], slot); old != nil {
		s.delOwn("command/", old)
	}
	s.setOwn(s.entry.Body, "command/", s.id[:])
	s.setOwn(s.id[:], "queue/", author[:], slot)
	s.setOwn(u64(n+1), "queue/", author[:])
}

// Commands lists the commands of an author that wait to be settled, the newest
// first: what can still be finished after a crash.
func Commands(from contract.Source, author identity.PublicKey) (ids []feed.ID, err error) {
	v := view{from: from}
	total := v.count("queue/", author[:])
	for n := total; n > 0 && total-n < CommandsKept; n-- {
		if id := v.own("queue/", author[:], []byte{byte((n - 1) % CommandsKept)}); v.own("command/", id) != nil {
			ids = append(ids, feed.ID(id))
		}
	}
	return ids, v.err
}

// CommandIn gives a command that waits to be settled.
func CommandIn(from contract.Source, id feed.ID) (*Command, bool, error) {
	v := view{from: from}
	c, ok := v.command(id)
	return c, ok, v.err
}

func (v *view) command(id feed.ID) (*Command, bool) {
	body, err := Decode(v.own("command/", id[:]))
	c, ok := body.(*Command)
	return c, err == nil && ok
}
