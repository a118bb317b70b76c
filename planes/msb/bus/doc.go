// Package bus is the state machine of the settlement network: accounts, their
// balances, and the transactions that change them, as functions of a state and
// a block. It knows no engine, no network and no clock.
//
// Guaranteed: the same blocks on the same genesis give the same state, results
// and root on every machine. No bytes make it panic, and what it cannot read
// gets a code. Balances, stakes and what was burned add up to the supply of the
// genesis for ever. A transaction counts once, by its id, up to the height it
// names; those of one account need no order. A block without transactions and
// evidence changes nothing; any other one changes the root.
//
// The state is a [merkle.Map], so that every account, deployment and result can
// be proved to whoever trusts the root; keys and values of its leaves stand in
// state.go. A [Machine] executes blocks, chooses what goes into a proposal and
// judges the proposals of others. A [Pool] admits transactions that wait and
// reserves what they will spend.
//
// Amounts, fee, roles, result codes and their texts are upstream's (upstream 2)
// where the case is the same. Agreeing on blocks, keeping them and serving proofs
// is left to the plane around it.
package bus
