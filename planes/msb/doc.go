// Package msb is the settlement plane of a peer: which network it settles on,
// the life of that network in this process, and the operations about it.
//
// # Which network
//
// A network is named by its genesis, as a file or by its hash; this peer is then a
// light client of those who run it. A peer for which none was named has a
// development network of its own, made by the first operation that needs one: one
// validator in this process, all funds with this peer's wallet. It starts with the
// peer from then on. What was named last is remembered; each network has a
// directory of its own in the settlement store, and keeps it.
//
// Until then the plane costs nothing: no file, no goroutine but a waiting one, no
// engine. An idle network makes no blocks.
//
// # What is believed
//
// The genesis, and nobody: every answer of a light client was proven under it by
// more than two thirds of the validators' votes (see package chain). Servers are
// whoever is connected and speaks [ChainProtocol]. One that sends what does not
// hold is asked no more, and told of in the log and in the event msb_liar. A
// development network is one key on one machine: its answers are as good as the
// word of whoever made it, and its funds are worth nothing. Every answer about
// money names the network and says which kind it is.
//
// # What is promised
//
// A transaction that an operation answered is on this peer's disk and goes on by
// itself until it is confirmed, failed or expired (see package outbox); a call that
// is repeated with its key makes no second one. A state never says more than is
// known. A transfer that the balance is known not to cover is refused at once.
//
// The faucet of a development network gives a fixed sum once to each key, from the
// funds of its maker, which remembers whom it gave to; newcomers ask by themselves
// before their first transaction. Real networks have none.
//
// Left to others: what transactions mean (bus), agreeing on blocks (core/bft),
// finding and reaching peers (core/p2p), running a validator of a real network
// (the command intercom validator).
package msb
