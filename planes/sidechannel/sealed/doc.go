// Package sealed encrypts the channels that only the invited may read: keys,
// who gets them, and the envelope around a frame.
//
// # Construction
//
// An inviter makes K, 32 random bytes. With ch = SHA-256("intercom/channel/v1\0" ‖
// name), HKDF-SHA256(K, salt ch) gives four values ([Key.Derive]): kid, 16 bytes
// that name the key; topic, where ciphertext travels; rdv, where members look for
// each other; and the seal, the key of the envelope. Who lacks K can compute
// none of them from the name.
//
// A [Record], signed by its inviter, says which epoch K belongs to and which
// revocations it honours; kid binds it to K. Of all valid records the one with
// the greatest (epoch, kid) is current, so that two inviters who act at once need
// not agree beforehand. The one before it is accepted for 60 s ([Ring]).
//
// An envelope is 0x01 ‖ kid ‖ nonce ‖ XChaCha20-Poly1305 over esig ‖ u32 length ‖
// frame ‖ zeros up to a multiple of 256, with 0x01 ‖ kid ‖ topic as associated
// data. The nonce is 24 random bytes, so any number of senders and restarts share
// a key without counting. esig is the author's Ed25519 over topic, kid, nonce and
// SHA-256(frame): a member cannot pass off another member's frame in an envelope
// of its own. Lengths and numbers are big endian. What is signed is a tagged
// canon.Preimage.
//
// # Handover
//
// K travels over a stream whose ends the transport has proven (/intercom/sc/key/1).
// Both ends show the same: that they are an inviter, or the invitee of a live,
// unrevoked invite of one. Only then the one that is behind gets record, key and
// revocations, from whichever member it asks. The greeting is encrypted under ch
// and padded: who does not know the channel's name learns nothing from it, and is
// answered by a closed stream, as is one that knows the name and may not enter.
// A [Keeper] does this for all channels of a peer: it asks when it lacks a key,
// when a neighbour appears, and now and then, and tells members of a new key at
// once.
//
// An inviter makes a new epoch when a revocation is not honoured yet, when it is
// asked to, and when the current key is 7 days old.
//
// # Limits
//
//   - There is no forward secrecy inside an epoch: who gets K reads what was
//     recorded since the epoch began.
//   - A revoked member keeps what it had, and reads on for up to 60 s, until the
//     members have the next key. One that no inviter revokes reads until the next
//     epoch after its invite has expired, at most 7 days.
//   - Visible to neighbours and relays: opaque topics and who is subscribed, how
//     much is sent and when, sizes in steps of 256 bytes.
//   - Whoever knows a channel's name and an inviter's key can watch the door
//     ([Door]) where newcomers look for members, and see who greets for it.
//   - A member can pass K on. Inviters trust each other: any of them may begin a
//     new epoch.
//   - Keys lie in the peer's store unencrypted, as its messages do; the store is
//     readable by its owner alone.
//
// # Left to others
//
// What an invite is and who trusts whom is asked of a [Gate]. Topics,
// subscriptions and the frame within the envelope belong to the plane.
package sealed
