package bft

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"intercom/core/fault"
	"intercom/core/store"
)

// Config is what a node is made of. Dir, Store, Genesis, App and Log are
// needed; the rest is useful when zero: an embedded node that talks to nobody.
type Config struct {
	// Dir holds the validator key, what it signed last and the engine's log of
	// consensus; mode 0700, for one node at a time.
	Dir string

	// Store holds the engine's databases, in spaces that begin with
	// "bft/<Name>/". One store may serve several chains under different names.
	Store *store.Store
	Name  string

	Genesis Genesis
	App     Application
	Log     *slog.Logger

	// Listen is the address for other nodes, "host:port"; port 0 is a free
	// one. Empty is a free port of 127.0.0.1, which the engine needs in any
	// case.
	Listen string

	// Peers are the nodes to stay connected with; [Node.SetPeers] changes
	// them. Others are turned away unless Strangers is set: a network in which
	// anybody may follow as a full node sets it.
	Peers     []Peer
	Strangers bool

	// MaxTx bounds one transaction in bytes; 0 is DefaultTxBytes.
	MaxTx int

	// Recheck asks the application again, after every block, about all that
	// still waits: worth its time when transactions expire or accounts drain.
	Recheck bool

	// Keep is how many of the newest blocks are kept, at least MinKeep; 0 keeps all.
	// What is lost with a block are its transactions and their proofs: Find,
	// Wait and Prove do not know them any more, the application's state does
	// if it remembers them. Followers lose nothing: the first header and every
	// change of validators stay. Others that are further behind than the
	// oldest block of everybody need a snapshot.
	Keep int64

	// Stall is how long transactions may wait without a block before health
	// says so; 0 is 5 s. Too short, and an absent proposer looks like a halt.
	Stall time.Duration

	// OnHealth is told of every change of health, one at a time; it must not
	// block. Nil: nobody is told.
	OnHealth func(Health)
}

// Peer is another node: its id and how to reach it, by address or by a stream
// somebody else opens. The id is proven from end to end, so whatever carries
// the stream need not be trusted.
type Peer struct {
	ID   string
	Addr string // "host:port"
	Dial func(context.Context) (io.ReadWriteCloser, error)
}

func (c Config) host() string {
	if host, _, err := net.SplitHostPort(c.Listen); err == nil && host != "" {
		return host
	} else if err == nil {
		return "0.0.0.0"
	}
	return "127.0.0.1"
}

func (c Config) port() string {
	if _, port, err := net.SplitHostPort(c.Listen); err == nil {
		return port
	}
	return "0"
}

func (c Config) txBytes() int {
	if c.MaxTx > 0 {
		return c.MaxTx
	}
	return DefaultTxBytes
}

func (c Config) stall() time.Duration {
	if c.Stall > 0 {
		return c.Stall
	}
	return 5 * time.Second
}

func (c Config) check() error {
	wrong := func(format string, args ...any) error {
		return fault.New(fault.Invalid, "node: "+format, args...).WithHint("correct the node's configuration")
	}
	if c.Dir == "" || c.Store == nil || c.App == nil || c.Log == nil {
		panic("bft: a node needs a directory, a store, an application and a log")
	}
	if strings.ContainsRune(c.Name, 0) || len(c.Name) > 100 {
		return wrong("name %.100q", c.Name)
	}
	if c.Listen != "" {
		if _, _, err := net.SplitHostPort(c.Listen); err != nil {
			return wrong("listen address %.100q is not host:port", c.Listen)
		}
	}
	if int64(c.txBytes()) > max(c.Genesis.BlockBytes, minBlockBytes)/2 {
		return wrong("transactions of %d bytes do not fit into blocks of %d", c.txBytes(), c.Genesis.BlockBytes)
	}
	if c.Keep != 0 && c.Keep < MinKeep {
		return wrong("%d blocks kept are fewer than %d", c.Keep, MinKeep)
	}
	for _, p := range c.Peers {
		if err := p.check(); err != nil {
			return err
		}
	}
	return c.Genesis.Check()
}
