package subnet

import (
	"context"
	"fmt"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/subnet/machine"
)

func (p *Plane) opSetChatStatus() *op.Op {
	return p.toggle(chatOwner, "set_chat_status", "Turn the subnet's chat on or off", "It is off at first.",
		func(on bool) machine.Body { return &machine.SetChatStatus{On: on} },
		func(on bool) string { return "Set chat_status: " + onOff(on) })
}

func (p *Plane) opEnableWhitelist() *op.Op {
	return p.toggle(chatOwner, "enable_whitelist", "Let only those on the whitelist post, or everybody", "The admin is exempt.",
		func(on bool) machine.Body { return &machine.EnableWhitelist{On: on} },
		func(on bool) string { return fmt.Sprintf("Changed whitelist enabled %t", on) })
}

type postIn struct {
	Message     string   `json:"message" jsonschema:"the text; with the attachments at most 8192 bytes"`
	ReplyTo     *uint64  `json:"reply_to,omitempty" jsonschema:"number of the message that it answers"`
	Attachments []string `json:"attachments,omitempty" jsonschema:"texts that go with it, at most 20, for example links"`
}

type posted struct {
	written
	Number *uint64 `json:"number" jsonschema:"number of the message; null until it is confirmed"`
}

func (p *Plane) opPost() *op.Op {
	return op.New(op.Spec[postIn, posted]{
		Name: "post", Owner: chatOwner, Summary: "Write a message into the subnet's chat",
		Notes:  "It stays for ever, for everybody who knows the subnet: a deleted message is only blanked. The chat has to be on.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Synonyms: map[string][]string{"message": {"msg"}}, Args: []string{"message"},
		Example: `{"message":"hello"}`, Run: p.post, Text: func(out posted) string { return out.text() },
	})
}

func (p *Plane) post(ctx context.Context, in postIn) (posted, error) {
	m, s, err := p.view(ctx)
	switch {
	case err != nil:
		return posted{}, err
	case !s.Chat:
		return posted{}, fault.New(fault.Denied, "Chat is disabled.").WithHint("the admin turns it on with set_chat_status")
	case strings.TrimSpace(in.Message) == "":
		return posted{}, fault.New(fault.Invalid, "Empty message not allowed").WithHint("write a message")
	case len(in.Attachments) > machine.MaxAttachments:
		return posted{}, fault.New(fault.Invalid, "Too many attachments").WithHint("%d, at most %d are taken", len(in.Attachments), machine.MaxAttachments)
	}
	body := &machine.Post{Text: in.Message, Attachments: in.Attachments}
	if in.ReplyTo != nil {
		ref, err := m.message(ctx, *in.ReplyTo)
		if err != nil {
			return posted{}, err
		}
		body.ReplyTo = &ref
	}
	w, err := m.write(ctx, body, "posted")
	out := posted{written: w}
	if err == nil && w.State == confirmed {
		out.Number = m.numberOf(w.Entry)
	}
	return out, err
}

// message names the message that has a number now, so that the words meant stay
// meant wherever they come to stand.
func (m *member) message(ctx context.Context, n uint64) (machine.MessageRef, error) {
	local, err := m.log.Local(ctx)
	if err != nil {
		return machine.MessageRef{}, err
	}
	p, ok, err := machine.MessageAt(local, n)
	if err == nil && !ok {
		err = fault.New(fault.NotFound, "there is no message %d", n).WithHint("chat_read lists them")
	}
	return machine.MessageRef{Entry: p.Entry, Number: n}, err
}

// numberOf finds the newest message's number by its entry, nil when it is not among
// the last ones.
func (m *member) numberOf(entry string) *uint64 {
	state, err := m.log.State()
	if err != nil {
		return nil
	}
	s, err := machine.SettingsOf(state)
	if err != nil {
		return nil
	}
	for n := s.Messages; n > 0 && n+64 > s.Messages; n-- {
		if p, ok, err := machine.MessageAt(state, n-1); err == nil && ok && p.Entry.String() == entry {
			return &p.Number
		}
	}
	return nil
}

