package subnet

import (
	"context"
	"encoding/hex"
	"time"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/subnet/machine"
)

const (
	// joinPatience is how long an operation waits to be let in.
	joinPatience = 15 * time.Second
	// goodFor is for how many blocks a request or a consent holds.
	goodFor = 1000
)

// signedWord is a request to write, or a consent to confirm, on the wire.
type signedWord struct {
	Validator string `json:"validator,omitempty"` // of a consent: key of the engine, hex
	Until     uint64 `json:"until"`
	Sig       string `json:"sig"`
	Height    int64  `json:"height"` // where the sender stands
}

// verdict is an answer: the zero one is yes.
type verdict struct {
	Kind  fault.Kind  `json:"kind,omitempty"`
	Error string      `json:"error,omitempty"`
	Hint  string      `json:"hint,omitempty"`
	Word  *signedWord `json:"word,omitempty"`
}

func refuse(err error) verdict {
	f := fault.Of(err)
	return verdict{Kind: f.Kind, Error: f.Message, Hint: f.Hint}
}

// err is the refusal as an error. Its words are the other peer's, so their length
// is bounded, and a kind that is none of ours is unavailable.
func (v verdict) err(peer identity.PublicKey) error {
	if v.Error == "" && v.Kind == "" {
		return nil
	}
	kind := v.Kind
	if kind != fault.Denied && kind != fault.Conflict && kind != fault.Limited && kind != fault.Invalid {
		kind = fault.Unavailable
	}
	return fault.New(kind, "peer %s refuses: %.200q", peer, v.Error).WithHint("ask its owner")
}

// applyToWrite asks a neighbour to let this peer write, when it does not and the
// subnet lets writers in by themselves.
func (m *member) applyToWrite(ctx context.Context) {
	state, err := m.log.State()
	if err != nil {
		return
	}
	s, err := machine.SettingsOf(state)
	if now, _, e := machine.MayWrite(state, m.self); err != nil || e != nil || now || !s.AutoAdd {
		return
	}
	request := machine.Request{Key: m.self, Until: uint64(m.log.Status().Height) + goodFor}
	request = request.Sign(m.plane.cfg.Signer, m.bootstrap)
	keys, _ := m.near.members()
	for _, peer := range keys {
		var answer verdict
		err := m.talk(ctx, peer, joinProtocol, func(s stream) error {
			if err := writeMessage(s, signedWord{Until: request.Until, Sig: hex.EncodeToString(request.Sig[:])}); err != nil {
				return err
			}
			return readMessage(s, &answer)
		})
		if err == nil {
			err = answer.err(peer)
		}
		if err == nil {
			return
		}
		m.logger.Debug("not let in", "by", peer, "err", err)
	}
}

// serveJoin brings another's request to write into the log.
func (m *member) serveJoin(ctx context.Context, remote identity.PublicKey, s stream) error {
	var word signedWord
	if err := readMessage(s, &word); err != nil {
		return err
	}
	request := machine.Request{Key: remote, Until: word.Until}
	sig, err := hex.DecodeString(word.Sig)
	if err != nil || len(sig) != len(request.Sig) {
		return writeMessage(s, refuse(fault.New(fault.Invalid, "the request carries no signature")))
	}
	copy(request.Sig[:], sig)
	var answer verdict
	if err := m.letIn(ctx, request); err != nil {
		answer = refuse(err)
	}
	return writeMessage(s, answer)
}

// letIn appends a request, once while it is on its way.
func (m *member) letIn(ctx context.Context, request machine.Request) error {
	local, err := m.log.Local(ctx)
	if err != nil {
		return err
	}
	if now, _, err := machine.MayWrite(local, request.Key); err != nil || now {
		return err // or it is on its way
	}
	if now, _, err := machine.MayWrite(local, m.self); err != nil {
		return err
	} else if !now {
		return fault.New(fault.Denied, "this peer is no writer either")
	}
	_, err = m.append(ctx, &machine.Join{Request: request})
	return err
}

// serveConsent gives this peer's word to be an indexer, if it was started for that.
func (m *member) serveConsent(_ context.Context, _ identity.PublicKey, s stream) error {
	answer := verdict{}
	if word, err := m.consent(); err != nil {
		answer = refuse(err)
	} else {
		answer.Word = &word
	}
	return writeMessage(s, answer)
}

func (m *member) consent() (signedWord, error) {
	if m.node == nil || !m.plane.cfg.Indexer {
		return signedWord{}, fault.New(fault.Denied, "this peer was not started to be an indexer").
			WithHint("its owner starts it with --subnet-indexer 1")
	}
	status := m.node.Status()
	if status.Health.State != bft.Healthy && status.Health.State != bft.Stalled {
		return signedWord{}, fault.New(fault.Unavailable, "its engine is %s", status.Health.State)
	}
	c := machine.Consent{Indexer: machine.Indexer{Author: m.self, Key: m.node.Key()}, Until: uint64(status.Height) + goodFor}
	c = c.Sign(m.plane.cfg.Signer, m.bootstrap)
	return signedWord{Validator: m.node.Key().String(), Until: c.Until, Sig: hex.EncodeToString(c.Sig[:]), Height: status.Height}, nil
}

// behind is how many blocks a new indexer may lag.
const behind = 3

// askConsent has a connected peer consent to be an indexer, and makes sure that it
// is in step: with an absent one the subnet may stand still for good.
func (m *member) askConsent(ctx context.Context, peer identity.PublicKey) (machine.Consent, error) {
	var answer verdict
	err := m.talk(ctx, peer, consentProtocol, func(s stream) error { return readMessage(s, &answer) })
	if err != nil {
		return machine.Consent{}, fault.New(fault.Unavailable, "peer %s is not connected: %v", peer, err).
			WithHint("start it with --subnet-bootstrap %s --subnet-indexer 1, and connect the two", m.bootstrap)
	}
	if err := answer.err(peer); err != nil {
		return machine.Consent{}, fault.Of(err).WithHint("its owner starts it with --subnet-indexer 1")
	}
	if answer.Word == nil {
		return machine.Consent{}, fault.New(fault.Unavailable, "peer %s gave no consent", peer)
	}
	key, err := identity.ParsePublicKey(answer.Word.Validator)
	sig, bad := hex.DecodeString(answer.Word.Sig)
	c := machine.Consent{Indexer: machine.Indexer{Author: peer, Key: key}, Until: answer.Word.Until}
	if err != nil || bad != nil || len(sig) != len(c.Sig) {
		return c, fault.New(fault.Invalid, "peer %s gave no consent that can be read", peer)
	}
	copy(c.Sig[:], sig)
	if at := m.log.Status().Height; answer.Word.Height+behind < at {
		return c, fault.New(fault.Unavailable, "peer %s is at block %d, the subnet at %d", peer, answer.Word.Height, at).
			WithHint("wait until it has caught up, then call again")
	}
	return c, nil
}
