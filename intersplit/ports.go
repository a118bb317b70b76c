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
