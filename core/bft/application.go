package bft

import (
	"time"

	"intercom/core/identity"
)

// Application is the state machine that a chain replicates. Its methods are
// never called two at a time, and none may call the [Node]: the engine holds
// its own locks meanwhile.
//
// Execute must be total and deterministic: the same blocks in the same order
// give the same hashes on every machine, with no clock but the block's, no map
// order and no setting of this peer. An error or a panic of Execute or Commit
// stops the chain here and raises health to [Failed].
//
// The hash after a block without transactions must be the hash before it, or
// the engine makes blocks for ever; after a block with transactions it must
// differ, also when all of them failed, or that block is never proven.
type Application interface {
	// Last tells the newest block whose effects the application holds; height
	// 0 before Init. The engine runs again what came after it.
	Last() (height int64, state Hash, err error)

	// Init makes the state that the genesis describes. It is called again when
	// the process ended before block 1 was committed.
	Init(g Genesis) (state Hash, err error)

	// Check tells whether a transaction may wait for a block. Again is set
	// when it waits already and a block came since.
	Check(tx []byte, again bool) Result

	// Execute applies a block to a state that Commit will make lasting; until
	// then Last answers as before.
	Execute(p Proposal) (Executed, error)

	// Commit makes what Execute did the state. It need not wait for the disk
	// when the application lives in the node's own store.
	Commit() error
}

// Proposal is a block that is not, or only just, agreed on.
type Proposal struct {
	Height   int64
	Time     time.Time
	Proposer identity.PublicKey
	Txs      [][]byte
	MaxBytes int64 // for a Proposer: the most that its answer may hold

	// Guilty are validators proven to have voted twice.
	Guilty []identity.PublicKey
}

// Executed is what a block did.
type Executed struct {
	Results []Result // one per transaction
	State   Hash     // of the application after the block

	// Validators is the whole new set, in force from the second block after
	// this one; nil when it stays. The engine is given the difference. A set
	// that would stop the chain for good (empty, a key twice, powers out of
	// range, more than MaxValidators) is ignored and logged as an error.
	Validators []Validator
}

// Proposer is an application that chooses what goes into its own blocks.
type Proposer interface {
	// Propose picks from the waiting transactions (none for a Pool) at most
	// p.MaxBytes. What Accept would refuse must not be in it: a chain with one
	// validator would stand still.
	Propose(p Proposal) [][]byte
}

// Judge is an application that refuses blocks of others.
type Judge interface {
	// Accept tells whether to vote for a block; deterministic, like Execute.
	Accept(p Proposal) bool
}

// Pool is an application that keeps itself what waits for a block. The engine's
// own pool then holds only one constant wake transaction while Pending; call
// [Node.Wake] whenever Pending may have become true. It must be a [Proposer].
type Pool interface {
	Proposer
	Pending() bool
}

// Queries is an application that answers light clients. What it answers is
// proven against the state hash of a header by the one who asked.
type Queries interface {
	// Query may be called at any time, also two at a time and while a block
	// executes. The state is the one after a block whose hash is in the header
	// of the next one. At most MaxAnswer bytes.
	Query(path string, data []byte) ([]byte, error)
}
