// Package log is the replicated log of a subnet: entries that many write, in
// one order that its indexers confirm, and the state that follows from it.
//
// It joins a feed, which holds the entries, with a chain, which orders them. It
// knows entries and a [Machine], not what entries mean. A [Log] is the chain's
// application: its pool is the tail, the entries that are not confirmed; its
// blocks carry the entries' bytes, so whoever follows the chain lacks nothing.
//
// # What it guarantees
//
//   - An entry is confirmed once, by its id, and behind all its parents. Before
//     the machine sees it, its signature, its links, its feed and its date were
//     checked, from nothing but what is replicated.
//   - The confirmed order is the chain's, the confirmed state is what the
//     machine makes of it, and the root of its [merkle.Map] is the chain's state
//     hash. It never goes back, and survives kill -9.
//   - The local view is the confirmed state with the tail laid over it in order
//     of (height, id): peers with the same entries and the same confirmed state
//     see the same. An entry that comes late stands behind what is confirmed,
//     however low it is.
//   - An entry is stored only when the confirmed state admits it, and what is
//     admitted once stays so; therefore whatever an honest peer builds on can be
//     confirmed. An author with two entries of one seq, or one that withholds
//     entries, has what it sent confirmed and hinders nobody.
//   - The tail is bounded, in all and for each author. What does not fit is
//     refused with fault.Limited until some of it is confirmed.
//   - A newcomer needs the state and what is known of its entries, not the history:
//     [Log.Restore] holds a snapshot against what the chain's validators signed
//     before any of it counts. What a snapshot covers can go from the feed.
//   - A peer whose machine comes to another result than the indexers signed
//     stops confirming, and says so with a fault.Conflict.
//
// # How it is run
//
// An indexer gives the log to a [bft.Node] as its application and the node's
// Wake to [Log.OnPending]; any other peer calls [Log.Follow], after
// [Log.Restore] from a snapshot when it is far behind. Both run [Log.Run].
//
// A node needs the chain's blocks from the first one on: a peer that followed, or
// began from a snapshot, cannot become an indexer with the same log, and an
// indexer's engine keeps its blocks.
//
// Streams, who the neighbours are, and the meaning of entries are left to the
// plane: it hands on what Offer gives with [Log.Take] at the other end, and has
// neighbours [Log.Exchange] their tails now and then.
package log