type nickIn struct {
	Nick string  `json:"nick" jsonschema:"the name, at most 32 bytes; nobody else has it"`
	User keyText `json:"user,omitempty" jsonschema:"whose, as a key or address: oneself if left out; the admin and mods may name others"`
}

func (p *Plane) opSetNick() *op.Op {
	return op.New(op.Spec[nickIn, written]{
		Name: "set_nick", Owner: chatOwner, Summary: "Take a nick in the chat", Access: op.Write, Args: []string{"nick"},
		Effects: op.Effects{Idempotent: true, OpenWorld: true}, Example: `{"nick":"alice"}`,
		Run: func(ctx context.Context, in nickIn) (written, error) {
			m, err := p.use(ctx)
			if err != nil {
				return written{}, err
			}
			user := m.self
			if in.User != "" {
				if user, err = p.key(in.User, "user"); err != nil {
					return written{}, err
				}
			}
			if user != m.self {
				if m, err = p.moderator(ctx); err != nil {
					return written{}, err
				}
			}
			return m.write(ctx, &machine.SetNick{User: user, Nick: in.Nick}, fmt.Sprintf("Changed nick to %s (%s)", in.Nick, user))
		},
		Text: written.text,
	})
}

// about writes what concerns somebody, in the name of who may say so.
func (p *Plane) about(
	ctx context.Context, who keyText, as func(context.Context) (*member, error), say func(user identity.PublicKey) (machine.Body, string),
) (written, error) {
	user, err := p.key(who, "user")
	if err != nil {
		return written{}, err
	}
	m, err := as(ctx)
	if err != nil {
		return written{}, err
	}
	body, done := say(user)
	return m.write(ctx, body, done)
}

type muteIn struct {
	User  keyText `json:"user" jsonschema:"key or address of whom it is about"`
	Muted op.Flag `json:"muted" jsonschema:"true or 1: it may not post; false or 0: it may again"`
}

func (p *Plane) opMuteStatus() *op.Op {
	return op.New(op.Spec[muteIn, written]{
		Name: "mute_status", Owner: chatOwner, Summary: "Keep somebody from posting, or let it again",
		Access: op.Write, Effects: op.Effects{Idempotent: true, OpenWorld: true}, Args: []string{"user", "muted"},
		Example: `{"user":"` + exampleKey + `","muted":true}`,
		Run: func(ctx context.Context, in muteIn) (written, error) {
			return p.about(ctx, in.User, p.moderator, func(user identity.PublicKey) (machine.Body, string) {
				return &machine.MuteStatus{User: user, On: bool(in.Muted)}, fmt.Sprintf("Changed mute status %s to %t", user, bool(in.Muted))
			})
		},
		Text: written.text,
	})
}

type modIn struct {
	User keyText `json:"user" jsonschema:"key or address of whom it is about"`
	Mod  op.Flag `json:"mod" jsonschema:"true or 1: it is a moderator; false or 0: it is none"`
}

func (p *Plane) opSetMod() *op.Op {
	return op.New(op.Spec[modIn, written]{
		Name: "set_mod", Owner: chatOwner, Summary: "Make somebody a moderator of the chat, or no longer one",
		Access: op.Admin, Effects: op.Effects{Idempotent: true, OpenWorld: true}, Args: []string{"user", "mod"},
		Example: `{"user":"` + exampleKey + `","mod":true}`,
		Run: func(ctx context.Context, in modIn) (written, error) {
			return p.about(ctx, in.User, p.admin, func(user identity.PublicKey) (machine.Body, string) {
				return &machine.SetMod{User: user, On: bool(in.Mod)}, fmt.Sprintf("Changed mod status %s to %t", user, bool(in.Mod))
			})
		},
		Text: written.text,
	})
}

type whitelistIn struct {
	User   keyText `json:"user" jsonschema:"key or address of whom it is about"`
	Status op.Flag `json:"status" jsonschema:"true or 1: it is on the whitelist; false or 0: it is not"`
}

