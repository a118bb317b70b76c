package msb

import (
	"context"
	"fmt"
	"time"

	"intercom/core/identity"
	"intercom/core/op"
	"intercom/planes/msb/bus"
	"intercom/planes/msb/outbox"
)

type transferIn struct {
	To     account   `json:"to" jsonschema:"address or key of the recipient; an account is made if it has none"`
	Amount amount    `json:"amount" jsonschema:"decimal TNK with at most 18 digits behind the point, such as 12.5"`
	Key    callKey   `json:"key,omitempty" jsonschema:"idempotency key: a call repeated with it sends nothing more and gives the same hash"`
	DryRun op.Flag   `json:"dry_run,omitempty" jsonschema:"answer what it would cost and leave, and send nothing"`
	Wait   op.WaitMS `json:"wait_ms,omitempty" jsonschema:"wait up to that many ms, 0 to 60000, for it to be confirmed or failed"`
}

type transferOut struct {
	Hash     *txHash      `json:"hash,omitempty" jsonschema:"names the transaction; absent with dry_run"`
	State    outbox.State `json:"state,omitempty" jsonschema:"what is known of it, as of tx_status; absent with dry_run"`
	Code     *uint32      `json:"code,omitempty" jsonschema:"result code, once it has ended; 0 is success"`
	CodeName string       `json:"code_name,omitempty" jsonschema:"name of the code"`
	Height   uint64       `json:"height,omitempty" jsonschema:"the block that settled it"`
	To       account      `json:"to" jsonschema:"the recipient"`
	Amount   bus.Amount   `json:"amount" jsonschema:"what is sent, in TNK"`
	Fee      bus.Amount   `json:"fee" jsonschema:"what it costs besides, in TNK"`
	Left     *bus.Amount  `json:"balance_after,omitempty" jsonschema:"with dry_run: what would be left after it and all that is on the way"`
	DryRun   bool         `json:"dry_run,omitempty" jsonschema:"true: nothing was sent"`
	where
}

func (p *Plane) opTransfer() *op.Op {
	return op.New(op.Spec[transferIn, transferOut]{
		Name: "transfer", Owner: owner, Summary: "Send an amount to an account",
		Notes: "The answer says what is known: created is stored on this peer, sent and accepted are on the way, only confirmed has moved funds. " +
			"It goes on by itself until it is confirmed, failed or expired, also after a restart; tx_wait waits for that. " +
			"Give a key, so that repeating the call cannot pay twice.",
		Access: op.Write, Effects: op.Effects{Destructive: true, OpenWorld: true},
		Synonyms: map[string][]string{"to": {"address", "recipient"}}, Args: []string{"to", "amount"},
		Example: `{"to":"` + exampleAddress + `","amount":"1.5","key":"invoice-7"}`,
		Run:     p.transfer, Text: transferOut.text,
	})
}

// exampleAddress stands in examples: its key is nobody's.
const exampleAddress = "trac1x3lrxnw6tt62q0j0lryqw7t9r5nq7ve3tm7r0pwj6rcn9g7xqerq8hd7nv"

func (p *Plane) transfer(ctx context.Context, in transferIn) (transferOut, error) {
	sum, err := bus.ParseAmount(string(in.Amount))
	if err != nil {
		return transferOut{}, err
	}
	n, err := p.use(ctx)
	if err != nil {
		return transferOut{}, err
	}
	body := bus.Transfer{To: identity.PublicKey(in.To), Amount: sum}
	out := transferOut{
		To: in.To, Amount: sum, Fee: bus.Fee, DryRun: bool(in.DryRun),
		where: n.where(),
	}
	if in.DryRun {
		left, _, err := n.covers(ctx, body)
		out.Left = &left
		return out, err
	}
	e, err := n.sendAndWait(ctx, body, in.Key, in.Wait.Duration())
	if err != nil {
		return transferOut{}, err
	}
	out.Hash, out.State, out.Height = (*txHash)(&e.ID), e.State, e.Height
	out.Code, out.CodeName = codeOf(e)
	return out, nil
}

// sendAndWait sends and waits a moment for the end, which need not come.
func (n *network) sendAndWait(ctx context.Context, body bus.Body, key callKey, wait time.Duration) (outbox.Entry, error) {
	e, err := n.send(ctx, body, key.inBox())
	if err != nil || wait == 0 {
		return e, err
	}
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	if later, err := n.outbox.Wait(waiting, e.ID, outbox.Confirmed); err == nil || waiting.Err() != nil {
		return later, nil // it is stored: what is known of it is the answer
	}
	return e, nil
}

func (out transferOut) text() string {
	if out.DryRun {
		return plainly(fmt.Sprintf("would send %s TNK to %s for a fee of %s TNK, leaving %s TNK",
			out.Amount, identity.PublicKey(out.To).Address(), out.Fee, out.Left), out.where)
	}
	return plainly(fmt.Sprintf("%s: %s TNK to %s, fee %s TNK\nhash %s",
		stateText(out.State, out.CodeName), out.Amount, identity.PublicKey(out.To).Address(), out.Fee, bus.ID(*out.Hash)), out.where)
}

func stateText(state outbox.State, code string) string {
	if code != "" && code != bus.OK.String() {
		return string(state) + " (" + code + ")"
	}
	return string(state)
}

// codeOf is the code of a transaction that has ended with one.
func codeOf(e outbox.Entry) (*uint32, string) {
	if !e.Ended() || e.State == outbox.Expired {
		return nil, ""
	}
	code := uint32(e.Code)
	return &code, e.Code.String()
}
