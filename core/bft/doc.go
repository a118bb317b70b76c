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
