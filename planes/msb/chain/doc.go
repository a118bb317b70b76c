// Package chain puts the settlement bus onto a chain of validators and reads
// it.
//
// App is the bus as the application of a core/bft node: it executes blocks on an
// authenticated map in the node's own store, decides which transactions wait,
// are proposed and voted for, and answers light clients with proofs. A Ledger is
// a settlement network as its users see it, and there are two: Local reads the
// node in this process, Remote is a light client of nodes elsewhere.
//
// Guaranteed: the state is the one after a block, never half of one, also after
// kill -9 and a cut of power; what the disk lost, the engine executes again. A
// Remote believes the genesis and nothing else: every account, record, absence
// and transaction that it answers stands under a header that the validators
// signed, at a height that the answer names, and that is not below what any of
// the servers could prove when it was asked. A server that sends what does not
// hold is named and its answer dropped.
//
// A transaction that is not settled at a height not below its expiry never will
// be. Heights grow only while something is settled, so an idle network does not
// expire anything: what can be settled is, in the block that sending it again
// makes; what cannot, for want of funds, say, may yet, for as long as it has not
// expired.
//
// What transactions mean is the bus's; keeping them until they are settled,
// opening streams, choosing servers and answering operations is left to the
// packages around.
package chain
