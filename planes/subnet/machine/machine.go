package machine

import (
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// A Machine carries entries out. It holds no state but a memory of proofs that it
// verified; it may be used from any goroutine.
type Machine struct {
	subnet   identity.PublicKey
	contract *contract.Contract
	port     Port
	memory   memory
}

// New makes the machine of the subnet with that bootstrap key. The port is needed
// where transactions are settled, and may be nil elsewhere.
func New(subnet identity.PublicKey, c *contract.Contract, port Port) *Machine {
	return &Machine{subnet: subnet, contract: c, port: port}
}

// An Outcome is what came of an entry.
type Outcome struct {
	Entry   feed.ID
	Author  identity.PublicKey
	TS      int64
	Kind    Kind
	Refused *fault.Error // why nothing changed; nil when it was carried out
	Number  uint64       // of the message or pin that the entry is about
	Tx      *Transaction // that was carried out, well or not
	Changed []string     // names whose values changed, in the order of their change
}

// codeFailed is the code of a transaction that the contract refused.
const codeFailed = 64

// Code is the outcome as a number that all peers agree on: 0 is done, 1 to 9 are
// the kinds of faults in their order, 64 is a transaction that the contract refused.
func (o Outcome) Code() uint32 {
	if o.Refused != nil {
		for i, kind := range fault.Kinds {
			if kind == o.Refused.Kind {
				return uint32(i + 1)
			}
		}
	}
	if o.Tx != nil && o.Tx.Failure() != "" {
		return codeFailed
	}
	return 0
}

// Check tells whether an entry has the form of one of this subnet, read from the
// entry alone: nil or a [fault.Invalid].
func (m *Machine) Check(e *feed.Entry) error {
	_, err := m.form(e)
	return err
}

func (m *Machine) form(e *feed.Entry) (Body, error) {
	if e.Feed != FeedOf(m.subnet) {
		return nil, fault.New(fault.Invalid, "the entry is of feed %s, not of subnet %s", e.Feed, m.subnet).
			WithHint("send it to its own subnet")
	}
	b, err := Decode(e.Body)
	if err != nil {
		return nil, err
	}
	if (b.Kind() == KindFirst) != (len(e.Parents) == 0) {
		return nil, fault.New(fault.Invalid, "%s has %d parents", b.Kind(), len(e.Parents)).
			WithHint("the first entry has none, and every other has some")
	}
	if b.Kind() == KindFirst && e.Author != m.subnet {
		return nil, fault.New(fault.Invalid, "the first entry is by %s, not by the bootstrap key %s", e.Author, m.subnet).
			WithHint("look for the right subnet")
	}
	return b, nil
}

// Admit tells whether an entry may stand in a block on that state: nil, a
// [fault.Invalid] when its form is wrong, or a [fault.Denied] when its author never
// was a writer. What a state admits, every later one does: whoever lost the right
// to write is admitted and refused by [Machine.Apply], so that nobody who built on
// what it wrote is stuck.
func (m *Machine) Admit(from contract.Source, e *feed.Entry) error {
	if err := m.Check(e); err != nil {
		return err
	}
	v := view{from: from}
	_, known := v.writer(e.Author)
	switch {
	case v.err != nil:
		return v.err
	case !known:
		return fault.New(fault.Denied, "%s is not a writer of this subnet", e.Author).
			WithHint("the admin adds one with add_writer, or allows to join with set_auto_add_writers")
	}
	return nil
}

// Apply carries an entry out in a block of that height. The error is one of the
// storage, or of [Machine.Suits]: the changes are to be dropped, and the peer must not
// go on.
func (m *Machine) Apply(on contract.Storage, e *feed.Entry, height uint64) (Outcome, error) {
	s := open(on, e, height)
	out := Outcome{Entry: s.id, Author: e.Author, TS: e.TS}
	out.Refused = m.carry(s, &out)
	if s.err == nil && out.Refused != nil {
		s = open(on, e, height)
		out = Outcome{Entry: s.id, Author: e.Author, TS: e.TS, Kind: out.Kind, Refused: out.Refused}
		s.note(out)
	}
	if s.err != nil {
		return Outcome{}, s.err
	}
	s.draft.Keep(on)
	for _, leaf := range s.draft.Changed() {
		if name, ok := contract.NameOf(leaf); ok {
			out.Changed = append(out.Changed, name)
		}
	}
	return out, nil
}

// carry does what an entry says, or tells why not. A panic is a bug of ours; the
// entry is refused, and the peer goes on as all the others do.
func (m *Machine) carry(s *state, out *Outcome) (refused *fault.Error) {
	defer func() {
		if bug := recover(); bug != nil {
			refused = fault.New(fault.Internal, "the machine failed").WithHint("report it with the entry's id: %v", bug)
		}
	}()
	b, err := m.form(s.entry)
	if err != nil {
		return fault.Of(err)
	}
	out.Kind = b.Kind()
	if s.own("settlement") != nil && m.port == nil {
		s.err = m.Suits(s.from) // going on would come to another state than the others'
		return nil
	}
	if standing, _ := s.writer(s.author()); standing != writing {
		return denied("%s may not write", s.author()).WithHint("ask the admin for add_writer")
	}
	return m.do(s, b, out)
}

func denied(format string, args ...any) *fault.Error {
	return fault.New(fault.Denied, format, args...)
}

func conflict(format string, args ...any) *fault.Error {
	return fault.New(fault.Conflict, format, args...)
}

func (m *Machine) do(s *state, body Body, out *Outcome) *fault.Error {
	switch b := body.(type) {
	case *Chunk:
		return s.chunk(b)
	case *AddAdmin:
		return s.addAdmin(b)
	case *UpdateAdmin:
		return s.updateAdmin(b)
	case *AcceptAdmin:
		return s.acceptAdmin()
	case *AddWriter:
		return s.addWriter(b)
	case *RemoveWriter:
		return s.removeWriter(b)
	case *AddIndexer:
		return s.addIndexer(b)
	case *RemoveIndexer:
		return s.removeIndexer(b)
	case *SetAutoAddWriters:
		return s.byAdmin(func() { s.set("auto_add_writers", onOff(b.On)) })
	case *Join:
		return s.join(b)
	case *EnableTransactions:
		return s.byAdmin(func() { s.set("txen", b.On) })
	case *Feature:
		return m.feature(s, b)
	case *Command:
		return m.command(s, b, out)
	case *Settled:
		return m.settled(s, b, out)
	case *MsbSet:
		return m.msbSet(s, b)
	default:
		return m.chat(s, body, out)
	}
}