func (p *Plane) opSetWhitelistStatus() *op.Op {
	return op.New(op.Spec[whitelistIn, written]{
		Name: "set_whitelist_status", Owner: chatOwner, Summary: "Put somebody on the chat's whitelist, or take it off",
		Access: op.Admin, Effects: op.Effects{Idempotent: true, OpenWorld: true}, Args: []string{"user", "status"},
		Example: `{"user":"` + exampleKey + `","status":true}`,
		Run: func(ctx context.Context, in whitelistIn) (written, error) {
			return p.about(ctx, in.User, p.admin, func(user identity.PublicKey) (machine.Body, string) {
				return &machine.SetWhitelistStatus{User: user, On: bool(in.Status)}, fmt.Sprintf("Changed whitelist status %s to %t", user, bool(in.Status))
			})
		},
		Text: written.text,
	})
}

type deleteIn struct {
	ID uint64 `json:"id" jsonschema:"number of the message, as chat_read shows it"`
}

func (p *Plane) opDeleteMessage() *op.Op {
	return op.New(op.Spec[deleteIn, written]{
		Name: "delete_message", Owner: chatOwner, Summary: "Blank a message of the chat",
		Notes:  "The admin blanks any, a mod any but the admin's, everybody its own. The words stay in the log.",
		Access: op.Write, Effects: op.Effects{Destructive: true, OpenWorld: true}, Args: []string{"id"}, Example: `{"id":3}`,
		Run: func(ctx context.Context, in deleteIn) (written, error) {
			m, err := p.use(ctx)
			if err != nil {
				return written{}, err
			}
			ref, err := m.message(ctx, in.ID)
			if err != nil {
				return written{}, err
			}
			return m.write(ctx, &machine.DeleteMessage{Message: ref}, fmt.Sprintf("Deleted message %d", in.ID))
		},
		Text: written.text,
	})
}

type pinIn struct {
	ID  uint64   `json:"id" jsonschema:"number of the message"`
	Pin *op.Flag `json:"pin,omitempty" jsonschema:"true or 1, the default: pin it; false or 0: it is no longer pinned"`
}

func (p *Plane) opPinMessage() *op.Op {
	return op.New(op.Spec[pinIn, written]{
		Name: "pin_message", Owner: chatOwner, Summary: "Pin a message of the chat", Access: op.Write,
		Effects: op.Effects{Idempotent: true, OpenWorld: true}, Args: []string{"id", "pin"}, Example: `{"id":3,"pin":true}`,
		Run: func(ctx context.Context, in pinIn) (written, error) {
			m, err := p.moderator(ctx)
			if err != nil {
				return written{}, err
			}
			ref, err := m.message(ctx, in.ID)
			if err != nil {
				return written{}, err
			}
			on := in.Pin == nil || bool(*in.Pin)
			return m.write(ctx, &machine.PinMessage{Message: ref, On: on}, fmt.Sprintf("Pinned message %d: %t", in.ID, on))
		},
		Text: written.text,
	})
}

type unpinIn struct {
	PinID uint64 `json:"pin_id" jsonschema:"number of the pin, as chat_read with pinned shows it"`
}

func (p *Plane) opUnpinMessage() *op.Op {
	return op.New(op.Spec[unpinIn, written]{
		Name: "unpin_message", Owner: chatOwner, Summary: "End a pin of the chat", Access: op.Write,
		Effects: op.Effects{Destructive: true, OpenWorld: true}, Args: []string{"pin_id"}, Example: `{"pin_id":0}`,
		Run: func(ctx context.Context, in unpinIn) (written, error) {
			m, err := p.moderator(ctx)
			if err != nil {
				return written{}, err
			}
			return m.write(ctx, &machine.UnpinMessage{Pin: in.PinID}, fmt.Sprintf("Unpinned message of pin %d", in.PinID))
		},
		Text: written.text,
	})
}
