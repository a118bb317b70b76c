package validator

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	"intercom/cmd/internal/attach"
	"intercom/cmd/internal/config"
	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/core/store"
	"intercom/planes/msb/chain"
)

// Status is how a node stands. What a process that runs writes down every
// second is as old as At says.
type Status struct {
	Card              // its operator is "" while the key has no seat
	Network string    `json:"network"` // "" before the first start
	Genesis string    `json:"genesis"` // its hash
	Running bool      `json:"running"`
	At      time.Time `json:"at"`

	Height     int64                `json:"height"`
	State      string               `json:"state"` // hash of the application's state
	Health     bft.State            `json:"health"`
	Reason     string               `json:"reason,omitempty"`
	Seat       bool                 `json:"seat"`       // it votes now
	Validators []identity.PublicKey `json:"validators"` // of the next block
	Absent     []identity.PublicKey `json:"absent"`     // of them, who did not sign the newest one
	Nodes      []string             `json:"nodes"`      // connected, by id
	Waiting    int                  `json:"waiting"`    // transactions
	Listen     string               `json:"listen"`     // for nodes
	Addresses  []string             `json:"addresses"`  // for light clients
}

// Now is the status of the node of this process.
func (n *Node) Now(ctx context.Context) Status {
	s := n.node.Status()
	out := Status{
		Card:    Card{Key: n.node.Key(), Node: n.node.ID(), Peer: n.host.Key()},
		Network: n.genesis.ChainID, Genesis: n.genesis.Hash().String(), Running: true, At: time.Now().UTC(),
		Height: s.Height, State: s.State.String(), Health: s.Health.State, Reason: s.Health.Reason,
		Validators: keysOf(s.Validators), Absent: keysOf(s.Absent), Nodes: s.Peers, Waiting: s.Waiting,
		Listen: s.Addr, Addresses: append([]string{}, n.host.Addrs()...),
	}
	out.Seat = slices.Contains(out.Validators, out.Key)
	if network, err := n.ledger.Network(ctx); err == nil {
		for _, seat := range network.Seats {
			if seat.Key == out.Key {
				out.Operator = seat.Operator.Address()
			}
		}
	}
	return out
}

func keysOf(set []bft.Validator) []identity.PublicKey {
	keys := []identity.PublicKey{}
	for _, v := range set {
		keys = append(keys, v.Key)
	}
	return keys
}

func statusFile(cfg config.Config) string { return filepath.Join(dir(cfg), "status.json") }

// report writes the status down for those who ask from outside.
func (n *Node) report(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		text, err := json.Marshal(n.Now(ctx))
		if err == nil {
			err = writeStatus(statusFile(n.cfg), text)
		}
		if err != nil {
			n.log.Warn("the status was not written", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// writeStatus does not wait for the disk: a status is of use only while the
// process lives.
func writeStatus(path string, text []byte) error {
	fresh := path + ".new"
	if err := os.WriteFile(fresh, text, 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}

// Show tells how the node of a store stands, whether it runs or not.
func Show(cfg config.Config, passphrase []byte) (Status, error) {
	if !initialised(cfg) {
		return Status{}, fault.New(fault.NotFound, "there is no validator in %s", dir(cfg)).
			WithHint("make one with `intercom validator init`")
	}
	lock, free, err := attach.TryLock(cfg.Store())
	if err != nil {
		return Status{}, err
	}
	if !free {
		return shown(cfg)
	}
	defer func() { _ = lock.Release() }()
	card, err := Init(cfg, passphrase, "")
	if err != nil {
		return Status{}, err
	}
	card.Operator = ""
	s := Status{Card: card, Health: bft.Off, Validators: []identity.PublicKey{}, Absent: []identity.PublicKey{}, Nodes: []string{}, Addresses: []string{}, At: time.Now().UTC()}
	g, ok, err := kept(cfg)
	if err != nil || !ok {
		return s, err
	}
	s.Network, s.Genesis = g.ChainID, g.Hash().String()
	return s, s.fromStore(cfg)
}

// shown reads what the running process wrote.
func shown(cfg config.Config) (Status, error) {
	raw, err := os.ReadFile(statusFile(cfg))
	var s Status
	if err == nil {
		err = json.Unmarshal(raw, &s)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return s, fault.New(fault.Unavailable, "the node starts and has told nothing yet").WithHint("ask again in a second")
	}
	if err != nil {
		return s, fault.New(fault.Unavailable, "the status cannot be read: %v", err).WithHint("ask again in a second")
	}
	return s, nil
}

// fromStore reads how far the node got, while nobody has its store.
func (s *Status) fromStore(cfg config.Config) error {
	data, err := store.Open(filepath.Join(dir(cfg), "data"))
	if err != nil {
		return err
	}
	defer func() { _ = data.Close() }()
	app, err := chain.Open(data, chainName, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	height, state, err := app.Last()
	s.Height, s.State = height, state.String()
	return err
}
