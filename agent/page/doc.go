// Package page serves the web page of a peer: the ledger, the chat and the live
// feed of a channel, for people. The page itself is a client of SC-Bridge like
// any other; this package gives it out and lets it in.
//
// # Guarantees
//
// Everything the page needs is embedded in the program: plain modules and
// styles, nothing is fetched from elsewhere. The Content-Security-Policy allows
// no inline script or style, no other origin, and WebSockets to this machine
// only.
//
// A link from [Server.Link] carries a code in its fragment, which browsers never
// send. The page exchanges it by one POST for a token of its own. A code works
// once and for [CodeLife]; it is taken only from this very origin, and requests
// under any other host name are refused, so that a page on the web that points
// its name at this machine gets nothing.
//
// Requests, connections, bodies and codes are bounded.
//
// # Left to others
//
// The bridge issues and checks tokens. What the page may do is what the bridge
// lets a client do.
package page
