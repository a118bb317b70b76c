package subnet

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/feed"
	"intercom/core/op"
	"intercom/planes/subnet/contract"
	"intercom/planes/subnet/machine"
)

type txIn struct {
	Command commandText `json:"command" jsonschema:"what the contract shall do: its own short form, or {\"type\": function, \"value\": …}"`
	Sim     op.Flag     `json:"sim,omitempty" jsonschema:"only try it, on what this peer sees now: nothing is signed, paid or written"`
	WaitMS  op.WaitMS   `json:"wait_ms,omitempty" jsonschema:"wait for it to be confirmed, at most so long; 0: answer as soon as it is accepted"`
}

// commandText is a command: a text that the contract reads, or the call itself as an
// object.
type commandText struct {
	text string
	call *contract.Dispatch
}

// Schema is the rule of a command. Its form is checked by the contract.
func (commandText) Schema() op.Schema {
	return op.Schema{"type": []string{"string", "object"}, "minLength": 1, "maxLength": 1 << 20}
}

// UnmarshalJSON takes a text, or an object with type and value.
func (t *commandText) UnmarshalJSON(raw []byte) error {
	if len(raw) > 0 && raw[0] == '"' {
		return json.Unmarshal(raw, &t.text)
	}
	in := json.NewDecoder(bytes.NewReader(raw))
	in.DisallowUnknownFields()
	if err := in.Decode(&t.call); err != nil {
		return fault.New(fault.Invalid, "the command is no call: %v", err).WithHint(`write {"type": function, "value": …}`)
	}
	return nil
}

// dispatch gives what the contract would do, which is found out to be something
// before anything is paid.
func (t commandText) dispatch(p *Plane) (contract.Dispatch, error) {
	if t.call == nil {
		return p.cfg.Contract.Command(t.text)
	}
	return p.Dispatch(t.call.Type, t.call.Value)
}

// Dispatch makes the call of a function, if the contract takes it.
func (p *Plane) Dispatch(function string, value json.RawMessage) (contract.Dispatch, error) {
	if len(value) == 0 {
		value = json.RawMessage("null")
	}
	text, err := canon.JSON(value)
	if err != nil {
		return contract.Dispatch{}, fault.New(fault.Invalid, "the command's value: %v", err).WithHint("pass plain JSON")
	}
	d := contract.Dispatch{Type: function, Value: text}
	return d, p.cfg.Contract.Fits(d)
}

// TxResult is what became of a transaction.
type TxResult struct {
	Tx      string          `json:"tx" jsonschema:"hash of the transaction, hex; empty when it was only tried"`
	State   string          `json:"state" jsonschema:"accepted: it goes on by itself; confirmed: carried out; failed: it did nothing, see error; simulated: only tried"`
	Settled bool            `json:"settled" jsonschema:"whether the subnet settles its transactions; false: this one is free and proven by nobody but the subnet's indexers"`
	Result  json.RawMessage `json:"result,omitempty" jsonschema:"what the contract's function returned"`
	Error   string          `json:"error,omitempty" jsonschema:"why it failed"`
}

func (p *Plane) opTx() *op.Op {
	return op.New(op.Spec[txIn, TxResult]{
		Name: "tx", Owner: owner, Summary: "Have the contract carry out a command",
		Notes: "Try it with sim first: it costs nothing. In a subnet that settles, a transaction costs the network's fee, also when the contract refuses it then. " +
			"The same command called twice is carried out twice.",
		Access: op.Write, Effects: op.Effects{OpenWorld: true}, Untrusted: true, Args: []string{"command"},
		Example: `{"command":"{\"type\":\"expense_read_room\",\"value\":{\"channel\":\"trip-nyc\"}}","sim":true}`,
		Run: func(ctx context.Context, in txIn) (TxResult, error) {
			d, err := in.Command.dispatch(p)
			if err != nil {
				return TxResult{}, err
			}
			if in.Sim {
				return p.Simulate(ctx, d)
			}
			return p.Transact(ctx, d, in.WaitMS.Duration())
		},
		Text: TxResult.text,
	})
}

func (r TxResult) text() string {
	text := "MSB TX broadcasted: " + r.Tx
	switch {
	case r.State == simulated:
		text = "simulated: nothing was written"
	case !r.Settled:
		text = "unsettled TX written: " + r.Tx
	}
	if r.Error != "" {
		text += "\nfailed: " + r.Error
	} else if r.State != simulated {
		text += "\nstate " + r.State
	}
	if r.Result != nil {
		text += "\n" + string(r.Result)
	}
	return text
}

// Simulate tries a call on what this peer sees now, and forgets it.
func (p *Plane) Simulate(ctx context.Context, d contract.Dispatch) (TxResult, error) {
	m, err := p.use(ctx)
	if err != nil {
		return TxResult{}, err
	}
	on, err := m.log.Overlay()
	if err != nil {
		return TxResult{}, err
	}
	result, err := m.machine.Simulate(on, m.self, d, time.Now().UnixMilli())
	return TxResult{State: simulated, Settled: m.settles(), Result: result.Value, Error: result.Failure}, err
}

