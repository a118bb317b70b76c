package peer

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"intercom/core/op"
	"intercom/core/p2p"
)

// Version is the version of this program.
const Version = "0.1.0"

type none struct{}

// info has upstream's thirteen members (upstream 6.12) and ours, flat. A plane
// that is not started has null.
type info struct {
	MSBBootstrap      *string  `json:"msbBootstrap" jsonschema:"hash of the genesis of the settlement network"`
	MSBChannel        *string  `json:"msbChannel" jsonschema:"name of the settlement network"`
	MSBStore          *string  `json:"msbStore" jsonschema:"directory of the settlement network"`
	MSBDHTBootstrap   []string `json:"msbDhtBootstrap" jsonschema:"entry points of the settlement network"`
	PeerStore         string   `json:"peerStore" jsonschema:"directory of the peer's store"`
	PeerDHTBootstrap  []string `json:"peerDhtBootstrap" jsonschema:"entry points of the network"`
	SubnetBootstrap   *string  `json:"subnetBootstrap" jsonschema:"bootstrap key of the subnet"`
	SubnetChannel     *string  `json:"subnetChannel" jsonschema:"channel of the subnet"`
	PeerPubkey        string   `json:"peerPubkey" jsonschema:"public key of the peer, hex"`
	PeerTracAddress   string   `json:"peerTracAddress" jsonschema:"address of the peer"`
	PeerWriterKey     string   `json:"peerWriterKey" jsonschema:"key under which the peer writes, hex"`
	SidechannelEntry  string   `json:"sidechannelEntry" jsonschema:"the channel every peer is in"`
	SidechannelExtras []string `json:"sidechannelExtras" jsonschema:"channels joined at start by flag"`
	Version           string   `json:"version" jsonschema:"version of the program"`
	Bridge            *string  `json:"bridge" jsonschema:"URL of the SC-Bridge"`
	UI                *string  `json:"ui" jsonschema:"URL of the web page"`
	Home              string   `json:"home" jsonschema:"directory of all stores"`
	Listening         []string `json:"listening" jsonschema:"addresses other peers can dial"`
}

func (p *Peer) info(context.Context, none) (info, error) {
	key := p.id.PublicKey()
	out := info{
		MSBDHTBootstrap: []string{}, PeerStore: p.cfg.Store(), PeerDHTBootstrap: append([]string{}, p.cfg.DHTBootstrap...),
		PeerPubkey: key.String(), PeerTracAddress: key.Address(), PeerWriterKey: key.String(),
		SidechannelEntry: entryChannel, SidechannelExtras: append([]string{}, p.cfg.Channels...),
		Version: Version, Home: p.cfg.Home, Listening: append([]string{}, p.host.Addrs()...),
	}
	if bootstrap, channel, ok := p.subnet.Running(); ok {
		text := bootstrap.String()
		out.SubnetBootstrap, out.SubnetChannel = &text, &channel
	}
	if network := p.msb.Running(); network.Name != "" {
		genesis := network.Genesis.String()
		out.MSBBootstrap, out.MSBChannel, out.MSBStore = &genesis, &network.Name, &network.Dir
		out.MSBDHTBootstrap = append(out.MSBDHTBootstrap, p.choice.Validators...)
	}
	if url := p.BridgeURL(); url != "" {
		out.Bridge = &url
	}
	if url := p.PageURL(); url != "" {
		out.UI = &url
	}
	return out, nil
}

func (i info) text() string {
	rows := [][2]string{
		{"peer key", i.PeerPubkey}, {"address", i.PeerTracAddress}, {"writer key", i.PeerWriterKey},
		{"store", i.PeerStore}, {"home", i.Home}, {"channels", strings.Join(append([]string{i.SidechannelEntry}, i.SidechannelExtras...), ", ")},
		{"listening", strings.Join(i.Listening, ", ")}, {"version", i.Version},
	}
	if i.SubnetBootstrap != nil {
		rows = append(rows, [2]string{"subnet", *i.SubnetBootstrap})
	}
	if i.Bridge != nil {
		rows = append(rows, [2]string{"bridge", *i.Bridge})
	}
	if i.UI != nil {
		rows = append(rows, [2]string{"page", *i.UI})
	}
	var b strings.Builder
	for _, row := range rows {
		fmt.Fprintf(&b, "%-11s %s\n", row[0], row[1])
	}
	return b.String()
}

type keys struct {
	Address   string `json:"address" jsonschema:"address of the peer"`
	PublicKey string `json:"publicKey" jsonschema:"public key of the peer, hex"`
}

type stats struct {
	UptimeMS   int64     `json:"uptimeMs" jsonschema:"how long the peer runs, ms"`
	Goroutines int       `json:"goroutines" jsonschema:"goroutines of the process"`
	HeapBytes  uint64    `json:"heapBytes" jsonschema:"bytes of live and not yet swept memory"`
	Peers      []string  `json:"peers" jsonschema:"public keys of the connected peers, hex"`
	Network    p2p.Stats `json:"network" jsonschema:"what the network holds and did since the start"`
}

func (p *Peer) stats(context.Context, none) (stats, error) {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	out := stats{
		UptimeMS: time.Since(p.started).Milliseconds(), Goroutines: runtime.NumGoroutine(), HeapBytes: memory.HeapInuse,
		Peers: []string{}, Network: p.host.Stats(),
	}
	for _, key := range p.host.Peers() {
		out.Peers = append(out.Peers, key.String())
	}
	return out, nil
}

// nodeOps are the operations about the peer as a whole.
func (p *Peer) nodeOps() []*op.Op {
	return []*op.Op{
		op.New(op.Spec[none, info]{
			Name: "info", Owner: "node", Summary: "Tell who this peer is and where it can be reached", Access: op.Read, Common: true,
			Notes:   "A member is null while the part it belongs to is not started.",
			Effects: op.Effects{Idempotent: true}, Example: `{}`, Run: p.info, Text: info.text,
		}),
		op.New(op.Spec[none, stats]{
			Name: "stats", Owner: "node", Summary: "Tell how the peer fares: connections, memory, traffic", Access: op.Read,
			Effects: op.Effects{Idempotent: true}, Example: `{}`, Run: p.stats,
		}),
		op.New(op.Spec[none, keys]{
			Name: "get_keys", Owner: "identity", Summary: "Tell the public key and the address", Access: op.Read,
			Notes:   "The secret key is told only by `intercom identity export`.",
			Effects: op.Effects{Idempotent: true}, Example: `{}`,
			Run: func(context.Context, none) (keys, error) {
				return keys{Address: p.id.PublicKey().Address(), PublicKey: p.id.PublicKey().String()}, nil
			},
			Text: func(k keys) string { return "Address: " + k.Address + "\nPublic Key: " + k.PublicKey },
		}),
		op.New(op.Spec[none, pageLink]{
			Name: "page_link", Owner: "node", Summary: "Make a link that opens the web page of this peer", Access: op.Admin,
			Notes:   "The link lets whoever opens it first into the peer: it is a secret. It works once, for 15 minutes.",
			Example: `{}`, Run: p.pageLink, Text: func(l pageLink) string { return l.URL },
		}),
		op.New(op.Spec[none, none]{
			Name: "exit", Owner: "node", Summary: "Stop the peer", Access: op.Admin,
			Effects: op.Effects{Destructive: true}, Example: `{}`,
			Run:  func(context.Context, none) (none, error) { p.stop(); return none{}, nil },
			Text: func(none) string { return "Exiting..." },
		}),
	}
}
