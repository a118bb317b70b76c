// Package agent is SC-Bridge: the WebSocket server through which agents drive a
// peer. It speaks upstream's wire (upstream 6.12, 9.1, 9.5) to the letter, so
// that existing clients work unchanged, and offers every operation of the peer
// beside it.
//
// # Wire
//
// One JSON object a frame; text or binary is taken, replies are text. The
// server opens with hello. The first request is auth; until it succeeds every
// object is answered `Unauthorized.` and nothing is delivered. Hello names the
// peer before auth, as upstream's clients need it: whoever reaches the port
// learns the peer's key and address.
//
// An integer id comes back as the first key of the reply; any other id is
// ignored. Upstream's verbs (see [Verbs]) answer in upstream's form. Every
// operation also goes by its own name, its parameters beside "type" or in
// "params":
//
//	> {"id":7,"type":"expense_balance","channel":"trip"}
//	< {"id":7,"type":"expense_balance","result":{…}}
//	< {"id":7,"type":"error","error":"…","kind":"invalid","hint":"…"}
//
// The error of an upstream verb is upstream's text; kind and hint follow it
// where the peer can say more. A name that is both (info, stats, ping) answers
// in upstream's form.
//
// Messages of channels are pushed to every authenticated client, narrowed by
// its subscription and filter. Other events go to clients that sent
// {"type":"subscribe","events":true}:
//
//	< {"type":"event","seq":12,"kind":"peer_joined","ts":1763769600000,"data":{…}}
//
// # Guarantees
//
// Requests of one connection run one after another in the order in which they
// came, and are answered in that order. Only a request with an id lets others
// pass: at once when it asks to wait (wait_ms or timeout_ms), else after a
// second. Its reply may then come later than theirs.
//
// A client that reads too slowly never slows the peer or another client: it
// gets {"type":"gap","missed":n} for the events it lost, and is cut off when a
// write makes no progress. Memory, clients, attempts and time before auth are
// bounded by [Limits]. A connection that ends cancels its calls and drops its
// hold on channels.
//
// # Differences from upstream
//
//   - send without a message, or with null, is refused. Upstream delivers its
//     whole internal payload instead.
//   - An invite or a welcome that the peer cannot use is refused, not ignored.
//   - leave takes the channel from this client only, while others hold it.
//   - Origin is checked, frames are bounded, and auth has 5 s, 4 KiB a frame
//     and ten attempts, which are answered ever more slowly when there are many
//     on all connections together.
//   - A parameter called id of an operation goes into "params". Where an
//     operation has one and a request carries an id that is no integer beside
//     "type", it is refused.
//   - cli returns what the command returns. Nothing is captured from a console,
//     so the output of other work never mixes in.
//
// The token, its file and its place are the caller's; [Bridge.Issue] makes others
// that end with the bridge. Package page serves the web page. TLS is left to a proxy.
package agent
