package msb

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/chain"
)

type txIn struct {
	Hash txHash `json:"hash" jsonschema:"hash of the transaction, 64 hex digits"`
}

// txDetails is a settled transaction. What stands in it depends on its type.
type txDetails struct {
	Hash         txHash      `json:"hash" jsonschema:"hash of the transaction"`
	Type         int         `json:"type" jsonschema:"number of the operation: 13 transfer, 12 contract, 11 deployment, 4 whitelist, 5 and 6 add and remove validator, 10 ban"`
	Name         string      `json:"name" jsonschema:"its name"`
	Requester    account     `json:"requester" jsonschema:"who signed it and paid the fee"`
	Height       int64       `json:"height" jsonschema:"the block that settled it"`
	Index        int         `json:"index" jsonschema:"its place in the block, from 0"`
	Time         string      `json:"time" jsonschema:"the block's time"`
	Code         uint32      `json:"code" jsonschema:"result code; 0 is success, with any other it did nothing but pay its fee"`
	CodeName     string      `json:"code_name" jsonschema:"name of the code"`
	Fee          bus.Amount  `json:"fee" jsonschema:"what it cost, in TNK"`
	Nonce        string      `json:"nonce" jsonschema:"what makes it different from equal ones, hex"`
	Expiry       uint64      `json:"expiry" jsonschema:"the last height whose block could hold it"`
	To           *account    `json:"to,omitempty" jsonschema:"of a transfer: the recipient"`
	Amount       *bus.Amount `json:"amount,omitempty" jsonschema:"of a transfer: what was sent, in TNK"`
	Subnet       string      `json:"subnet,omitempty" jsonschema:"of a contract or deployment: bootstrap key of the subnet, hex"`
	Command      string      `json:"command,omitempty" jsonschema:"of a contract: hash of the command, hex"`
	Channel      string      `json:"channel,omitempty" jsonschema:"of a deployment: the subnet's channel, hex"`
	Account      *account    `json:"account,omitempty" jsonschema:"of a role: whose it is"`
	ValidatorKey string      `json:"validator_key,omitempty" jsonschema:"of a new validator: key of its engine, hex"`
}

type txOut struct {
	txDetails
	where
}

func (p *Plane) opTx() *op.Op {
	return op.New(op.Spec[txIn, txOut]{
		Name: "msb_tx", Owner: owner, Summary: "Tell what a settled transaction says and what came of it",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Args: []string{"hash"},
		Example: `{"hash":"` + exampleHash + `"}`,
		Run: func(ctx context.Context, in txIn) (txOut, error) {
			n, err := p.use(ctx)
			if err != nil {
				return txOut{}, err
			}
			out := txOut{where: n.where()}
			out.txDetails, err = n.details(ctx, bus.ID(in.Hash))
			return out, err
		},
	})
}

// details finds a settled transaction in its block.
func (n *network) details(ctx context.Context, id bus.ID) (txDetails, error) {
	r, settled, at, err := n.ledger.Record(ctx, id)
	if err != nil {
		return txDetails{}, err
	}
	if !settled {
		return txDetails{}, fault.New(fault.NotFound, "Transaction %s not found: it is not settled at height %d of network %q", id, at, n.settings.Network).
			WithHint("tx_status tells of this peer's transactions on the way")
	}
	for from := (chain.Place{Height: int64(r.Height)}); from != (chain.Place{}); {
		var list []chain.Listed
		if list, from, err = n.ledger.Txs(ctx, from, int64(r.Height), chain.MaxListed); err != nil {
			return txDetails{}, err
		}
		for _, l := range list {
			if l.Tx.ID == id {
				return detailsOf(l), nil
			}
		}
	}
	return txDetails{}, fault.New(fault.Unavailable, "block %d, which settled transaction %s, is not at hand", r.Height, id).
		WithHint("tx_status tells its result; ask a peer that keeps all blocks for the rest")
}

