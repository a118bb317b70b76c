// Package p2p connects a peer to other peers: it finds them, proves who they
// are, carries topics (one to many) and streams (one to one) between them.
//
// It guarantees:
//
//   - a neighbour is its proven Ed25519 key. Noise (TCP) or TLS 1.3 (QUIC)
//     proves it, and a connection under any other kind of key, or under our
//     own, is refused;
//   - frames of a topic are checked in the order of their arrival, one at a
//     time per host, and delivered in that order; our own are neither checked
//     nor delivered;
//   - every queue is bounded in number and bytes, and what is dropped is
//     counted in [Stats];
//   - nothing is dialled but what was configured and what the neighbours found
//     that way know of. The public DHT is used only when it is asked for;
//   - a peer that was lost is dialled again without help;
//   - a host may forward topics of which it is no member ([Config.Backbone]): it
//     knows their names and bytes, within a budget for each neighbour.
//
// Topics are lossy by nature: a slow or saturated receiver drops frames. What
// must arrive belongs into a stream.
//
// It leaves to others what frames mean, who wrote them (the neighbour that
// handed a frame over need not be its author), how long they are remembered and
// how much one author may send.
//
// All libp2p types stay inside this package.
package p2p
