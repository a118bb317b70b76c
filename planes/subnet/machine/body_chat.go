package machine

import (
	"intercom/core/feed"
	"intercom/core/identity"
)

// Limits of the chat (upstream 3.5), in bytes and items.
const (
	MaxMessage     = 8192 // of text and attachments together
	MaxAttachments = 20
	MaxNick        = 32
)

type (
	// A MessageRef names a message: by the entry that wrote it, which is the same
	// message wherever it comes to stand, or, when Entry is zero, by the number it
	// has when the entry that refers to it is applied.
	MessageRef struct {
		Entry  feed.ID
		Number uint64
	}
	// Post writes a message.
	Post struct {
		Text        string
		Attachments []string
		ReplyTo     *MessageRef // nil for none
	}
	// SetNick gives a key a name that nobody else has: one's own, or, for the admin
	// and mods, another's.
	SetNick struct {
		User identity.PublicKey
		Nick string
	}
	// MuteStatus keeps a key from posting, or lets it again.
	MuteStatus struct {
		User identity.PublicKey
		On   bool
	}
	// SetMod makes a key a moderator, or no longer one.
	SetMod struct {
		User identity.PublicKey
		On   bool
	}
	// SetWhitelistStatus puts a key on the whitelist, or takes it off.
	SetWhitelistStatus struct {
		User identity.PublicKey
		On   bool
	}
	// EnableWhitelist says whether only those on the whitelist may post.
	EnableWhitelist struct{ On bool }
	// SetChatStatus turns the chat on or off.
	SetChatStatus struct{ On bool }
	// DeleteMessage blanks a message.
	DeleteMessage struct{ Message MessageRef }
	// PinMessage pins a message, or says that it no longer is.
	PinMessage struct {
		Message MessageRef
		On      bool
	}
	// UnpinMessage ends a pin, by the pin's number.
	UnpinMessage struct{ Pin uint64 }
)

func (*Post) Kind() Kind               { return KindPost }
func (*SetNick) Kind() Kind            { return KindSetNick }
func (*MuteStatus) Kind() Kind         { return KindMuteStatus }
func (*SetMod) Kind() Kind             { return KindSetMod }
func (*SetWhitelistStatus) Kind() Kind { return KindSetWhitelistStatus }
func (*EnableWhitelist) Kind() Kind    { return KindEnableWhitelist }
func (*SetChatStatus) Kind() Kind      { return KindSetChatStatus }
func (*DeleteMessage) Kind() Kind      { return KindDeleteMessage }
func (*PinMessage) Kind() Kind         { return KindPinMessage }
func (*UnpinMessage) Kind() Kind       { return KindUnpinMessage }

func (b *Post) code(c *coder) {
	c.text("text", &b.Text, 1, MaxMessage)
	c.count("attachments", len(b.Attachments), MaxAttachments, func(n int) { b.Attachments = make([]string, n) })
	size := len(b.Text)
	for i := range b.Attachments {
		if c.err != nil {
			return
		}
		c.text("attachment", &b.Attachments[i], 0, MaxMessage)
		size += len(b.Attachments[i])
	}
	if c.err == nil && size > MaxMessage {
		c.wrong("text and attachments have %d bytes, more than %d", size, MaxMessage)
	}
	answers := b.ReplyTo != nil
	if c.flag("reply", &answers); !answers || c.err != nil {
		return
	}
	if c.reading {
		b.ReplyTo = new(MessageRef)
	}
	b.ReplyTo.code(c)
}

func (r *MessageRef) code(c *coder) {
	c.fixed("entry", r.Entry[:])
	c.number("number", &r.Number)
	if c.err == nil && r.Entry != (feed.ID{}) && r.Number != 0 {
		c.wrong("a message is named by its entry or by its number, not by both")
	}
}

func (b *SetNick) code(c *coder) {
	c.key("user", &b.User)
	c.text("nick", &b.Nick, 1, MaxNick)
	for _, r := range b.Nick {
		if c.err == nil && (r < ' ' || r == 0x7f) {
			c.wrong("a nick has no control characters")
		}
	}
}

func codeUser(c *coder, user *identity.PublicKey, on *bool) {
	c.key("user", user)
	c.flag("on", on)
}

func (b *MuteStatus) code(c *coder)         { codeUser(c, &b.User, &b.On) }
func (b *SetMod) code(c *coder)             { codeUser(c, &b.User, &b.On) }
func (b *SetWhitelistStatus) code(c *coder) { codeUser(c, &b.User, &b.On) }
func (b *EnableWhitelist) code(c *coder)    { c.flag("on", &b.On) }
func (b *SetChatStatus) code(c *coder)      { c.flag("on", &b.On) }
func (b *DeleteMessage) code(c *coder)      { b.Message.code(c) }
func (b *UnpinMessage) code(c *coder)       { c.number("pin", &b.Pin) }
func (b *PinMessage) code(c *coder) {
	b.Message.code(c)
	c.flag("on", &b.On)
}