func detailsOf(l chain.Listed) txDetails {
	kind := bus.KindOf(l.Tx.Body)
	d := txDetails{
		Hash: txHash(l.Tx.ID), Type: int(kind), Name: kind.String(), Requester: account(l.Tx.Requester),
		Height: l.Height, Index: l.Index, Time: l.Time.UTC().Format(time.RFC3339Nano),
		Code: uint32(l.Code), CodeName: l.Code.String(), Fee: bus.Fee,
		Nonce: hex.EncodeToString(l.Tx.Nonce[:]), Expiry: l.Tx.Expiry,
	}
	switch b := l.Tx.Body.(type) {
	case bus.Transfer:
		d.To, d.Amount = (*account)(&b.To), &b.Amount
	case bus.Contract:
		d.Subnet, d.Command = b.Subnet.String(), hex.EncodeToString(b.Command[:])
	case bus.Deployment:
		d.Subnet, d.Channel = b.Subnet.String(), hex.EncodeToString(b.Channel[:])
	case bus.AddValidator:
		d.ValidatorKey = b.Key.String()
	case bus.Whitelist:
		d.Account = (*account)(&b.Account)
	case bus.Ban:
		d.Account = (*account)(&b.Account)
	}
	return d
}

type txsIn struct {
	From   height   `json:"from,omitempty" jsonschema:"first height; 1 if left out"`
	To     height   `json:"to,omitempty" jsonschema:"last height; the newest if left out"`
	Limit  op.Limit `json:"limit,omitempty" jsonschema:"how many at most, 1 to 1000; 100 if left out"`
	Cursor string   `json:"cursor,omitempty" jsonschema:"next_cursor of the page before, with the same to; from does not count then"`
}

type txsOut struct {
	Txs        []txDetails `json:"txs" jsonschema:"settled transactions, oldest first, those with a code other than 0 too"`
	NextCursor string      `json:"next_cursor,omitempty" jsonschema:"there may be more: pass it as cursor"`
	where
}

func (p *Plane) opTxs() *op.Op {
	return op.New(op.Spec[txsIn, txsOut]{
		Name: "msb_txs", Owner: owner, Summary: "List the settled transactions of a range of heights",
		Notes:  "A page may be short, or empty, and yet not the last: go on while there is a next_cursor.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Args: []string{"from", "to"},
		Synonyms: map[string][]string{"from": {"start"}, "to": {"end"}}, Example: `{"from":1}`,
		Run: p.txs, Text: txsOut.text,
	})
}

func (p *Plane) txs(ctx context.Context, in txsIn) (txsOut, error) {
	from := chain.Place{Height: max(int64(in.From), 1)}
	if in.Cursor != "" {
		if _, err := fmt.Sscanf(in.Cursor, "%d.%d", &from.Height, &from.Index); err != nil || from.Height < 1 || from.Index < 0 {
			return txsOut{}, fault.New(fault.Invalid, "cursor %.40q is none of msb_txs", in.Cursor).WithHint("pass next_cursor of the page before, or none")
		}
	}
	if in.To != 0 && int64(in.To) < from.Height {
		return txsOut{}, fault.New(fault.Invalid, "to %d is less than from %d", in.To, from.Height).WithHint("heights go up")
	}
	n, err := p.use(ctx)
	if err != nil {
		return txsOut{}, err
	}
	list, next, err := n.ledger.Txs(ctx, from, int64(in.To), in.Limit.Or(100))
	if err != nil {
		return txsOut{}, err
	}
	out := txsOut{Txs: []txDetails{}, where: n.where()}
	for _, l := range list {
		out.Txs = append(out.Txs, detailsOf(l))
	}
	if next != (chain.Place{}) {
		out.NextCursor = fmt.Sprintf("%d.%d", next.Height, next.Index)
	}
	return out, nil
}

func (out txsOut) text() string {
	var b strings.Builder
	for _, d := range out.Txs {
		fmt.Fprintf(&b, "%d.%d %s %s %s", d.Height, d.Index, bus.ID(d.Hash), d.Name, identity.PublicKey(d.Requester).Address())
		if d.To != nil {
			fmt.Fprintf(&b, " -> %s %s TNK", identity.PublicKey(*d.To).Address(), d.Amount)
		}
		if d.Code != 0 {
			fmt.Fprintf(&b, " failed: %s", d.CodeName)
		}
		b.WriteByte('\n')
	}
	if out.NextCursor != "" {
		fmt.Fprintf(&b, "more: --cursor %s\n", out.NextCursor)
	}
	return plainly(strings.TrimRight(b.String(), "\n"), out.where)
}
