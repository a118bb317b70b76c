// Package outbox keeps a peer's own transactions until it is known for good what
// became of them.
//
// # Guarantees
//
//   - A transaction is on the disk before anybody is offered it, and is offered
//     again, ever more slowly, until it has ended. A start goes on with what the
//     process before left, also after kill -9.
//   - It ends once, and never by a guess: confirmed or failed, as its record in
//     the network's state says; expired, when the state after its last height is
//     proven to have no record of it, so that it never will have one; or failed
//     without a height, by the rule below.
//   - The same key with the same content is the same transaction, whoever calls
//     and however often; with other content it is a conflict.
//   - Every change is told. After a kill one may be told again, and one that was
//     passed may be left out; how a transaction ended is always told.
//   - Transactions do not wait for each other: one that nobody takes rests while
//     others are offered. Work and memory are bounded, and so is the disk: of the
//     ended ones the newest [Config.Keep] are kept, and with the others their keys
//     are forgotten, as are their hashes here, though not in the network's state.
//
// # What a refusal means
//
// A refusal is one node's word about now. A transaction that has left this
// process may lie with somebody who settles it later, when funds came; so whatever
// its code, it is offered again and looked for until it is settled or expired, and
// the newest refusal is shown beside the state and decides nothing.
//
// It ends a transaction in one case: the network's only node is in this process
// ([Config.Own]), and it neither holds the transaction nor takes it. Then the bytes
// are nowhere else; they are never offered again, and failed is true for ever. It
// is on the disk before it is told. Refusals that pass do not count: that too much
// waits; nor, for what a process before left, that the balance is reserved, until
// the network has made a block: the log of a killed node may hold one with it.
//
// # An idle network
//
// A network without transactions makes no blocks, so no height passes by itself.
// One that is taken makes the block that settles it, and one that was lost (by
// a killed node, whose pool is in memory, or by one that took it and forgot) is
// taken when it is offered again: neither needs others. Only one that the nodes of
// others refuse, while nobody sends anything, can stay undecided for long: nothing
// that decides about it changes meanwhile. It is not called expired before that is
// proven.
//
// Proving and reaching the network are left to the [Port], making and signing to
// the caller.
package outbox
