package sidechannel

import (
	"context"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
)

type rekeyIn struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel; it is joined first if need be"`
}

type rekeyOut struct {
	Channel ChannelName `json:"channel" jsonschema:"name of the channel"`
	Epoch   uint64      `json:"epoch" jsonschema:"number of the new key"`
	Peers   int         `json:"peers" jsonschema:"connected members that are handed the new key; others get it from any member when they meet"`
}

func (p *Plane) opRekey() *op.Op {
	return op.New(op.Spec[rekeyIn, rekeyOut]{
		Name: "sc_rekey", Owner: owner, Summary: "Give an invite-only channel a new key",
		Notes: "Only an inviter of the channel can. Revoking a peer and the passing of seven days do it by themselves. " +
			"Messages under the old key are accepted for another minute.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Synonyms: channelSynonyms, Args: []string{"channel"},
		Example: `{"channel":"crew"}`, Run: p.rekey,
	})
}

// rekeyer is a carriage whose key can be replaced.
type rekeyer interface {
	Rekey(now time.Time) (ok bool, err error)
	Epoch() uint64
}

func (p *Plane) rekey(ctx context.Context, in rekeyIn) (rekeyOut, error) {
	law, err := p.law(in.Channel)
	if err != nil {
		return rekeyOut{}, err
	}
	if law.open() {
		return rekeyOut{}, fault.New(fault.Conflict, "channel %q is open and has no key", in.Channel).WithHint("sc_invite makes a channel invite-only")
	}
	ch, _, err := p.enter(ctx, in.Channel)
	if err != nil {
		return rekeyOut{}, err
	}
	keys, sealed := p.carriageOf(ch).(rekeyer)
	if !sealed {
		return rekeyOut{}, fault.New(fault.Unavailable, "channel %q is not encrypted on this peer", in.Channel)
	}
	members := len(p.members(ch))
	switch ok, err := keys.Rekey(time.Now()); {
	case err != nil:
		return rekeyOut{}, err
	case !ok:
		return rekeyOut{}, fault.New(fault.Denied, "this peer is no inviter of channel %q", in.Channel).WithHint("ask one of its inviters")
	}
	return rekeyOut{Channel: in.Channel, Epoch: keys.Epoch(), Peers: members}, nil
}
