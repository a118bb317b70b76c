package msb

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"time"

	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/p2p"
	"intercom/planes/msb/bus"
)

// FaucetProtocol is the protocol of streams on which a development network's
// maker gives to newcomers: one JSON object each way, each ended by the end of
// its direction.
const FaucetProtocol = "/intercom/msb/faucet/1"

// plea asks for the gift, and alms answers it: a hash, or why not.
type (
	plea struct {
		Network string `json:"network"`
		To      string `json:"to"` // address
	}
	alms struct {
		Hash    string     `json:"hash,omitempty"`
		Kind    fault.Kind `json:"kind,omitempty"`
		Message string     `json:"message,omitempty"`
		Hint    string     `json:"hint,omitempty"`
	}
)

// Bounds of one exchange.
const (
	maxPlea        = 512
	maxAlms        = 4096
	faucetStreams  = 16 // at once
	faucetPatience = 10 * time.Second
)

// serve answers newcomers until the host closes.
func (f *faucet) serve(net Network) {
	places := make(chan struct{}, faucetStreams)
	net.Handle(FaucetProtocol, func(ctx context.Context, _ identity.PublicKey, s p2p.Stream) {
		select {
		case places <- struct{}{}:
			defer func() { <-places }()
		default:
			_ = s.Reset()
			return
		}
		ctx, cancel := context.WithTimeout(ctx, faucetPatience)
		defer cancel()
		_ = s.SetDeadline(time.Now().Add(faucetPatience))
		raw, err := io.ReadAll(io.LimitReader(s, maxPlea+1))
		if err != nil {
			_ = s.Reset()
			return
		}
		answer, err := json.Marshal(f.answer(ctx, raw))
		if err == nil {
			_, _ = s.Write(answer) // who does not listen is not told
		}
	})
}

// answer gives to whom a plea names.
func (f *faucet) answer(ctx context.Context, raw []byte) alms {
	to, err := decodePlea(raw, f.net.settings.Network)
	var id bus.ID
	if err == nil {
		id, err = f.give(ctx, to)
	}
	if err != nil {
		told := fault.Of(err)
		return alms{Kind: told.Kind, Message: told.Message, Hint: told.Hint}
	}
	return alms{Hash: id.String()}
}

// decodePlea reads a plea for that network.
func decodePlea(raw []byte, network string) (identity.PublicKey, error) {
	var p plea
	if err := strictly(raw, maxPlea, &p); err != nil {
		return identity.PublicKey{}, fault.New(fault.Invalid, "this is no plea to a faucet: %v", err)
	}
	if p.Network != network {
		return identity.PublicKey{}, fault.New(fault.Invalid, "this is the faucet of network %q, not of %.60q", network, p.Network)
	}
	return identity.ParseAddress(p.To)
}

// decodeAlms reads a faucet's answer.
func decodeAlms(raw []byte) (bus.ID, error) {
	var a alms
	if err := strictly(raw, maxAlms, &a); err != nil {
		return bus.ID{}, fault.New(fault.Unavailable, "the faucet's answer cannot be read: %v", err)
	}
	if a.Hash == "" {
		return bus.ID{}, fault.New(fault.Unavailable, "the faucet gives nothing: %.200s", a.Message).WithHint("%.200s", a.Hint)
	}
	return parseID(a.Hash)
}

// strictly reads one JSON object without unknown members.
func strictly(raw []byte, most int, to any) error {
	if len(raw) > most {
		return fault.New(fault.Invalid, "it has more than %d bytes", most)
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(to); err != nil {
		return err
	}
	if _, more := decoder.Token(); more != io.EOF {
		return fault.New(fault.Invalid, "something follows it")
	}
	return nil
}
