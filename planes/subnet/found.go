package subnet

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/identity"
	"intercom/planes/subnet/machine"
)

// begin gives the subnet's first entry: the stored one, else a new one of the own
// subnet, else one that a peer gives.
func (m *member) begin(ctx context.Context) (*feed.Entry, error) {
	var first *feed.Entry
	err := m.feeds.Scan(m.feedID, feed.Position{}, func(e *feed.Entry) bool {
		if len(e.Parents) == 0 {
			first = e
		}
		return false
	})
	if err != nil || first != nil {
		return first, err
	}
	if m.bootstrap == m.self {
		return m.found(ctx)
	}
	for {
		for _, peer := range m.plane.cfg.Network.Peers() {
			first, err := m.ask(ctx, peer)
			if fault.KindOf(err) == fault.Conflict {
				return nil, err
			}
			if err == nil && first != nil {
				return first, m.take(ctx, first, peer)
			}
		}
		select {
		case <-m.plane.poke:
		case <-time.After(time.Second):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// found makes the own subnet: this peer alone confirms it, and everything it needs
// to know of the settlement network stands in the first entry.
func (m *member) found(ctx context.Context) (*feed.Entry, error) {
	key, err := bft.ValidatorKey(m.engineDir())
	if err != nil {
		return nil, err
	}
	chain := bft.Genesis{
		ChainID: bft.RandomChainID("subnet"), Time: time.Now().UTC(), Validators: []bft.Validator{{Key: key, Power: 1}},
	}
	first := &machine.First{
		Contract: m.plane.cfg.Contract.Version(), Chain: machine.DocumentOf(chain.Encode()),
		Indexers: []machine.Indexer{{Author: m.self, Key: key}},
	}
	var chunks []*machine.Chunk
	if first.Settlement, chunks, err = m.settlement(ctx); err != nil {
		return nil, err
	}
	raw, err := machine.Encode(first)
	if err != nil {
		return nil, err
	}
	bodies := [][]byte{raw}
	for _, c := range chunks {
		if raw, err = machine.Encode(c); err != nil {
			return nil, err
		}
		bodies = append(bodies, raw)
	}
	entries, err := m.feeds.AppendAll(ctx, m.feedID, m.plane.cfg.Signer, bodies, time.Now())
	if err != nil {
		return nil, err
	}
	return entries[0], nil
}

// settlement describes the network that the new subnet settles on, nil for none,
// with what of it does not fit into the first entry.
func (m *member) settlement(ctx context.Context) (*machine.Settlement, []*machine.Chunk, error) {
	port := m.plane.cfg.Settlement
	if port == nil {
		return nil, nil, nil
	}
	genesis, err := port.Genesis(ctx)
	if err != nil {
		return nil, nil, err
	}
	network, trust, err := port.Begin(genesis)
	if err != nil {
		return nil, nil, err
	}
	s := &machine.Settlement{Network: network, Genesis: machine.DocumentOf(genesis), Trust: machine.DocumentOf(trust)}
	var chunks []*machine.Chunk
	for _, whole := range [][]byte{genesis, trust} {
		if len(machine.DocumentOf(whole).Inline) == 0 {
			chunks = append(chunks, machine.Chunks(whole)...)
		}
	}
	return s, chunks, nil
}

// take stores the first entry that a peer gave.
func (m *member) take(ctx context.Context, first *feed.Entry, from identity.PublicKey) error {
	_, err := m.feeds.Add(ctx, first, from, time.Now())
	return err
}

// read reads what the first entry says.
func (m *member) read(e *feed.Entry) error {
	if e.Author != m.bootstrap {
		return fault.New(fault.Conflict, "the first entry is of %s, not of %s", e.Author, m.bootstrap).WithHint("remove the subnet's directory")
	}
	body, err := machine.Decode(e.Body)
	if err != nil {
		return err
	}
	first, ok := body.(*machine.First)
	if !ok {
		return fault.New(fault.Conflict, "subnet %s begins with a %s", m.bootstrap, body.Kind()).WithHint("its owner has to make another one")
	}
	if mine := m.plane.cfg.Contract.Version(); first.Contract != mine {
		return otherContract(first.Contract.String(), mine.String())
	}
	if len(first.Chain.Inline) == 0 {
		return fault.New(fault.Unavailable, "the first entry of subnet %s does not hold the genesis of its chain", m.bootstrap).
			WithHint("this version joins subnets that were made by one peer")
	}
	if m.genesis, err = bft.ParseGenesis(first.Chain.Inline); err != nil {
		return err
	}
	m.first, m.firstRaw = first, e.Encode()
	return nil
}

func otherContract(theirs, mine string) error {
	return fault.New(fault.Conflict, "the subnet runs contract version %.16s…, this peer %.16s…", theirs, mine).
		WithHint("run the software that the subnet was made with")
}

// ask greets a peer before this one has the first entry, and gives the one it got:
// of the bootstrap key, signed by it, in this subnet's feed.
func (m *member) ask(ctx context.Context, peer identity.PublicKey) (*feed.Entry, error) {
	mine := greeting{Version: protocolVersion, Contract: m.plane.cfg.Contract.Version().String()}
	theirs, err := m.exchange(ctx, peer, mine)
	if err != nil || len(theirs.First) == 0 {
		return nil, err
	}
	e, err := feed.Decode(theirs.First)
	switch {
	case err != nil:
		return nil, err
	case e.Feed != m.feedID || e.Author != m.bootstrap || len(e.Parents) != 0,
		!identity.Verify(e.Author, e.Preimage(), e.Sig[:]):
		return nil, fault.New(fault.Invalid, "peer %s gave what is no first entry of subnet %s", peer, m.bootstrap)
	}
	return e, nil
}

// greeting is what peers of one subnet tell each other first. The answer to one
// that lacks the first entry brings it.
type greeting struct {
	Version  int    `json:"version"`
	Contract string `json:"contract"`
	Node     string `json:"node,omitempty"` // id of the engine, of a peer with the whole chain
	Height   int64  `json:"height,omitempty"`
	First    []byte `json:"first,omitempty"`
}

const protocolVersion = 1

// greeting is this peer's.
func (m *member) greeting() greeting {
	g := greeting{
		Version: protocolVersion, Contract: m.plane.cfg.Contract.Version().String(),
		Height: m.log.Status().Height, First: bytes.Clone(m.firstRaw),
	}
	if m.node != nil {
		g.Node = m.node.ID()
	}
	return g
}

// exchange sends a greeting and reads the other's. One of another protocol or
// contract is a fault.Conflict.
func (m *member) exchange(ctx context.Context, peer identity.PublicKey, mine greeting) (theirs greeting, err error) {
	err = m.talk(ctx, peer, helloProtocol, func(s stream) error {
		if err := writeMessage(s, mine); err != nil {
			return err
		}
		return readMessage(s, &theirs)
	})
	if err == nil {
		err = theirs.fits(mine)
	}
	return theirs, err
}

func (g greeting) fits(mine greeting) error {
	if g.Version != mine.Version {
		return fault.New(fault.Conflict, "the peer speaks version %d of the subnet protocol, this one %d", g.Version, mine.Version).
			WithHint("run the same version of the program")
	}
	if g.Contract != mine.Contract {
		return otherContract(g.Contract, mine.Contract)
	}
	return nil
}

// writeMessage and readMessage carry one small JSON object as a line.
func writeMessage(s stream, v any) error {
	raw, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = s.Write(append(raw, '\n'))
	return err
}

func readMessage(s stream, v any) error {
	raw, err := readLine(s, maxMessage)
	if err != nil {
		return err
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(v); err != nil {
		return fault.New(fault.Invalid, "the peer sent no message of the subnet protocol: %v", err)
	}
	return nil
}
