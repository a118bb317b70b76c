// Package bft lets several parties who do not trust each other agree on one
// order of transactions, and lets everybody else check what they agreed on.
//
// It is CometBFT behind a small port. A [Node] runs one chain inside this
// process for an [Application], a deterministic state machine of plain
// functions; several nodes of different chains may run in one process and on
// one store. The default is one validator, embedded, that talks to nobody and
// confirms in milliseconds; the same node in a set of validators confirms when
// more than 2/3 of the votes agree. While nothing is sent no block is made.
//
// # What a node guarantees
//
// A transaction whose [Outcome] was answered stays in the chain, also after
// kill -9, and every node that follows comes to the same outcome. The
// application's state is made again from the blocks when it was lost. Health is
// told loudly: a chain that stands still while transactions wait is [Stalled],
// one whose consensus stopped is [Failed] and ends [Node.Run].
//
// A node that comes late need not execute all that was: [Node.Join] takes the
// state of the newest block from servers that need not be trusted, for it must
// have the hash that a verified header carries. A node may forget old blocks
// ([Config].Keep): their transactions are not known here any more, and others
// that need them ask elsewhere or take a snapshot; followers lose nothing.
//
// # Those who only listen
//
// A [Follower] is a light client: from the genesis it verifies signed headers
// of several servers asked side by side over any byte stream, and proofs that a
// transaction is in a block with a certain result; the pure functions below it
// ([Verify], [Advance], [VerifyHeader]) can be run by anybody, also inside a
// contract. Servers that lie, lag or withhold are named; two valid headers of
// one height are kept as [Evidence] and end all trust. A [Replica] executes
// whole verified blocks with an application of its own and finds out when the
// validators signed another result.
//
// What more than 2/3 of a set's keys can forge: everything, for the heights
// that the set signed, also long after they were replaced, for there is no
// clock in the rules. Old keys must be destroyed; a follower that stays in
// touch with several servers meets both histories. A chain of one validator is
// one key on one machine and proves no more than that machine's word.
//
// What it needs: fewer than 1/3 of the votes in lying hands for the order to
// hold, more than 2/3 of them present for it to go on; four validators survive
// the loss of one. The file validator.state is as precious as validator.key:
// a restored older copy of it may vote twice for one height.
//
// # What is left to others
//
// What transactions mean, who may send them, fees, and the transaction's own
// protection against replay. The streams by which nodes reach each other may be
// carried by anybody: their ids are proven from end to end.
//
// The engine leaves two traces in the process: it listens for SIGHUP once its
// log was opened, and a few of its goroutines sleep on for seconds after the
// node ended, harmlessly; its databases then answer that nothing is there.
package bft
