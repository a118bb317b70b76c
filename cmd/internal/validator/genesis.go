package validator

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"intercom/cmd/internal/config"
	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb"
	"intercom/planes/msb/chain"
)

func genesisFile(cfg config.Config) string { return filepath.Join(dir(cfg), "genesis.json") }

// kept reads the genesis that the node began with; ok is false before its first
// start.
func kept(cfg config.Config) (g bft.Genesis, ok bool, err error) {
	text, err := os.ReadFile(genesisFile(cfg))
	if errors.Is(err, fs.ErrNotExist) {
		return g, false, nil
	}
	if err != nil {
		return g, false, fault.New(fault.Unavailable, "%v", err).WithHint("make the store readable")
	}
	g, err = bft.ParseGenesis(text)
	return g, err == nil, err
}

// settle decides on the genesis: the one that was named, which must be the one
// of before, if there is one; else the one of before.
func (n *Node) settle(ctx context.Context) error {
	named := n.cfg.Settlement.Genesis
	before, ok, err := kept(n.cfg)
	switch {
	case err != nil:
		return err
	case named == "" && !ok:
		return fault.New(fault.Invalid, "no network is named").
			WithHint("name the genesis: --msb-genesis <file>, or its hash with --msb-validators <host:port,…>")
	case named == "":
		n.genesis = before
		return nil
	}
	if hash, err := bft.ParseHash(named); err == nil {
		if ok && before.Hash() == hash {
			n.genesis = before
			return nil
		}
		if ok {
			return another(before, hash)
		}
		if n.genesis, err = n.fetch(ctx, hash); err != nil {
			return err
		}
	} else {
		text, err := readFile(named, bft.MaxGenesis)
		if err != nil {
			return err
		}
		if n.genesis, err = bft.ParseGenesis(text); err != nil {
			return err
		}
	}
	if ok && before.Hash() != n.genesis.Hash() {
		return another(before, n.genesis.Hash())
	}
	if _, err := chain.Settings(n.genesis); err != nil {
		return err
	}
	return WriteFile(genesisFile(n.cfg), n.genesis.Encode())
}

func another(before bft.Genesis, hash bft.Hash) error {
	return fault.New(fault.Conflict, "this store belongs to %q with genesis %s, not to %s", before.ChainID, before.Hash(), hash).
		WithHint("use another store for another network: --peer-store-name <label>")
}

// fetchPatience is how long a genesis is asked for.
const fetchPatience = time.Minute

// fetch asks whoever is connected for the genesis of that hash.
func (n *Node) fetch(ctx context.Context, hash bft.Hash) (bft.Genesis, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchPatience)
	defer cancel()
	ran := make(chan error, 1)
	run, stop := context.WithCancel(ctx)
	go func() { ran <- n.host.Run(run) }() // looks for peers, until stop
	defer func() { stop(); <-ran }()
	for {
		for _, s := range n.servers() {
			asking, cancel := context.WithTimeout(ctx, 10*time.Second)
			g, err := bft.AskGenesis(asking, s, hash)
			cancel()
			if err == nil {
				return g, nil
			}
			n.log.Debug("no genesis from a peer", "peer", s.Name, "err", err)
		}
		select {
		case <-ctx.Done():
			return bft.Genesis{}, fault.New(fault.Unavailable, "nobody gave the genesis %s", hash).
				WithHint("name a validator with --msb-validators <host:port>, or the file with --msb-genesis <file>")
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// servers are the connected peers, any of which may answer for the chain.
func (n *Node) servers() (list []bft.Server) {
	for _, key := range n.host.Peers() {
		list = append(list, bft.Server{Name: key.String(), Open: func(ctx context.Context) (io.ReadWriteCloser, error) {
			stream, err := n.host.Open(ctx, key, msb.ChainProtocol)
			if err != nil {
				return nil, err
			}
			if end, ok := ctx.Deadline(); ok {
				_ = stream.SetDeadline(end)
			}
			return stream, nil
		}})
	}
	return list
}
