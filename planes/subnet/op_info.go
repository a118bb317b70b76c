package subnet

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/op"
	"intercom/planes/subnet/machine"
)

type infoOut struct {
	Bootstrap    string        `json:"bootstrap" jsonschema:"bootstrap key of the subnet, hex: what a joiner passes as --subnet-bootstrap"`
	Channel      string        `json:"channel" jsonschema:"channel of the subnet"`
	WriterKey    string        `json:"writer_key" jsonschema:"key under which this peer writes, hex"`
	Role         string        `json:"role" jsonschema:"admin, indexer, writer or reader: the first that this peer is"`
	Writable     bool          `json:"writable" jsonschema:"whether this peer may write"`
	Admin        *string       `json:"admin" jsonschema:"key of the admin, hex; null when there is none"`
	NextAdmin    *string       `json:"next_admin" jsonschema:"who may become the admin by update_admin with its own key; null for nobody"`
	Indexers     []indexerInfo `json:"indexers" jsonschema:"who confirms"`
	Missing      []string      `json:"missing" jsonschema:"indexers that are not there, by author, as far as this peer's engine knows"`
	Quorum       int           `json:"quorum" jsonschema:"how many indexers have to be there"`
	Writers      uint64        `json:"writers" jsonschema:"how many keys may write"`
	Height       int64         `json:"height" jsonschema:"newest confirmed block here"`
	Root         string        `json:"root" jsonschema:"root of the confirmed state, hex"`
	Confirmed    uint64        `json:"confirmed" jsonschema:"confirmed entries, with the first one"`
	Waiting      int           `json:"waiting" jsonschema:"entries that are here and not confirmed"`
	Contract     string        `json:"contract" jsonschema:"version of the contract, hex"`
	Settlement   *string       `json:"settlement" jsonschema:"network that transactions are paid on; null: this subnet runs them unsettled"`
	Transactions bool          `json:"transactions" jsonschema:"whether transactions are carried out"`
	AutoAdd      bool          `json:"auto_add_writers" jsonschema:"whether writers let others in by themselves"`
	Chat         bool          `json:"chat" jsonschema:"whether the chat is on"`
	Health       string        `json:"health" jsonschema:"of the confirming: healthy, starting, syncing, stalled, failed, conflict, or following"`
	Reason       string        `json:"reason,omitempty" jsonschema:"why it is not healthy"`
	Peers        []string      `json:"peers" jsonschema:"connected peers of this subnet, by key"`
}

type indexerInfo struct {
	Author    string `json:"author" jsonschema:"its key, hex"`
	Validator string `json:"validator" jsonschema:"key of its engine, hex"`
}

func (p *Plane) opInfo() *op.Op {
	return op.New(op.Spec[none, infoOut]{
		Name: "subnet_info", Owner: owner, Summary: "Tell how the subnet stands: bootstrap, role, indexers, lengths, health",
		Notes:  "The first call makes the peer's own subnet, unless it was started with another's bootstrap.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Example: `{}`, Run: p.info, Text: infoOut.text,
	})
}

func (p *Plane) info(ctx context.Context, _ none) (infoOut, error) {
	m, err := p.use(ctx)
	if err != nil {
		return infoOut{}, err
	}
	state, err := m.log.State()
	if err != nil {
		return infoOut{}, err
	}
	s, err := machine.SettingsOf(state)
	if err != nil {
		return infoOut{}, err
	}
	now := m.log.Status()
	out := infoOut{
		Bootstrap: m.bootstrap.String(), Channel: p.cfg.Choice.Channel, WriterKey: m.self.String(),
		Indexers: []indexerInfo{}, Missing: []string{}, Peers: []string{}, Quorum: len(s.Indexers)*2/3 + 1, Writers: s.Writers,
		Height: now.Height, Root: now.Root.String(), Confirmed: now.Confirmed, Waiting: now.Waiting,
		Contract: hex.EncodeToString(s.Contract[:]), Transactions: s.Transactions, AutoAdd: s.AutoAdd, Chat: s.Chat,
	}
	if !s.Admin.IsZero() {
		text := s.Admin.String()
		out.Admin = &text
	}
	if !s.Next.IsZero() {
		text := s.Next.String()
		out.NextAdmin = &text
	}
	if s.Settlement != "" {
		out.Settlement = &s.Settlement
	}
	if out.Writable, _, err = machine.MayWrite(state, m.self); err != nil {
		return out, err
	}
	keys, _ := m.near.members()
	for _, key := range keys {
		out.Peers = append(out.Peers, key.String())
	}
	m.role(&out, s)
	m.fares(&out, s)
	return out, nil
}

