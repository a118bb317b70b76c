package sidechannel

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
)

// Policy is what this peer asks of channels, beside what it learns of each. The
// zero value leaves every channel open. The entry channel is always open.
type Policy struct {
	// Owners are the owners of channels. Another owner than the stored one takes
	// its place.
	Owners map[ChannelName]identity.PublicKey
	// Welcomes are stored at the start. One of a channel without owner makes its
	// signer the owner.
	Welcomes []*Welcome
	// NeedWelcome tells which channels stay deaf until their owner's welcome came.
	NeedWelcome Need

	// OwnerWrite lets only owners write, on every channel, and OwnerWriteIn on
	// these. Where no owner is known nobody writes.
	OwnerWrite   bool
	OwnerWriteIn []ChannelName

	// InviteOnly closes channels: the ones in InviteIn and those whose name begins
	// with one of InvitePrefixes, or all when both are empty.
	InviteOnly     bool
	InviteIn       []ChannelName
	InvitePrefixes []string
	// Inviters may invite, in every channel that is closed by InviteOnly or by an
	// invite that this peer accepted. None: whoever made the accepted invite.
	Inviters []identity.PublicKey
	// InviteLife is how long invites made here live; 0 is [DefaultInviteLife].
	InviteLife time.Duration

	Work  Work  // what a frame must have cost its author
	Rates Rates // how much one peer may send

	// Deaf to open_channel requests of others, or joining what they ask for at once.
	NoRemoteOpen bool
	AutoJoin     bool
	// NoRelay receives without passing frames on to other members.
	NoRelay bool
	// MaxFrame bounds the frames that this peer sends; 0 is [MaxFrameBytes], which
	// no frame may exceed.
	MaxFrame int
}

// Need tells when a channel needs its owner's welcome.
type Need int

// The needs. A strict peer hears nothing where no owner is known.
const (
	NeedAuto   Need = iota // where an owner is known
	NeedAlways             // everywhere but on the entry channel, as upstream
	NeedNever
)

// check finds everything that is wrong with a policy. One that could not enforce
// what it says is wrong too: whoever wrote it believes to be protected.
func (p *Policy) check(now time.Time) error {
	var problems []error
	wrong := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	switch {
	case !p.InviteOnly && len(p.InviteIn)+len(p.InvitePrefixes) > 0:
		wrong("channels or prefixes are listed as invite-only, but invites are not required: switch sidechannel-invite-required on")
	case p.InviteOnly && len(p.Inviters) == 0:
		wrong("invites are required, but nobody may invite: name keys, or self, with sidechannel-inviter-keys")
	}
	for _, list := range [][]ChannelName{p.OwnerWriteIn, p.InviteIn} {
		if slices.Contains(list, Entry) {
			wrong("the entry channel %q is open to all and cannot be restricted", Entry)
		}
	}
	if _, owned := p.Owners[Entry]; owned {
		wrong("the entry channel %q has no owner", Entry)
	}
	if slices.ContainsFunc(p.InvitePrefixes, func(prefix string) bool { return strings.HasPrefix(string(Entry), prefix) }) {
		wrong("a prefix of invite-only channels covers the entry channel %q, which is open to all", Entry)
	}
	if p.InviteLife < 0 || p.InviteLife > MaxInviteLife {
		wrong("an invite cannot live %s: 1 second to %d days", p.InviteLife, int(MaxInviteLife/(24*time.Hour)))
	}
	for _, w := range p.Welcomes {
		owner, owned := p.Owners[w.Channel]
		if !owned {
			owner = w.Owner
		}
		if err := w.Verify(w.Channel, owner, now); err != nil {
			problems = append(problems, err)
		}
	}
	if p.MaxFrame < 0 || p.MaxFrame > MaxFrameBytes {
		wrong("frames cannot have up to %d bytes: at most %d", p.MaxFrame, MaxFrameBytes)
	}
	problems = append(problems, p.Work.check()...)
	problems = append(problems, p.Rates.check()...)
	if err := errors.Join(problems...); err != nil {
		text := strings.ReplaceAll(err.Error(), "\n", "; ")
		return fault.New(fault.Invalid, "the sidechannel's policy cannot be: %s", text).WithHint("correct the flags; `intercom help flags` lists them")
	}
	return nil
}

// closes tells whether the policy makes a channel invite-only.
func (p *Policy) closes(name ChannelName) bool {
	if !p.InviteOnly || name == Entry {
		return false
	}
	return len(p.InviteIn)+len(p.InvitePrefixes) == 0 || slices.Contains(p.InviteIn, name) ||
		slices.ContainsFunc(p.InvitePrefixes, func(prefix string) bool { return strings.HasPrefix(string(name), prefix) })
}

func (p *Policy) ownerWrites(name ChannelName) bool {
	return name != Entry && (p.OwnerWrite || slices.Contains(p.OwnerWriteIn, name))
}

func (p *Policy) inviteLife() time.Duration {
	if p.InviteLife == 0 {
		return DefaultInviteLife
	}
	return p.InviteLife
}

func (p *Policy) maxFrame() int {
	if p.MaxFrame == 0 {
		return MaxFrameBytes
	}
	return p.MaxFrame
}
