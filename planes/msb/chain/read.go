package chain

import (
	"context"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/msb/bus"
)

// states is where a ledger reads the bus: some leaves of the state after the
// block of that height, and which height it is; newest stands for the newest.
type states interface {
	state(ctx context.Context, height int64, keys ...[]byte) (s bus.State, at int64, err error)
}

const newest = -1

// reads are the questions that both ledgers answer from leaves.
type reads struct{ from states }

// Account reads an account.
func (r reads) Account(ctx context.Context, key identity.PublicKey, height int64) (a bus.Account, known bool, at int64, err error) {
	switch {
	case height < 0:
		return a, false, 0, fault.New(fault.Invalid, "height %d", height).WithHint("heights begin with 1; 0 is the newest")
	case height == 0:
		height = newest
	}
	s, at, err := r.from.state(ctx, height, bus.AccountLeaf(key))
	if err != nil {
		return a, false, 0, err
	}
	a, known, err = s.Account(key)
	return a, known, at, err
}

// Record tells what became of a transaction.
func (r reads) Record(ctx context.Context, id bus.ID) (bus.Record, bool, int64, error) {
	list, at, err := r.Records(ctx, []bus.ID{id})
	if err != nil {
		return bus.Record{}, false, 0, err
	}
	return list[0].Record, list[0].Settled, at, nil
}

// Records tells what became of several.
func (r reads) Records(ctx context.Context, ids []bus.ID) (list []Status, at int64, err error) {
	if len(ids) == 0 || len(ids) > MaxRecords {
		return nil, 0, fault.New(fault.Invalid, "%d transactions are asked for", len(ids)).WithHint("ask for 1 to %d", MaxRecords)
	}
	keys := make([][]byte, len(ids))
	for i, id := range ids {
		keys[i] = bus.TxLeaf(id)
	}
	s, at, err := r.from.state(ctx, newest, keys...)
	if err != nil {
		return nil, 0, err
	}
	list = make([]Status, len(ids))
	for i, id := range ids {
		if list[i].Record, list[i].Settled, err = s.Tx(id); err != nil {
			return nil, 0, err
		}
	}
	return list, at, nil
}

// Deployment reads a subnet's entry.
func (r reads) Deployment(ctx context.Context, subnet identity.PublicKey) (d bus.Registration, known bool, at int64, err error) {
	s, at, err := r.from.state(ctx, newest, bus.DeploymentLeaf(subnet))
	if err != nil {
		return d, false, 0, err
	}
	d, known, err = s.Deployment(subnet)
	return d, known, at, err
}

// Network reads what concerns all.
func (r reads) Network(ctx context.Context) (n Network, err error) {
	s, at, err := r.from.state(ctx, newest, bus.NetworkLeaves()...)
	if err != nil {
		return Network{}, err
	}
	keep := func(e error) {
		if err == nil {
			err = e
		}
	}
	n = Network{Height: at, Fee: bus.Fee}
	var e error
	n.Name, e = s.Network()
	keep(e)
	n.Development, e = s.Development()
	keep(e)
	n.Supply, e = s.Supply()
	keep(e)
	n.Burned, e = s.Burned()
	keep(e)
	n.Seats, e = s.Validators()
	keep(e)
	n.Licenses, e = s.Licenses()
	keep(e)
	n.Admin, n.HasAdmin, e = s.Admin()
	keep(e)
	return n, err
}
