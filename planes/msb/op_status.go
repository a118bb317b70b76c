package msb

import (
	"context"
	"fmt"
	"time"

	"intercom/core/fault"
	"intercom/core/op"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/outbox"
)

type statusIn struct {
	Hash txHash `json:"hash" jsonschema:"hash of the transaction, 64 hex digits"`
}

type waitIn struct {
	Hash    txHash     `json:"hash" jsonschema:"hash of the transaction, 64 hex digits"`
	Timeout *op.WaitMS `json:"timeout_ms,omitempty" jsonschema:"how long to wait for the end, in ms, 0 to 60000; 30000 if left out"`
}

type statusOut struct {
	Hash     txHash       `json:"hash" jsonschema:"hash of the transaction"`
	State    outbox.State `json:"state" jsonschema:"created: on this peer's disk; sent: offered; accepted: a validator said that it waits; confirmed: settled; failed: refused for good, or settled without effect; expired: it is proven that it never will be settled"`
	Code     *uint32      `json:"code,omitempty" jsonschema:"result code, once it has ended; 0 is success"`
	CodeName string       `json:"code_name,omitempty" jsonschema:"name of the code"`
	Height   uint64       `json:"height,omitempty" jsonschema:"the block that settled it"`
	Refusal  string       `json:"refusal,omitempty" jsonschema:"the newest refusal of a validator, which decides nothing while the state is sent"`
	where
}

func (p *Plane) opStatus() *op.Op {
	return op.New(op.Spec[statusIn, statusOut]{
		Name: "tx_status", Owner: owner, Summary: "Tell how far a transaction has come",
		Notes:  "Of any settled transaction, and of this peer's own on the way. What others have on the way nobody can tell: not_found.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Args: []string{"hash"},
		Example: `{"hash":"` + exampleHash + `"}`,
		Run: func(ctx context.Context, in statusIn) (statusOut, error) {
			n, err := p.use(ctx)
			if err != nil {
				return statusOut{}, err
			}
			return n.status(ctx, bus.ID(in.Hash))
		},
		Text: statusOut.text,
	})
}

// exampleHash stands in examples: no transaction has it.
const exampleHash = "00000000000000000000000000000000000000000000000000000000000000a1"

// defaultWait is how long tx_wait waits when it is not told.
const defaultWait = 30 * time.Second

func (p *Plane) opWait() *op.Op {
	return op.New(op.Spec[waitIn, statusOut]{
		Name: "tx_wait", Owner: owner, Summary: "Wait until a transaction has ended, and tell how",
		Notes: "It answers at the latest after timeout_ms, with the state of then: look whether that is confirmed. " +
			"A transaction that did not end goes on; call again. One of another peer that is not settled by then is not_found.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Args: []string{"hash"},
		Example: `{"hash":"` + exampleHash + `","timeout_ms":1000}`,
		Run:     p.await, Text: statusOut.text,
	})
}

func (p *Plane) await(ctx context.Context, in waitIn) (statusOut, error) {
	n, err := p.use(ctx)
	if err != nil {
		return statusOut{}, err
	}
	wait := defaultWait
	if in.Timeout != nil {
		wait = in.Timeout.Duration()
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if err := n.awaitEnd(waiting, bus.ID(in.Hash)); err != nil && waiting.Err() == nil {
		return statusOut{}, err
	}
	if ctx.Err() != nil {
		return statusOut{}, ctx.Err()
	}
	return n.status(ctx, bus.ID(in.Hash))
}

// awaitEnd waits until a transaction has ended: one of this peer in the outbox, any
// other by being settled.
func (n *network) awaitEnd(ctx context.Context, id bus.ID) error {
	_, err := n.outbox.Wait(ctx, id, outbox.Confirmed)
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	_, err = n.ledger.Wait(ctx, id)
	return err
}

// status tells what the outbox knows, else what the network has settled.
func (n *network) status(ctx context.Context, id bus.ID) (statusOut, error) {
	out := statusOut{Hash: txHash(id), where: n.where()}
	e, err := n.outbox.Get(id)
	if err == nil {
		out.State, out.Height = e.State, e.Height
		if out.Code, out.CodeName = codeOf(e); !e.Ended() && e.Code != bus.OK {
			out.Refusal = e.Code.String() + ": " + e.Text
		}
		return out, nil
	}
	if fault.KindOf(err) != fault.NotFound {
		return out, err
	}
	r, settled, at, err := n.ledger.Record(ctx, id)
	if err == nil && !settled {
		err = fault.New(fault.NotFound, "Transaction %s not found: this peer did not send it, and it is not settled at height %d of network %q", id, at, n.settings.Network).
			WithHint("check the hash and the network; one that somebody else has just sent is seen when it is settled")
	}
	if err != nil {
		return out, err
	}
	code := uint32(r.Code)
	out.State, out.Code, out.CodeName, out.Height = outbox.Confirmed, &code, r.Code.String(), r.Height
	if r.Code != bus.OK {
		out.State = outbox.Failed
	}
	return out, nil
}

func (out statusOut) text() string {
	text := stateText(out.State, out.CodeName)
	if out.Height > 0 {
		text += fmt.Sprintf(" at height %d", out.Height)
	}
	if out.Refusal != "" {
		text += "\nlast refusal: " + out.Refusal
	}
	return plainly(text, out.where)
}