func (m *member) settles() bool { return m.first.Settlement != nil }

// Transact has a call carried out, and waits at most so long for it. A call that
// would fail now is refused, and nothing is written or paid.
func (p *Plane) Transact(ctx context.Context, d contract.Dispatch, wait time.Duration) (TxResult, error) {
	m, err := p.use(ctx)
	if err != nil {
		return TxResult{}, err
	}
	trial, err := p.Simulate(ctx, d)
	if err != nil {
		return TxResult{}, err
	}
	if trial.Error != "" {
		return TxResult{}, fault.New(fault.Invalid, "the contract refuses %s: %s", d.Type, trial.Error).WithHint("nothing was written or paid")
	}
	command := &machine.Command{Requester: m.self, Type: d.Type, Value: d.Value}
	e, err := m.append(ctx, command)
	if err != nil {
		return TxResult{}, err
	}
	out := TxResult{Tx: e.ID().String(), State: accepted, Settled: m.settles()}
	if m.settles() {
		hash, err := m.pay(ctx, e.ID(), command)
		if err != nil {
			if ctx.Err() == nil { // else it may be paid all the same
				err = errors.Join(err, m.abandon(e.ID()))
			}
			return TxResult{}, fault.Of(err)
		}
		out.Tx = hex.EncodeToString(hash[:])
	}
	if wait > 0 {
		err = m.awaitTx(ctx, &out, e.ID(), wait)
	}
	return out, err
}

// awaitTx waits until a transaction was carried out, or its time is over.
func (m *member) awaitTx(ctx context.Context, out *TxResult, command feed.ID, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		next := m.awaited.next()
		if done, err := m.lookUp(out, command); done || err != nil {
			return err
		}
		select {
		case <-next:
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return nil // what is accepted goes on
		case <-m.over.Done():
			return nil
		}
	}
}

// lookUp tells whether a transaction has ended, and how.
func (m *member) lookUp(out *TxResult, command feed.ID) (bool, error) {
	state, err := m.log.State()
	if err != nil {
		return false, err
	}
	t, done, err := machine.TransactionOf(state, out.Tx)
	if err != nil {
		return false, err
	}
	if done {
		out.State, out.Error, out.Result = confirmed, t.Failure(), m.results.of(out.Tx)
		if out.Error != "" {
			out.State = failed
		}
		return true, nil
	}
	refusal, refused, err := machine.RefusalOf(state, command)
	if refused {
		out.State, out.Error = failed, refusal.Message
	}
	return refused, err
}

type txResultIn struct {
	Tx string `json:"tx" jsonschema:"hash of the transaction, as tx answered it"`
}

type txRecord struct {
	TxResult
	Type      string          `json:"type,omitempty" jsonschema:"function that was called"`
	Value     json.RawMessage `json:"value,omitempty" jsonschema:"what it was called with"`
	Requester string          `json:"requester,omitempty" jsonschema:"key of who called, hex"`
}

func (p *Plane) opTxResult() *op.Op {
	return op.New(op.Spec[txResultIn, txRecord]{
		Name: "tx_result", Owner: owner, Summary: "Tell what became of a contract transaction",
		Notes:  "What the function returned is known only to peers that carried it out since they started; everything else is part of the state.",
		Access: op.Read, Effects: op.Effects{Idempotent: true}, Untrusted: true, Args: []string{"tx"},
		Synonyms: map[string][]string{"tx": {"hash"}},
		Example:  `{"tx":"` + exampleKey + `"}`, Run: p.txResult,
	})
}

func (p *Plane) txResult(ctx context.Context, in txResultIn) (txRecord, error) {
	id, err := feed.ParseID(in.Tx)
	if err != nil {
		return txRecord{}, fault.New(fault.Invalid, "tx %.80q is no hash", in.Tx).WithHint("pass the 64 hex digits that tx answered")
	}
	m, err := p.use(ctx)
	if err != nil {
		return txRecord{}, err
	}
	out := txRecord{TxResult: TxResult{Tx: id.String(), State: accepted, Settled: m.settles()}}
	done, err := m.lookUp(&out.TxResult, id)
	if err != nil || !done {
		if err == nil && !m.underway(id) {
			err = fault.New(fault.NotFound, "transaction %s is not known here", id).WithHint("it may not be confirmed yet; tx_status tells of its payment")
		}
		return out, err
	}
	state, err := m.log.State()
	if err != nil {
		return out, err
	}
	if t, ok, err := machine.TransactionOf(state, id.String()); ok && err == nil {
		out.Type, out.Value, out.Requester = t.Val.Type, t.Val.Value, t.Requester.String()
	}
	return out, nil
}

// underway tells whether a transaction of this peer is on its way.
func (m *member) underway(id feed.ID) bool {
	m.paying.mu.Lock()
	for _, hash := range m.paying.calls {
		if hash == id {
			m.paying.mu.Unlock()
			return true
		}
	}
	m.paying.mu.Unlock()
	here, err := m.feeds.Has(m.feedID, id)
	return err == nil && here
}
