// Package feed keeps sets of signed, causally linked entries of many writers,
// and brings two peers' sets together.
//
// An entry names its parents by hash, so that it vouches for all its
// ancestors. Every peer that holds the same entries has them in the same
// order, (height, id), however they arrived. What the package guarantees:
//
//   - F1 An entry's id is the SHA-256 of its tagged preimage, without the
//     signature; its body is at most 16 KiB.
//   - F2 It has at most 16 distinct parents. With seq > 0 the first is its
//     author's previous entry, seq being one more. Its height is one more than
//     its greatest parent's; an entry without parents has height 1, so that
//     the zero [Position] stands before everything. It is stored when its
//     parents are; until then it is parked, bounded for each neighbour.
//   - F3 Whether an entry is admitted is read from it and its ancestors. One
//     dated more than [Ahead] before its time is held until it is due, and
//     nothing is built on it.
//   - F4 Two entries of one author and seq are both kept, counted and
//     reported, and nothing else.
//   - F5 [Feeds.Sync] finds and exchanges what two peers lack, over any
//     stream.
//   - What [Feeds.Append] returned, or [Feeds.Add] called Stored, survives
//     kill -9 and the cut of power, together with all indexes.
//
// Which feeds a peer takes, what a body means, and whose entries count are
// left to the owner of the feed: Add takes entries of any feed it is given.
//
// # Form
//
// The form is final. All numbers are big endian. An entry is
//
//	offset  bytes  content
//	     0      2  22, the length of the tag
//	     2     22  "intercom/feed/entry/v1"
//	    24   4+32  32, feed
//	    60   4+32  32, author: the Ed25519 public key
//	    96    4+8  8, seq: 0, 1, 2, … of this author in this feed
//	   108    4+8  8, height
//	   120  4+32n  32n, the n parents' ids
//	         4+8   8, ts: the author's clock, ms since 1970
//	         4+b   b, body
//	          64   Ed25519 signature of everything before it
//
// and its id is the SHA-256 of everything before the signature. seq, height and
// ts are below 2^53, so that they are exact in JSON. There is one encoding of
// an entry; [Decode] refuses everything else.
package feed