func (m *member) role(out *infoOut, s machine.Settings) {
	out.Role = "reader"
	if out.Writable {
		out.Role = "writer"
	}
	for _, x := range s.Indexers {
		out.Indexers = append(out.Indexers, indexerInfo{Author: x.Author.String(), Validator: x.Key.String()})
		if x.Author == m.self {
			out.Role = "indexer"
		}
	}
	if s.Admin == m.self {
		out.Role = "admin"
	}
}

// fares tells of the health of confirming, and who is missing.
func (m *member) fares(out *infoOut, s machine.Settings) {
	out.Health = "following"
	if m.node != nil {
		status := m.node.Status()
		out.Health, out.Reason = string(status.Health.State), status.Health.Reason
		for _, x := range s.Indexers {
			for _, absent := range status.Absent {
				if absent.Key == x.Key && status.Health.State != bft.Starting {
					out.Missing = append(out.Missing, x.Author.String())
				}
			}
		}
	}
	if conflict := m.log.Status().Conflict; conflict != nil {
		out.Health, out.Reason = "conflict", fault.Of(conflict).Message
	}
}

func (out infoOut) text() string {
	var b strings.Builder
	settlement := "none: transactions run unsettled"
	if out.Settlement != nil {
		settlement = *out.Settlement
	}
	admin := "none"
	if out.Admin != nil {
		admin = *out.Admin
	}
	for _, row := range [][2]string{
		{"bootstrap", out.Bootstrap}, {"channel", out.Channel}, {"writer key", out.WriterKey}, {"role", out.Role}, {"admin", admin},
		{"confirmed", fmt.Sprintf("%d entries, block %d", out.Confirmed, out.Height)}, {"waiting", fmt.Sprint(out.Waiting)},
		{"indexers", fmt.Sprintf("%d, %d have to be there", len(out.Indexers), out.Quorum)},
		{"missing", strings.Join(out.Missing, ", ")}, {"contract", out.Contract}, {"settlement", settlement},
		{"health", strings.TrimSpace(out.Health + " " + out.Reason)}, {"peers", fmt.Sprint(len(out.Peers))},
	} {
		if row[1] != "" {
			fmt.Fprintf(&b, "%-11s %s\n", row[0], row[1])
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

type deployOut struct {
	Bootstrap string `json:"bootstrap" jsonschema:"bootstrap key of the subnet, hex"`
	Channel   string `json:"channel" jsonschema:"channel of the subnet as it is registered, hex"`
	Tx        string `json:"tx" jsonschema:"hash of the deployment, hex"`
	State     string `json:"state" jsonschema:"accepted: it is paid and goes on by itself; see tx_status"`
	Network   string `json:"network" jsonschema:"the settlement network"`
}

func (p *Plane) opDeploy() *op.Op {
	return op.New(op.Spec[none, deployOut]{
		Name: "deploy_subnet", Owner: owner, Summary: "Register this peer's own subnet on the network it settles on",
		Notes:  "Only the peer that made the subnet can, and need not: it happens by itself before the first transaction.",
		Access: op.Admin, Effects: op.Effects{OpenWorld: true}, Example: `{}`, Run: p.deploy,
		Text: func(out deployOut) string {
			return "Subnet bootstrap: " + out.Bootstrap + "\nSubnet channel (hex): " + out.Channel + "\nSubnet deployment tx: " + out.Tx
		},
	})
}

func (p *Plane) deploy(ctx context.Context, _ none) (deployOut, error) {
	m, err := p.use(ctx)
	if err != nil {
		return deployOut{}, err
	}
	if !m.settles() {
		return deployOut{}, fault.New(fault.Conflict, "subnet %s settles nothing, so there is nowhere to register it", m.bootstrap).
			WithHint("its transactions run unsettled; a subnet that settles is made by a peer started without --msb 0")
	}
	if m.bootstrap != m.self {
		return deployOut{}, fault.New(fault.Denied, "only the peer that made subnet %s can register it", m.bootstrap).WithHint("ask its owner")
	}
	hash, err := m.deploy(ctx)
	channel := m.channel()
	return deployOut{
		Bootstrap: m.bootstrap.String(), Channel: hex.EncodeToString(channel[:]), Tx: hex.EncodeToString(hash[:]),
		State: accepted, Network: m.first.Settlement.Network,
	}, err
}
