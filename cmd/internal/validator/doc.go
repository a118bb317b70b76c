// Package validator runs one node of a settlement network in a process of its
// own: a validator, or a full node that only follows.
//
// A node has two faces. Other nodes reach it over TCP, where the engine proves
// who they are by their node id. Light clients, and newcomers that take over the
// state, reach it over libp2p like any peer, under the identity of its store.
//
// Its files lie in the store, in the directory "validator": the validator key
// and what it signed last, both secret and both precious; the genesis, which
// stays the same for ever; and the data. One process at a time has them.
//
// What it leaves to others: the rules of the network (planes/msb/bus), the chain
// (core/bft), and to people whom to whitelist as a validator.
package validator
