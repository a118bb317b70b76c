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
//	blocked → opened → size → form → channel → author → id → time → control → work → signature → text →
//	invite → owner → welcome → replay → rate → deliver
//
// Work is the proof of work, one hash. An author pays for what passes, from a
// purse that is its own wherever its frames come from; a neighbour pays for what
// it hands over in vain, with its address. Who cannot pay is blocked for a while,
// and its frames are not looked at. This peer paces itself below the same limits.
//
// # The law of a channel
//
// What a channel asks for is its charter: flags ([Policy]), what the user of this
// peer brought (an invite, a welcome, create), and what the owner signed.
//
//   - An owner is believed because a flag or the user says so, never because a
//     stranger does. Of its welcomes the newest counts; where the owner is known
//     nothing is delivered without one that is valid.
//   - Where only the owner writes, that is asked of the verified author.
//   - An invite-only channel has inviters. A key belongs to it as one of them, or by
//     an invite that one of them signed for this channel and key, that is neither
//     over nor revoked. Guests show theirs in every frame, so that whoever hears
//     them first knows. Revocations are a signed set that only grows; a later
//     invite lets a key in again.
//   - Its frames travel sealed (see [Carriage] and package sealed).
//
// Members hand welcomes, invites and revocations to each other in controls: when a
// neighbour comes, when they learn something new, and once a minute. Each speaks
// in its own name, so these are not passed on. Everything learned is stored, but
// for requests to join other channels and the receipts of messages.
//
// Upstream's papers (invites, welcomes) are read and written to the byte. A welcome
// that expires or says that only the owner writes is signed over that too, which
// upstream's programs do not know: both are made on demand only.
//
// # Left to others
//
// Nothing is retransmitted or kept for who is away: a late joiner gets no earlier
// message. A sender that asks for receipts learns which connected members have its
// message, and nothing about others. Ledgers and contract state therefore travel as feed
// entries and use messages only to announce them. How bytes reach the members,
// and forwarding them, is the network's part: it proves which neighbour handed a
// frame over, passes one on only when the pipeline accepts it, and never alters
// it. That is why the hops a frame has left are reported and not counted down on
// the wire: 3 from the author itself, 2 over a relay, which is named.
package sidechannel
