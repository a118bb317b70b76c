// Package contract is how an application keeps state that many peers write and
// all of them agree on: a Go value with registered functions.
//
// A [Contract] has functions, called by transactions; features, by which the
// admin's oracles bring values in; and at most one handler that sees, and may
// refuse, chat messages. Each takes one typed input. Its schema is derived from the
// type and closed: what does not fit never reaches the function.
//
// A [Call] is all that a function may read and write. What is guaranteed:
//
//   - A call is atomic. One that returns an error, panics or is over its budget
//     changes nothing, and says why in the same words on every peer.
//   - A contract writes its own keys alone. Names that belong to the system or
//     to the chat are refused, and stand in other leaves anyway.
//   - Inputs, values and results are canonical JSON, so equal calls on equal state
//     give equal bytes.
//   - Every contract has a [Contract.Version], a hash over its declarations and,
//     when it gives them, its sources: peers with different ones do not meet.
//
// What is left to whoever writes one: functions must be deterministic. They read
// the call and their input, nothing else: no clock, no randomness, no goroutine, no
// package variable that changes, no order of a Go map, no floating point, and nothing
// that changes with a version of Go, as the cases of letters or the words of its
// errors do. Time, ids and exact numbers are here ([Call.Time], [Call.ID], [Integer], [Decimal]). The
// budget counts reads and writes; a loop that does neither counts itself with
// [Call.Step], for nothing else can end it, nor a recursion without end.
//
// Who may call, and what a transaction costs, is the machine's business.
package contract
