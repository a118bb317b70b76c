package peer

import (
	"context"
	"encoding/json"
	"path/filepath"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/core/p2p"
	"intercom/intersplit"
	"intercom/planes/msb"
	"intercom/planes/sidechannel"
	"intercom/planes/subnet"
)

// newRooms plugs the ledgers into the channels and the network.
func (p *Peer) newRooms(feeds *feed.Feeds, hub *event.Hub) *intersplit.Rooms {
	return intersplit.New(intersplit.Deps{
		Feeds: feeds, Space: p.store.Space("intersplit"), Signer: p.id,
		Channels: channels{p.plane}, Streams: streams{p.host}, Hub: hub, Contract: persisted{p.subnet},
	}, intersplit.Config{Log: p.log, SnapshotFile: filepath.Join(p.cfg.Store(), "expense-split.snapshots.json")})
}

// Declared lists the operations of a peer without one: the declarations need no
// state, only their functions do.
func Declared() []op.Info {
	p := &Peer{plane: &sidechannel.Plane{}, rooms: &intersplit.Rooms{}, msb: msb.New(msb.Config{}), subnet: subnet.New(subnet.Config{Contract: newContract()})}
	r := op.NewRegistry(nil, nil)
	p.declare(r)
	return r.Ops()
}

// declare adds the operations of all parts, in the order of the documents.
func (p *Peer) declare(r *op.Registry) {
	r.Add(p.nodeOps()...)
	r.Add(r.Builtins()...)
	r.Add(p.plane.Ops()...)
	r.Add(p.msb.Ops()...)
	r.Add(p.subnet.Ops()...)
	r.Add(p.rooms.Ops()...)
}

// channels is the sidechannel as the ledger sees it.
type channels struct{ plane *sidechannel.Plane }

func (c channels) Name(text string) (string, error) {
	name, err := sidechannel.ParseChannelName(text)
	return string(name), err
}

func (c channels) Join(ctx context.Context, channel string) (bool, error) {
	return c.plane.Join(ctx, sidechannel.ChannelName(channel))
}

func (c channels) Joined() []string { return c.plane.Joined() }

func (c channels) Members(channel string) []identity.PublicKey { return c.plane.Members(channel) }

func (c channels) May(channel string, peer identity.PublicKey, access intersplit.Access) bool {
	right := sidechannel.Read
	if access == intersplit.Write {
		right = sidechannel.Write
	}
	return c.plane.May(channel, peer, right)
}

// Policy tells whose entries count: what the channel holds to be its law.
func (c channels) Policy(channel string) intersplit.Policy {
	law := c.plane.Law(sidechannel.ChannelName(channel))
	return intersplit.Policy{
		Owner: law.Writer, InviteOnly: law.InviteOnly, Inviters: law.Inviters, Own: law.Own, Revoked: law.Revoked,
	}
}

// Invite reads an invite at the time of its issue, so that the answer never
// changes: whether it is live is the ledger's to judge, entry by entry.
func (c channels) Invite(channel string, raw []byte) (intersplit.Invite, error) {
	v, err := sidechannel.ParseInvite(raw)
	if err == nil {
		err = v.Verify(sidechannel.ChannelName(channel), v.Invitee, time.UnixMilli(v.IssuedAt))
	}
	if err != nil {
		return intersplit.Invite{}, fault.New(fault.Invalid, "%v", err).WithHint("ask an inviter of the channel for a new one")
	}
	return intersplit.Invite{Inviter: v.Inviter, Invitee: v.Invitee, From: v.IssuedAt, Until: v.ExpireAt}, nil
}

// Send waits neither for a proof of work nor for the pace of this peer: what the
// ledger announces, members can fetch.
func (c channels) Send(ctx context.Context, channel string, message json.RawMessage) (string, int, error) {
	return c.plane.Post(ctx, sidechannel.ChannelName(channel), message)
}

func (c channels) Listen(app string, f func(intersplit.Message)) {
	c.plane.Listen(app, func(m sidechannel.Message) {
		f(intersplit.Message{Channel: m.Channel, From: m.From, Message: m.Message})
	})
}

// streams is the network as the ledger sees it.
type streams struct{ host *p2p.Host }

func (s streams) Handle(protocol string, f func(context.Context, identity.PublicKey, intersplit.Stream)) {
	s.host.Handle(protocol, func(ctx context.Context, remote identity.PublicKey, stream p2p.Stream) { f(ctx, remote, stream) })
}

func (s streams) Open(ctx context.Context, peer identity.PublicKey, protocol string) (intersplit.Stream, error) {
	stream, err := s.host.Open(ctx, peer, protocol)
	if err != nil {
		return nil, err // and no Stream that holds a nil pointer
	}
	return stream, nil
}
