// Package mcp serves the operations of a peer to Model Context Protocol
// clients, over stdio and over streamable HTTP, in every protocol revision from
// 2024-11-05 to 2026-07-28.
//
// Every operation that the chosen toolsets admit is a tool; name, schemas,
// description and annotations are derived from its declaration, so a new
// operation needs no edit here. Validation happens where it happens for every
// surface, in [op.Caller]; a mistake comes back as a tool error that names the
// wrong value and says what to do. Channels and rooms can be read as resources,
// and whoever subscribes to one is told when it changes.
//
// It guarantees that nothing but protocol is written to the output, that every
// queue, message, session and call is bounded, that a cancelled request cancels
// the operation, and that what other peers said is marked as data wherever it is
// handed out. mcp-go runs the protocol; the stdio transport is ours, because
// mcp-go's shares one session per process and reads lines of any length.
//
// It leaves to others: what the operations do, where the bearer token comes
// from, and which listener is used.
package mcp
