package chain

import (
	"context"
	"time"

	"intercom/core/bft"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
)

// A Ledger is a settlement network to those who use it. Every answer names the
// height after whose block it holds; it stands in the chain for good, whatever
// comes after. Its methods may be called from any goroutine.
//
// [fault.Unavailable] says that nothing is known now: no server answers, or the
// node does not run. [fault.Conflict] says that the network's history has
// contradicted itself and nothing of it can be believed any more.
type Ledger interface {
	// Genesis is where the network begins, Settings the bus's part of it.
	Genesis() bft.Genesis
	Settings() bus.Genesis

	// Head is the newest block.
	Head(ctx context.Context) (bft.Header, error)

	// Account reads an account after the block of that height, 0 for the newest.
	// One that is not known has nothing. A height whose state is no longer kept,
	// or is not there yet, is a [fault.NotFound].
	Account(ctx context.Context, key identity.PublicKey, height int64) (a bus.Account, known bool, at int64, err error)

	// Record tells what became of a transaction. When it is not settled at a
	// height that is not below its expiry it never will be.
	Record(ctx context.Context, id bus.ID) (r bus.Record, settled bool, at int64, err error)

	// Records tells it of several, at most MaxRecords, in their order and of one
	// height.
	Records(ctx context.Context, ids []bus.ID) (list []Status, at int64, err error)

	// Deployment reads a subnet's entry.
	Deployment(ctx context.Context, subnet identity.PublicKey) (r bus.Registration, known bool, at int64, err error)

	// Network reads what concerns all.
	Network(ctx context.Context) (Network, error)

	// Txs lists the settled transactions from a place on up to a height
	// (included; 0 is the newest block), oldest first and at most limit, or
	// MaxListed if that is less. Next is where to go on; it is zero when there is
	// no more.
	Txs(ctx context.Context, from Place, to int64, limit int) (list []Listed, next Place, err error)

	// Prove makes the proof of a settled transaction and its code, for
	// [bft.Verify] under Trust. One that is not settled is a [fault.NotFound].
	Prove(ctx context.Context, id bus.ID) (p bft.Proven, raw []byte, err error)

	// Submit offers a transaction. The code OK says that somebody took it, or had
	// it already, and not that it is settled; another one is the refusal of all
	// who were asked, as far as they know now. After an error nothing is known.
	// What was taken may be lost before it is settled; offering it again is
	// harmless.
	Submit(ctx context.Context, tx []byte) (bus.Result, error)

	// Wait waits until a transaction is settled. A node that does not run and
	// servers that do not answer may come back, so it goes on until ctx is done.
	Wait(ctx context.Context, id bus.ID) (bus.Record, error)

	// Trust is which validators sign which heights, by now; Updates are the proofs
	// of how they changed from that height on, oldest first, for [bft.Advance].
	Trust(ctx context.Context) (bft.Trust, error)
	Updates(ctx context.Context, from int64) ([][]byte, error)
}

// Limits of one question.
const (
	MaxRecords = maxLeaves
	MaxListed  = 1000
)

// Status is what became of one transaction.
type Status struct {
	bus.Record
	Settled bool // else the rest is zero
}

// Network is what concerns all of a network, after the block of that height.
type Network struct {
	Height      int64
	Name        string
	Development bool // one key on one machine
	Supply      bus.Amount
	Burned      bus.Amount
	Fee         bus.Amount
	Seats       []bus.Seat // the validators, ascending by key
	Licenses    uint32     // how many were given out
	Admin       identity.PublicKey
	HasAdmin    bool
}

// Place is a transaction's place in the chain.
type Place struct {
	Height int64
	Index  int // in its block, from 0
}

// Listed is a settled transaction.
type Listed struct {
	Place
	Time time.Time // of its block
	Tx   *bus.Signed
	Code bus.Code
	Raw  []byte
}
