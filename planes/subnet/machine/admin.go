package machine

import (
	"intercom/core/fault"
	"intercom/core/identity"
)

// admin is who administers the subnet; zero before there is one.
func (v *view) admin() (key identity.PublicKey) {
	v.read("admin", &key)
	return key
}

func (v *view) isAdmin(key identity.PublicKey) bool { return !key.IsZero() && v.admin() == key }

// byAdmin does something that is the admin's alone.
func (s *state) byAdmin(do func()) *fault.Error {
	if refused := s.adminOnly(); refused != nil {
		return refused
	}
	do()
	return nil
}

func (s *state) adminOnly() *fault.Error {
	switch admin := s.admin(); {
	case admin.IsZero():
		return denied("the subnet has no admin").WithHint("its bootstrap peer names one with add_admin")
	case admin != s.author():
		return denied("%s is not the admin", s.author()).WithHint("ask %s", admin)
	}
	return nil
}

func (s *state) addAdmin(b *AddAdmin) *fault.Error {
	switch bootstrap := s.subnet(); {
	case s.author() != bootstrap:
		return denied("only the bootstrap author %s may set the first admin", bootstrap)
	case !s.admin().IsZero():
		return conflict("the admin is %s already", s.admin()).WithHint("the admin names another with update_admin")
	}
	s.let(b.Key)
	s.set("admin", b.Key)
	return nil
}

// let makes somebody whom the subnet needs a writer, unless it is one.
func (s *state) let(key identity.PublicKey) {
	if standing, _ := s.writer(key); standing != writing {
		s.admitWriter(key, identity.PublicKey{})
	}
}

func (s *state) updateAdmin(b *UpdateAdmin) *fault.Error {
	return s.byAdmin(func() {
		if b.Key == s.author() {
			s.delOwn("next")
			return
		}
		s.let(b.Key) // or it could not accept
		s.setOwn(b.Key[:], "next")
	})
}

func (s *state) acceptAdmin() *fault.Error {
	author := s.author()
	if next := s.own("next"); len(next) != len(author) || identity.PublicKey(next) != author {
		return denied("%s was not named as the next admin", author).WithHint("the admin does that with update_admin")
	}
	s.delOwn("next")
	s.set("admin", author)
	return nil
}
