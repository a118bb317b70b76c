// Package merkle is an authenticated map: keys and values in a store, and one
// hash, the root, that stands for all of them.
//
// The map is a compact sparse Merkle tree over the hashes of the keys. Its root
// depends on the content alone, never on the order in which it came to be. A
// proof shows that a key has a value under a root, or that it has none;
// [VerifyPresent] and [VerifyAbsent] are pure functions that need the root and
// nothing else. The whole content, listed by [View.Scan] or sent in the pieces of
// [View.List], gives the root again through a [Builder].
//
// Changes are gathered in an [Update], which is also an overlay: it reads as the
// map would be, tells its root, and may be dropped. [Update.Write] puts what it
// changes into a batch of the caller, so that state, root and whatever the
// caller keeps beside them become one commit. A map keeps its newest versions
// readable, and one that a slow reader holds ([Map.Hold]), and removes what only
// older ones used.
//
// One writer at a time is the caller's business, as is the meaning and the size
// of keys and values, and which root to trust.
package merkle
