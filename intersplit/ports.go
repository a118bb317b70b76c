package intersplit

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"intercom/core/identity"
)

// Channels is what a ledger needs of the channels it lives in. Their policy is
// theirs: who may join, write and read.
type Channels interface {
	// Name gives the one spelling of a channel's name, or says what is wrong.
	Name(text string) (string, error)
	// Join makes sure that this peer is in the channel; joined tells that it was
	// not before.
	Join(ctx context.Context, channel string) (joined bool, err error)
	// Joined lists the channels that this peer is in.
	Joined() []string
	// Members lists the connected peers in a channel, this one left out.
	Members(channel string) []identity.PublicKey
	// May tells whether a peer may do this in a channel. It is false for a channel
	// that this peer is not in.
	May(channel string, peer identity.PublicKey, access Access) bool
	// Policy says whose entries count in a channel's ledger. It is asked often and
	// answers at once.
	Policy(channel string) Policy
	// Invite reads an invite to a channel and says what it grants, or what is wrong
	// with it. It checks form and signature, and neither its life nor whether its
	// inviter is one of the channel: its answer never changes.
	Invite(channel string, raw []byte) (Invite, error)
	// Send hands a message to the members who are connected and says to how many.
	Send(ctx context.Context, channel string, message json.RawMessage) (id string, peers int, err error)
	// Listen hands messages of an application to f, which is quick.
	Listen(app string, f func(Message))
}

// Access is what a peer may do in a channel.
type Access int

// The rights in a channel.
const (
	Read Access = iota + 1
	Write
)

// Policy says whose entries count. The zero value is an open channel's: everyone's.
// Of a channel that is both, the owner's count.
type Policy struct {
	// Owner alone counts, unless it is zero.
	Owner identity.PublicKey
	// InviteOnly has only inviters count, and whom they invited.
	InviteOnly bool
	Inviters   []identity.PublicKey
	// Own is the invite that this peer holds, if any: its entries carry it.
	Own []byte
	// Revoked are those who were invited once and are no more.
	Revoked []identity.PublicKey
}

// Invite is what an invite grants: to count from one time to another, ms.
type Invite struct {
	Inviter, Invitee identity.PublicKey
	From, Until      int64
}

// Message is one message of a channel. From is proven.
type Message struct {
	Channel string
	From    identity.PublicKey
	Message json.RawMessage
}

// Streams is what a ledger needs of the network to fetch what it lacks.
type Streams interface {
	// Handle answers streams of a protocol; remote is proven. f runs on a goroutine
	// of its own, and the stream is f's to close.
	Handle(protocol string, f func(ctx context.Context, remote identity.PublicKey, s Stream))
	// Open opens a stream to a connected peer.
	Open(ctx context.Context, peer identity.PublicKey, protocol string) (Stream, error)
}

// Stream is a pair of byte streams.
type Stream interface {
	io.ReadWriteCloser
	CloseWrite() error
	Reset() error
	SetDeadline(time.Time) error
}
