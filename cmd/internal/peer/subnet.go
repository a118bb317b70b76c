package peer

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"intercom/core/event"
	"intercom/core/fault"
	"intercom/intersplit"
	"intercom/intersplit/persist"
	"intercom/planes/msb"
	"intercom/planes/msb/settle"
	"intercom/planes/subnet"
	"intercom/planes/subnet/contract"
	"intercom/planes/subnet/machine"
)

// timerPace is how often the timer writes the time (upstream 3.9).
const timerPace = time.Minute

// chooseSubnet decides in which subnet the peer takes part.
func (p *Peer) chooseSubnet() (err error) {
	cfg := p.cfg.Subnet
	if cfg.Bootstrap != "" && cfg.Bootstrap == p.cfg.Settlement.Genesis {
		return fault.New(fault.Invalid, "Subnet bootstrap cannot equal MSB bootstrap.").
			WithHint("--subnet-bootstrap takes the subnetBootstrap that info shows on a peer of the subnet")
	}
	p.town, err = subnet.Choose(p.cfg.Store(), p.id.PublicKey(), cfg.Bootstrap, cfg.Channel)
	return err
}

// newSubnet plugs the subnet into the network and the settlement.
func (p *Peer) newSubnet(hub *event.Hub) *subnet.Plane {
	cfg := subnet.Config{
		Choice: p.town, Indexer: p.cfg.Subnet.Indexer, Signer: p.id, Contract: newContract(), Network: p.host, Hub: hub, Log: p.log,
	}
	if !p.cfg.Settlement.Off {
		cfg.Settlement = settlement{p.msb}
	}
	if p.cfg.Subnet.Timer {
		cfg.Timer = timerPace
	}
	return subnet.New(cfg)
}

// givenNetwork tells the settlement on which network a subnet that was joined
// settles: a joiner never makes one of its own.
func (p *Peer) givenNetwork(ctx context.Context) ([]byte, error) {
	if p.town.Own() {
		return nil, nil
	}
	return p.subnet.SettlementGenesis(ctx)
}

// newContract is what the peer's subnets run: rooms of the ledger, and the timer.
// Its number is raised whenever what is registered here changes.
func newContract() *contract.Contract {
	c := contract.New("intercom", 1)
	c.Sources(persist.Sources)
	rooms := persist.Rooms{Feed: intersplit.FeedOf}
	contract.Function(c, persist.UpsertRoom, "add signed entries to a room",
		func(call *contract.Call, in persist.Upsert) (any, error) { return rooms.Upsert(call, in) })
	contract.Function(c, persist.DeleteRoom, "remove a room that one persisted first, some parts at a call",
		func(call *contract.Call, in persist.Delete) (any, error) { return rooms.Delete(call, in) })
	contract.Function(c, persist.ReadRoom, "give a room and a part of its entries",
		func(call *contract.Call, in persist.Read) (any, error) { return rooms.Read(call, in) })
	contract.Feature(c, "timer", "keep the time", tick)
	return c
}

// tick keeps the time that the admin's timer tells, which never goes back.
func tick(call *contract.Call, key string, ms int64) error {
	var before int64
	if call.Read("currentTime", &before); key != "currentTime" || ms < before {
		return errors.New("the timer gives currentTime, which never goes back")
	}
	call.Put(key, ms)
	return nil
}

// settlement is the settlement plane as the subnet sees it.
type settlement struct{ *msb.Plane }

func (settlement) Begin(genesis []byte) (network string, trust []byte, err error) {
	return settle.Begin(genesis)
}

func (settlement) Verify(trust, proof []byte, claim machine.Claim) (machine.Fact, error) {
	settled, err := settle.Verify(trust, proof, settle.Claim(claim))
	return machine.Fact{Tx: settled.ID}, err
}

func (settlement) Advance(trust, update []byte) ([]byte, error) { return settle.Advance(trust, update) }

func (s settlement) Deploy(ctx context.Context, bootstrap machine.Signer, channel [32]byte) ([32]byte, error) {
	return s.Plane.Deploy(ctx, bootstrap, channel)
}

// persisted is the contract's state as the ledger sees it.
type persisted struct{ plane *subnet.Plane }

func (s persisted) Get(ctx context.Context, key string, confirmed bool) (json.RawMessage, error) {
	return s.plane.Value(ctx, key, confirmed)
}

func (s persisted) Call(ctx context.Context, function string, value json.RawMessage, sim bool, wait time.Duration) (intersplit.Transaction, error) {
	d, err := s.plane.Dispatch(function, value)
	if err != nil {
		return intersplit.Transaction{}, err
	}
	var result subnet.TxResult
	if sim {
		result, err = s.plane.Simulate(ctx, d)
	} else {
		result, err = s.plane.Transact(ctx, d, wait)
	}
	return intersplit.Transaction{Tx: result.Tx, State: result.State, Settled: result.Settled, Error: result.Error}, err
}
