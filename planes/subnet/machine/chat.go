package machine

import (
	"intercom/core/fault"
	"intercom/core/identity"
)

// chat does what people do with the chat and those who write in it.
func (m *Machine) chat(s *state, body Body, out *Outcome) *fault.Error {
	switch b := body.(type) {
	case *SetChatStatus:
		return s.byAdmin(func() { s.set("chat_status", onOff(b.On)) })
	case *SetMod:
		return s.byAdmin(func() { s.set("mod/"+b.User.String(), b.On) })
	case *EnableWhitelist:
		return s.byAdmin(func() { s.set("wlst", b.On) })
	case *SetWhitelistStatus:
		return s.byAdmin(func() { s.set("wl/"+b.User.String(), b.On) })
	case *MuteStatus:
		if refused := s.moderates(b.User); refused != nil {
			return refused
		}
		s.set("mtd/"+b.User.String(), b.On)
		return nil
	case *SetNick:
		return s.setNick(b)
	case *Post:
		return m.post(s, b, out)
	case *DeleteMessage:
		return s.deleteMessage(b, out)
	case *PinMessage:
		return s.pinMessage(b, out)
	case *UnpinMessage:
		return s.unpinMessage(b, out)
	default: // only a first entry is left, and it begins a subnet or nothing
		return conflict("the subnet has begun")
	}
}

func (v *view) isMod(key identity.PublicKey) bool { return v.is("mod/"+key.String(), false) }

// moderates tells whether the author may rule over a user: the admin over everybody, a
// mod over those who are neither mod nor admin.
func (s *state) moderates(user identity.PublicKey) *fault.Error {
	author := s.author()
	switch {
	case s.isAdmin(author):
		return nil
	case !s.isMod(author):
		return denied("%s is neither admin nor mod", author)
	case s.isMod(user) || s.isAdmin(user):
		return denied("%s is a mod or the admin, over whom only the admin rules", user)
	}
	return nil
}

func (s *state) chatOn() *fault.Error {
	if !s.on("chat_status") {
		return denied("the chat is off").WithHint("the admin turns it on with set_chat_status")
	}
	return nil
}

func (s *state) setNick(b *SetNick) *fault.Error {
	if refused := s.chatOn(); refused != nil {
		return refused
	}
	if b.User != s.author() {
		if refused := s.moderates(b.User); refused != nil {
			return refused
		}
	}
	var owner, old string
	if s.read("kcin/"+b.Nick, &owner) {
		return conflict("the nick %+q is taken by %s", b.Nick, owner).WithHint("choose another one")
	}
	if s.read("nick/"+b.User.String(), &old) {
		s.del("kcin/" + old)
	}
	s.set("nick/"+b.User.String(), b.Nick)
	s.set("kcin/"+b.Nick, b.User)
	return nil
}
