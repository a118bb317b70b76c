// Package subnet is the subnet plane of a peer: a state that many write and a
// quorum confirms, in which a contract's transactions and a chat live.
//
// # Which subnet
//
// A subnet is named by its bootstrap key, the key of the peer that made it. A peer
// for which none was named makes its own at the first operation that needs one; a
// peer that was given another's key joins that one, knows nothing else of it, and
// remembers it. The first entry, signed by the bootstrap key, says the rest: the
// contract's version, the chain that confirms, the network that settles.
//
// Until then the plane costs nothing: no file, no goroutine but a waiting one, no
// engine. From then on it starts with the peer. An idle subnet makes no blocks.
//
// # What is promised
//
// What an operation answered is on this peer's disk, and goes out to others by
// itself until it is confirmed. Before anything is signed it is tried on the local
// view, so that what must be refused is refused with its reason and leaves nothing
// behind. A state never says more than is known: accepted is this peer's word,
// confirmed the indexers'.
//
// A transaction of a subnet that settles is paid for once. Its command is replicated
// before it is paid, so after a crash it is finished at the next start. A subnet
// that was made without settlement runs transactions unsettled, and every answer
// about one says so.
//
// # How peers meet
//
// Peers of one subnet find each other by its key, tell each other on a stream who
// they are and what contract they run, and then exchange entries and blocks.
// Nobody is believed: entries are signed, blocks are verified from the first entry on.
// A peer whose contract differs is told of and left alone.
//
// Left to others: what entries mean (machine), their order (log), what a contract
// does (contract), agreeing on blocks (core/bft), paying (behind [Settlement]).
package subnet
