package subnet

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"intercom/core/fault"
	"intercom/core/identity"
)

// DefaultChannel is the channel of a subnet for which none was named (upstream 7).
const DefaultChannel = "trac-peer-subnet"

// bootstrapFile remembers the bootstrap key of a joiner (upstream 7), as hex.
const bootstrapFile = "subnet-bootstrap.hex"

// Choice is which subnet a peer takes part in. [Choose] makes one.
type Choice struct {
	Bootstrap identity.PublicKey
	Channel   string

	store string // the peer's directory
	named bool   // by this start, so it begins at once
	own   bool
}

// Choose decides: the subnet of the key bootstrap, as hex, else the one of the last
// time, else the peer's own, whose bootstrap key is own. Store is the peer's
// directory. A channel that is named has the plane begin with the peer. It writes
// nothing.
func Choose(store string, own identity.PublicKey, bootstrap, channel string) (Choice, error) {
	c := Choice{Bootstrap: own, Channel: channel, store: store, named: bootstrap != "" || channel != ""}
	if c.Channel == "" {
		c.Channel = DefaultChannel
	}
	switch {
	case bootstrap != "":
		key, err := parseBootstrap(bootstrap)
		if err != nil {
			return Choice{}, err
		}
		c.Bootstrap = key
	default:
		text, err := os.ReadFile(filepath.Join(store, bootstrapFile))
		if key, wrong := parseBootstrap(strings.TrimSpace(string(text))); err == nil && wrong == nil {
			c.Bootstrap = key // what cannot be read counts as absent
		}
	}
	c.own = c.Bootstrap == own
	return c, nil
}

func parseBootstrap(text string) (identity.PublicKey, error) {
	key, err := identity.ParsePublicKey(text)
	if err != nil {
		return key, fault.New(fault.Invalid, "Invalid --subnet-bootstrap. Provide 32-byte hex (64 chars).").
			WithHint("it is the subnetBootstrap that info shows on a peer of the subnet; %.80q is not one", text)
	}
	return key, nil
}

// Own tells whether it is the peer's own subnet.
func (c Choice) Own() bool { return c.own }

// home is the directory of the subnet's files.
func (c Choice) home() string {
	return filepath.Join(c.store, "subnet", c.Bootstrap.String()[:16])
}

// begun tells whether the subnet starts with the peer: it was named, or used before.
func (c Choice) begun() bool {
	if c.named || !c.own {
		return true
	}
	_, err := os.Stat(c.home())
	return err == nil
}

// keep remembers the choice for starts that name no subnet.
func (c Choice) keep() error {
	if err := os.MkdirAll(c.home(), 0o700); err != nil {
		return err
	}
	path, text := filepath.Join(c.store, bootstrapFile), c.Bootstrap.String()+"\n"
	if before, err := os.ReadFile(path); err == nil && string(before) == text {
		return nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fresh := path + ".new"
	if err := os.WriteFile(fresh, []byte(text), 0o600); err != nil {
		return err
	}
	return os.Rename(fresh, path)
}
