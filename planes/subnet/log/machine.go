package log

import (
	"intercom/core/bft"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/core/merkle"
)

// Source is a state to read: a [merkle.View], a [merkle.Update], a [Local].
type Source interface {
	Get(key []byte) (value []byte, ok bool, err error)
}

// Machine is what entries mean: functions of a state and an entry, without a
// clock, a setting of this peer or the order of a map. Blocks and the local view
// are computed at the same time, so its methods are called from several
// goroutines. Unless a method says otherwise an error is one of the disk, and
// the update is dropped.
//
// Keys that begin with 'l' are the log's own.
type Machine interface {
	// Begin makes the state of a subnet from its first entry. A fault.Invalid
	// says that the entry is none.
	Begin(u *merkle.Update, first *feed.Entry, height uint64) error

	// Admit tells whether an entry may stand in a block on that state: nil, a
	// fault.Invalid when it breaks a rule that can be read from it alone, or
	// why the state has no place for it. What a state admits, every later one
	// must: honest writers build on what they hold. An author whose rights were
	// taken away is admitted, and Apply notes a refusal.
	Admit(from Source, e *feed.Entry) error

	// Apply carries an admitted entry out. It is total: an entry that cannot
	// be carried out is an outcome with a code.
	Apply(u *merkle.Update, e *feed.Entry, height uint64) (Outcome, error)

	// Guilty punishes validators that are proven to have voted twice.
	Guilty(u *merkle.Update, keys []identity.PublicKey, height uint64) error

	// Indexers is the set of validators that a state wants.
	Indexers(from Source) ([]bft.Validator, error)
}

// Outcome is what came of one entry.
type Outcome struct {
	Code    uint32   // 0 is done; another one is the machine's, and stands in the block's results
	Changed []string // visible keys whose values changed
	Events  []any    // what the machine tells its plane
}
