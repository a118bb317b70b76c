package machine

import (
	"encoding/binary"
	"fmt"

	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/contract"
)

// Message is a message as it stands under msg/<n>, with upstream's members.
type Message struct {
	Type        string             `json:"type"`
	Msg         *string            `json:"msg"` // nil when deleted
	Address     identity.PublicKey `json:"address"`
	Attachments []string           `json:"attachments"`
	DeletedBy   *string            `json:"deleted_by"`
	ReplyTo     *uint64            `json:"reply_to"`
	Pinned      bool               `json:"pinned"`
	PinID       *uint64            `json:"pin_id"`
}

// Pin is a pin as it stands under pni/<n>.
type Pin struct {
	Msg    uint64 `json:"msg"`
	Pinned bool   `json:"pinned"`
}

func numbered(prefix string, n uint64) string { return fmt.Sprintf("%s/%d", prefix, n) }

func (m *Machine) post(s *state, b *Post, out *Outcome) *fault.Error {
	if refused := s.mayPost(); refused != nil {
		return refused
	}
	message := Message{Type: "msg", Msg: &b.Text, Address: s.author(), Attachments: append([]string{}, b.Attachments...)}
	if b.ReplyTo != nil {
		n, _, refused := s.message(*b.ReplyTo)
		if refused != nil {
			return refused
		}
		message.ReplyTo = &n
	}
	result := m.run(s, contract.Invocation{
		Way: contract.ByMessage, Caller: s.author(), ID: s.id,
		Message: contract.Message{Text: b.Text, Attachments: message.Attachments, ReplyTo: message.ReplyTo},
	})
	if result.Failure != "" {
		return denied("the contract refuses the message: %s", result.Failure)
	}
	author := s.author().String()
	out.Number = s.next("msgl")
	s.set(numbered("msg", out.Number), message)
	s.set(numbered("umsg/"+author, s.next("umsgl/"+author)), numbered("msg", out.Number))
	s.setOwn(u64(out.Number), "number/", s.id[:])
	s.setOwn(append(u64(uint64(s.entry.TS)), s.id[:]...), "posted/", u64(out.Number))
	return nil
}

func (s *state) mayPost() *fault.Error {
	author := s.author()
	if refused := s.chatOn(); refused != nil || s.isAdmin(author) {
		return refused
	}
	switch {
	case s.is("mtd/"+author.String(), false):
		return denied("%s is muted", author).WithHint("a moderator ends that with mute_status")
	case s.is("wlst", false) && !s.is("wl/"+author.String(), false):
		return denied("%s is not on the whitelist", author).WithHint("the admin adds it with set_whitelist_status")
	}
	return nil
}

// message finds the message that is meant.
func (s *state) message(ref MessageRef) (n uint64, message Message, refused *fault.Error) {
	n = ref.Number
	if ref.Entry != (feed.ID{}) {
		number := s.own("number/", ref.Entry[:])
		if len(number) != 8 {
			return 0, Message{}, fault.New(fault.NotFound, "there is no message of entry %s", ref.Entry)
		}
		n = binary.BigEndian.Uint64(number)
	}
	if !s.read(numbered("msg", n), &message) {
		return 0, Message{}, fault.New(fault.NotFound, "there is no message %d", n)
	}
	return n, message, nil
}

func (s *state) deleteMessage(b *DeleteMessage, out *Outcome) *fault.Error {
	n, message, refused := s.message(b.Message)
	if refused != nil {
		return refused
	}
	author := s.author()
	switch {
	case message.DeletedBy != nil:
		return conflict("message %d is deleted already", n)
	case message.Address == author || s.isAdmin(author):
	case !s.isMod(author):
		return denied("%s is neither its author nor admin or mod", author)
	case s.isAdmin(message.Address):
		return denied("message %d is the admin's, which a mod cannot delete", n)
	}
	by := author.String()
	message.Msg, message.Attachments, message.DeletedBy = nil, []string{}, &by
	s.set(numbered("msg", n), message)
	s.set(numbered("delm", s.next("delml")), n)
	out.Number = n
	return nil
}

// moderator tells whether the author may pin.
func (s *state) moderator() *fault.Error {
	if author := s.author(); !s.isAdmin(author) && !s.isMod(author) {
		return denied("%s is neither admin nor mod", author)
	}
	return nil
}

func (s *state) pinMessage(b *PinMessage, out *Outcome) *fault.Error {
	if refused := s.moderator(); refused != nil {
		return refused
	}
	n, message, refused := s.message(b.Message)
	if refused != nil {
		return refused
	}
	if message.PinID == nil {
		pin := s.next("pnl")
		message.PinID = &pin
	}
	message.Pinned = b.On
	s.set(numbered("pni", *message.PinID), Pin{n, b.On})
	s.set(numbered("msg", n), message)
	out.Number = n
	return nil
}

// unpinMessage ends a pin. The message is touched only if the pin is its own: an
// older pin of a message that was pinned anew is history.
func (s *state) unpinMessage(b *UnpinMessage, out *Outcome) *fault.Error {
	if refused := s.moderator(); refused != nil {
		return refused
	}
	var pin Pin
	if !s.read(numbered("pni", b.Pin), &pin) {
		return fault.New(fault.NotFound, "there is no pin %d", b.Pin)
	}
	_, message, refused := s.message(MessageRef{Number: pin.Msg})
	if refused != nil {
		return refused
	}
	if message.PinID != nil && *message.PinID == b.Pin {
		message.Pinned, message.PinID = false, nil
		s.set(numbered("msg", pin.Msg), message)
	}
	s.set(numbered("pni", b.Pin), Pin{pin.Msg, false})
	out.Number = pin.Msg
	return nil
}
