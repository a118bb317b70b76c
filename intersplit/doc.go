// Package intersplit is the shared expense ledger of a channel: who paid, who
// owes, and the fewest payments that make everybody even.
//
// A room is a channel's ledger. Each entry is a signed feed entry, so that it is
// kept, cannot be forged, and counts once however often it arrives. It is stored
// on disk before the caller has an answer, then announced to the members as a
// message of the channel. A message may be lost and a peer may be away: whoever
// meets a member, or lacks an entry's parents, fetches what is missing over a
// stream. Peers with the same entries show the same room, in whatever order the
// entries came. A peer that has just come to a channel waits a moment for the
// first exchange before it answers, and says when there was none.
//
// The arithmetic is in its sub-packages, which are pure: money, ledger, plan. The
// channel, its policy and the network are the business of [Channels] and
// [Streams]; entries, their signatures and their order are core/feed's. Whose
// entries count is read from the channel's policy and the entries themselves, so
// that members who agree on the one and hold the others agree; in an open channel
// it is everyone's, and every entry says who made it.
package intersplit
