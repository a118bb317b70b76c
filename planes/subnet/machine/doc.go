// Package machine is what the entries of a subnet mean: a state machine of pure
// functions of a state and an entry. It knows no network, no engine and no clock.
//
// Guaranteed:
//
//   - Apply is total and deterministic. No bytes make it panic, and it reads nothing
//     but the state and the entry: the same entries in the same order give the same
//     state on every machine.
//   - An entry does all of what it says or nothing. One that is refused changes
//     nothing but the list of refusals, where its reason stands.
//   - Every right is read from the state. An entry speaks for its author, whose
//     signature it has, in the one subnet and for the one purpose it names: there is
//     nothing inside to be replayed elsewhere.
//   - System, chat and contract have leaves of their own, which the others cannot
//     reach. Values under upstream's names are upstream's (upstream 3.4), as
//     canonical JSON.
//   - A settled transaction is carried out once, for the requester that paid, and
//     only if a proof against the trusted validators of the settlement network says
//     so. A proof that does not hold leaves no mark on the transaction.
//
// What differs from upstream is what its weak points were: there are no marks of
// replays ("sh/…"), for the log gives every entry to the machine once; an admin
// is succeeded in two steps and never by nobody; joining by oneself needs a signed
// request and is bounded; removed writers are banned; a paid transaction always
// leaves a record; fields of messages that the state decides cannot be sent.
//
// Left to the log: signatures of entries, their parents and order, and that each
// comes once. Left to the plane: whether a new indexer is connected, the
// settlement network, and everything that people see.
package machine
