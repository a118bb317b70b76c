package msb

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"intercom/core/bft"
	"intercom/core/fault"
	"intercom/planes/msb/chain"
)

// Own is the word that chooses this home's own development network.
const Own = "own"

const (
	choiceFile  = "network.json" // in the settlement store
	genesisFile = "genesis.json" // in the directory of one network
	maxChoice   = 64 << 10
)

// Choice is which network a home settles on. [Choose] makes one.
type Choice struct {
	// Validators are the addresses to connect with, host:port or multiaddr.
	Validators []string

	dir     string       // of the settlement store
	named   bool         // else the home's own development network
	hash    bft.Hash     // of the genesis, when named
	genesis *bft.Genesis // when it is at hand
}

// kept is what the settlement store remembers of a choice.
type kept struct {
	Network    string   `json:"network"` // a genesis hash, or [Own]
	Validators []string `json:"validators"`
}

// Choose decides which network a home uses, whose settlement store is dir: the
// one that genesis names (the hash of a genesis, a file that holds one, or
// [Own]), else the one of the last time, else the home's own development network.
// It writes nothing.
func Choose(dir, genesis string, validators []string) (Choice, error) {
	c := Choice{dir: dir, Validators: validators}
	if genesis == "" {
		k, err := readChoice(dir)
		if err != nil {
			return Choice{}, err
		}
		if genesis = k.Network; len(validators) == 0 {
			c.Validators = k.Validators
		}
	}
	if genesis == "" || genesis == Own {
		if len(validators) > 0 {
			return Choice{}, fault.New(fault.Invalid, "--msb-validators %s belong to no network", validators[0]).
				WithHint("name it too: --msb-genesis <file or hash>")
		}
		c.Validators = nil
		return c, nil
	}
	return c, c.name(genesis)
}

// name reads a hash or a file.
func (c *Choice) name(text string) error {
	hash, err := bft.ParseHash(text)
	if err != nil {
		g, err := readGenesis(text)
		if err != nil {
			return err
		}
		c.genesis, hash = &g, g.Hash()
	}
	if own, err := readGenesis(filepath.Join(c.dir, Own, genesisFile)); err == nil && own.Hash() == hash {
		c.Validators, c.genesis = nil, nil
		return nil // somebody names this home's own network
	}
	c.named, c.hash = true, hash
	if c.genesis == nil {
		g, err := readGenesis(filepath.Join(c.home(), genesisFile))
		if err == nil && g.Hash() == hash {
			c.genesis = &g
		}
	}
	return nil
}

// home is the directory of the chosen network.
func (c Choice) home() string {
	if !c.named {
		return filepath.Join(c.dir, Own)
	}
	return filepath.Join(c.dir, c.hash.String()[:16])
}

// begun tells whether the network starts with the peer: it was named, or an
// earlier run has made it.
func (c *Choice) begun() bool {
	if c.named {
		return true
	}
	_, err := os.Stat(filepath.Join(c.home(), genesisFile))
	return err == nil
}

// real tells whether the network is known to be none for development.
func (c *Choice) real() bool {
	if c.genesis == nil {
		return false
	}
	s, err := chain.Settings(*c.genesis)
	return err == nil && !s.Development
}

// decide takes over the network that something else of this peer has settled on,
// unless one was named.
func (p *Plane) decide(ctx context.Context) (Choice, error) {
	c := p.choice()
	if c.named || p.cfg.Given == nil {
		return c, nil
	}
	text, err := p.cfg.Given(ctx)
	if err != nil || text == nil {
		return c, err
	}
	g, err := bft.ParseGenesis(text)
	if err != nil {
		return c, err
	}
	if _, err := chain.Settings(g); err != nil {
		return c, err
	}
	c = Choice{dir: c.dir, named: true, hash: g.Hash(), genesis: &g}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cfg.Choice = c
	return c, nil
}

// choice is the network to settle on, as far as it is decided.
func (p *Plane) choice() Choice {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cfg.Choice
}

// keep remembers the choice for starts that name no network.
func (c *Choice) keep() error {
	k := kept{Network: Own, Validators: append([]string{}, c.Validators...)}
	if c.named {
		k.Network = c.hash.String()
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(c.dir, choiceFile), append(text, '\n'))
}

func readChoice(dir string) (kept, error) {
	path := filepath.Join(dir, choiceFile)
	text, err := readFile(path, maxChoice)
	if errors.Is(err, fs.ErrNotExist) {
		return kept{}, nil
	}
	var k kept
	if err == nil {
		err = json.Unmarshal(text, &k)
	}
	if err != nil {
		return kept{}, fault.New(fault.Conflict, "%s tells no network: %v", path, err).
			WithHint("name it with --msb-genesis <file or hash>, or %s", Own)
	}
	return k, nil
}

// readGenesis reads a genesis that fits the bus.
func readGenesis(path string) (bft.Genesis, error) {
	text, err := readFile(path, bft.MaxGenesis)
	if err != nil {
		return bft.Genesis{}, fault.New(fault.Invalid, "%q is neither the hash of a genesis nor a file that can be read: %w", path, err).
			WithHint("--msb-genesis takes 64 hex digits, a file, or %s", Own)
	}
	g, err := bft.ParseGenesis(text)
	if err != nil {
		return bft.Genesis{}, err
	}
	_, err = chain.Settings(g)
	return g, err
}

// waitsFor says what a start that takes long waits for.
func (c Choice) waitsFor() string {
	if c.named && c.genesis == nil {
		return "no peer has given the genesis " + c.hash.String() + " yet"
	}
	return "it is being opened"
}

func readFile(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(text)) > most {
		err = fault.New(fault.Invalid, "it has more than %d bytes", most)
	}
	return text, err
}

// writeFile writes a file that only its owner reads, whole or not at all, in a
// directory that is made when it is not there.
func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	fresh, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(fresh.Name())
	_, err = fresh.Write(text)
	if err = errors.Join(err, fresh.Sync(), fresh.Close()); err != nil {
		return err
	}
	if err := os.Rename(fresh.Name(), path); err != nil {
		return err
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil { // not on Windows
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}
