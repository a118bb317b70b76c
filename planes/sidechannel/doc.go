// Package sidechannel is the plane of fast, ephemeral messages: peers that have
// joined a channel of the same name hear what each of them sends.
//
// # Guarantees
//
//   - What is delivered was signed by the author it names, for the channel it
//     came on, within the last [MaxAge] and at most [MaxAhead] ahead, and is
//     delivered once. A restarted peer refuses what was dated before its start,
//     since it no longer knows what it has seen.
//   - A message may be any JSON value but null. It arrives as it was sent, in the
//     text that JSON.stringify gives: what is signed is what is delivered.
//   - An object with a member "control" belongs to the plane itself. It is never
//     delivered, and [Plane.Send] refuses it.
//   - A send says to how many connected members it was handed. Zero is honest.
//   - Memory and work are bounded whatever peers send. What is dropped is counted
//     by reason, per channel and in all, and nothing is spawned per message.
//   - The entry channel is always joined. A channel that a client joined is joined
//     again after a restart, until it is left; it is left only when no other
//     client holds it.
//
// # What a frame passes
//
// A frame is upstream's JSON payload (upstream 6.2) in one byte form: the
// members in upstream's build order, no spaces, the message as JSON.stringify
// writes it. Checks are a list, cheapest first; see pipeline. Every check is a
// plain function of (state, now, frame), so the whole can be read and tested
// without a network or a clock:
//
//	size → form → channel → author → id → time → control → signature → text → replay → deliver
//
// Policies of a channel take their place in that list: the sender's byte budget
// before size; invite and proof of work, which are further members of the frame,
// after time; owner-only write and the revocation of an author after signature;
// welcome before replay; the controls themselves where a frame with one is
// dropped now. Encryption wraps the list: the bytes are opened before size is
// checked. Until they are there every channel but its name is open, and flags
// and parameters for them are refused rather than ignored.
//
// # Left to others
//
// Nothing is acknowledged, retransmitted or kept for who is away: a late joiner
// gets no earlier message. Ledgers and contract state therefore travel as feed
// entries and use messages only to announce them. How bytes reach the members,
// and forwarding them, is the network's part: it proves which neighbour handed a
// frame over, passes one on only when the pipeline accepts it, and never alters
// it. That is why the hops a frame has left are reported and not counted down on
// the wire: 3 from the author itself, 2 over a relay, which is named.
package sidechannel
