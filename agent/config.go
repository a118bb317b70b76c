package agent

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// Config says how a bridge serves. The zero value but for Token is useful.
type Config struct {
	// Token is what a client authenticates with, any text. Without one nobody
	// gets in: every auth is answered `Auth not enabled.`
	Token Token

	// CLI allows the verb cli, and with it operations of admin access. Without
	// it a connection reads and writes. Secrets are out of reach either way.
	CLI bool

	// Filter is the filter every client begins with (upstream 6.12).
	Filter string

	// FilterChannels are the channels filters apply to; messages of others
	// always pass. Empty means all.
	FilterChannels []string

	// Origins are allowed beside http://127.0.0.1:5070 and
	// http://localhost:5070, each as "scheme://host" or "scheme://host:port".
	// The page of the peer itself belongs here when it has another port.
	Origins []string

	// Debug logs at level info, and not debug, when clients come, are let in and
	// go, and why. What they say is never logged.
	Debug bool

	// Release is called when a client is gone and its calls have ended, so that
	// what it held by its name (see op.ClientOf) can be let go. May be nil.
	Release func(client string)

	// Limits bound what clients may take. A zero field has its default.
	Limits Limits
}

// Limits bound what clients may take.
type Limits struct {
	// AuthTime is how long a connection may exist before auth, 5 s. Too low and
	// clients on busy machines fail; too high and idle strangers keep places.
	AuthTime time.Duration
	// AuthBytes is the greatest frame before auth, 4 KiB.
	AuthBytes int64
	// Attempts is how many wrong tokens end a connection, 10.
	Attempts int

	// FrameBytes is the greatest frame after auth, 4 MiB: a message of 1 000 000
	// bytes fits however its sender escapes it. Too low and messages that the
	// sidechannel carries are cut off; higher costs memory for each client.
	FrameBytes int64
	// Pending is how many requests of a connection may be in work or wait for
	// their turn, 128, and PendingBytes how large they may be together, 16 MiB.
	// Beyond that the connection is not read.
	Pending      int
	PendingBytes int64

	// Clients is how many authenticated clients there may be, 64. One more is
	// refused.
	Clients int
	// Strangers is how many connections may be open without auth, 256. One more
	// ends the oldest of them.
	Strangers int

	// Patience is how long a request with an id keeps later ones waiting, 1 s.
	Patience time.Duration
	// WriteTime is how long a client may take to accept 64 KiB, 20 s. Then it is
	// cut off.
	WriteTime time.Duration
	// PingEvery is the pause between pings, 30 s, and PingTime how long an
	// answer may take, 20 s.
	PingEvery, PingTime time.Duration
}

// or gives the limits with defaults in place of zeros.
func (l Limits) or() Limits {
	set(&l.AuthTime, 5*time.Second)
	set(&l.AuthBytes, 4<<10)
	set(&l.Attempts, 10)
	set(&l.FrameBytes, 4<<20)
	set(&l.Pending, 128)
	set(&l.PendingBytes, 16<<20)
	set(&l.Clients, 64)
	set(&l.Strangers, 256)
	set(&l.Patience, time.Second)
	set(&l.WriteTime, 20*time.Second)
	set(&l.PingEvery, 30*time.Second)
	set(&l.PingTime, 20*time.Second)
	return l
}

func set[T comparable](field *T, standard T) {
	var zero T
	if *field == zero {
		*field = standard
	}
}

// Hello is what the bridge tells about the peer on connect, before auth.
type Hello struct {
	Peer         string // public key, hex
	Address      string // trac1…
	EntryChannel string // never left
}

// Token is a secret that redacts itself in every print, log and encoding.
type Token string

const redacted = "[redacted]"

// Format prints a placeholder whatever the verb.
func (Token) Format(state fmt.State, _ rune) { io.WriteString(state, redacted) }

// MarshalJSON gives a placeholder.
func (Token) MarshalJSON() ([]byte, error) { return json.Marshal(redacted) }

// MarshalText gives a placeholder.
func (Token) MarshalText() ([]byte, error) { return []byte(redacted), nil }
