package config

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// Flag is one flag: how it is called and what it sets.
type Flag struct {
	Name  string
	Alias []string
	Env   string // environment variable; "" means INTERCOM_ and the name
	Help  string
	Bool  bool // a bare --name means 1
	Peer  bool // it shapes a peer: refused when attaching to a running one

	alone bool // a switch: the next word is its value only if it reads as one
	set   func(c *Config, value string) error
}

// Flags is the table of flags.
func Flags() []Flag {
	return slices.Concat(homeFlags(), netFlags(), channelFlags(), settlementFlags(), subnetFlags(), bridgeFlags(), pageFlags(), surfaceFlags())
}

func homeFlags() []Flag {
	return []Flag{
		{Name: "home", Help: "directory of all stores (default $XDG_DATA_HOME/intercom or ~/.local/share/intercom)", set: text(func(c *Config) *string { return &c.Home })},
		{Name: "peer-store-name", Env: "PEER_STORE_NAME", Help: "name of the store (default peer)", set: directory(func(c *Config) *string { return &c.StoreName })},
		{Name: "peer-stores-directory", Env: "PEER_STORES_DIRECTORY", Help: "directory of the stores, within the home (default stores)", set: text(func(c *Config) *string { return &c.StoresDir })},
		{Name: "passphrase-file", Help: "file with the passphrase of the identity", set: text(func(c *Config) *string { return &c.PassphraseFile })},
		{Name: "log-level", Help: "debug, info, warn or error (default info for run, else warn)", set: oneOf(func(c *Config) *string { return &c.LogLevel }, "debug", "info", "warn", "error")},
		{Name: "json", Bool: true, alone: true, Help: "one-shot commands print the result object", set: boolean(func(c *Config) *bool { return &c.JSON })},
	}
}

func netFlags() []Flag {
	return []Flag{
		{Name: "p2p-listen", Peer: true, Help: "addresses to listen on, host:port or multiaddr, comma-separated (default any port, all interfaces)", set: list(func(c *Config) *[]string { return &c.Listen })},
		{Name: "p2p-entry-port", Peer: true, Help: "port by which peers of one machine find each other (default 49737, 0 = off)", set: port(func(c *Config) *int { return &c.EntryPort })},
		{Name: "mdns", Bool: true, Peer: true, Help: "find peers on the local network (default 1)", set: boolean(func(c *Config) *bool { return &c.MDNS })},
		{Name: "dht-bootstrap", Alias: []string{"peer-dht-bootstrap"}, Env: "DHT_BOOTSTRAP", Peer: true, Help: "entry points, host:port or multiaddr, comma-separated", set: list(func(c *Config) *[]string { return &c.DHTBootstrap })},
		{Name: "public-dht", Bool: true, Peer: true, Help: "meet on the public IPFS DHT too (default 0)", set: boolean(func(c *Config) *bool { return &c.PublicDHT })},
		{Name: "p2p-only", Bool: true, Peer: true, Help: "connect only to the entry points of --dht-bootstrap, neither way to anybody else (default 0)", set: boolean(func(c *Config) *bool { return &c.P2POnly })},
		{Name: "swarm-key", Peer: true, Help: "file with the key of a private network", set: text(func(c *Config) *string { return &c.SwarmKeyFile })},
	}
}

func bridgeFlags() []Flag {
	return []Flag{
		{Name: "sc-bridge", Env: "SC_BRIDGE", Bool: true, Peer: true, Help: "serve the SC-Bridge (default 1 for run, 0 for embedded peers)", set: position(func(c *Config) *Switch { return &c.Bridge.On })},
		{Name: "sc-bridge-host", Env: "SC_BRIDGE_HOST", Peer: true, Help: "host of the bridge (default 127.0.0.1)", set: text(func(c *Config) *string { return &c.Bridge.Host })},
		{Name: "sc-bridge-port", Env: "SC_BRIDGE_PORT", Peer: true, Help: "port of the bridge (default 49222, or a free one)", set: func(c *Config, v string) error {
			c.Bridge.PortNamed = true
			return port(func(c *Config) *int { return &c.Bridge.Port })(c, v)
		}},
		{Name: "sc-bridge-token", Env: "SC_BRIDGE_TOKEN", Peer: true, Help: "token of the bridge; other users of the machine can see it, prefer the file", set: text(func(c *Config) *string { return &c.Bridge.Token })},
		{Name: "sc-bridge-token-file", Peer: true, Help: "file with the token of the bridge (default: made in the store)", set: text(func(c *Config) *string { return &c.Bridge.TokenFile })},
		{Name: "sc-bridge-cli", Env: "SC_BRIDGE_CLI", Bool: true, Peer: true, Help: "allow terminal commands over the bridge (default 0)", set: boolean(func(c *Config) *bool { return &c.Bridge.CLI })},
		{Name: "sc-bridge-filter", Env: "SC_BRIDGE_FILTER", Peer: true, Help: "filter that clients start with, as a+b|c", set: text(func(c *Config) *string { return &c.Bridge.Filter })},
		{Name: "sc-bridge-filter-channel", Env: "SC_BRIDGE_FILTER_CHANNEL", Peer: true, Help: "channels that the filter is for, comma-separated (default all)", set: list(func(c *Config) *[]string { return &c.Bridge.FilterChannels })},
		{Name: "sc-bridge-debug", Env: "SC_BRIDGE_DEBUG", Bool: true, Peer: true, Help: "log when clients of the bridge come, are let in and go (default 0)", set: boolean(func(c *Config) *bool { return &c.Bridge.Debug })},
		{Name: "sc-bridge-origins", Peer: true, Help: "web origins that may connect, comma-separated", set: list(func(c *Config) *[]string { return &c.Bridge.Origins })},
	}
}

func pageFlags() []Flag {
	return []Flag{
		{Name: "ui", Bool: true, Peer: true, Help: "serve the web page (default 1 for run, 0 for embedded peers)", set: position(func(c *Config) *Switch { return &c.Page.On })},
		{Name: "ui-port", Peer: true, Help: "port of the web page on 127.0.0.1 (default 5070, or a free one)", set: func(c *Config, v string) error {
			c.Page.PortNamed = true
			return port(func(c *Config) *int { return &c.Page.Port })(c, v)
		}},
	}
}

func surfaceFlags() []Flag {
	return []Flag{
		{Name: "framing", Help: "rpc: line or content-length (default line)", set: oneOf(func(c *Config) *string { return &c.Framing }, "line", "content-length")},
		{Name: "http", Help: "mcp: serve streamable HTTP at this host:port instead of stdio", set: hostPort(func(c *Config) *string { return &c.HTTP })},
		{Name: "http-token-file", Help: "mcp: file with the bearer token (default: made in the store)", set: text(func(c *Config) *string { return &c.HTTPAuth })},
		{Name: "toolsets", Help: "mcp: default, all, admin, or parts such as sidechannel, comma-separated", set: list(func(c *Config) *[]string { return &c.Toolsets })},
	}
}

// position sets a switch.
func position(at func(*Config) *Switch) func(*Config, string) error {
	return func(c *Config, v string) error {
		on, err := parseBool(v)
		*at(c) = Off
		if on {
			*at(c) = On
		}
		return err
	}
}

func text(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if v == "" {
			return fmt.Errorf("needs a value")
		}
		*at(c) = v
		return nil
	}
}

func oneOf(at func(*Config) *string, values ...string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if !slices.Contains(values, v) {
			return fmt.Errorf("%q is none of %s", v, strings.Join(values, ", "))
		}
		*at(c) = v
		return nil
	}
}

func boolean(at func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) (err error) {
		*at(c), err = parseBool(v)
		return err
	}
}

func parseBool(v string) (bool, error) {
	switch strings.ToLower(v) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither 1, true, yes, on nor 0, false, no, off", v)
}

func port(at func(*Config) *int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.ParseUint(v, 10, 16)
		if err != nil {
			return fmt.Errorf("%q is no port from 0 to 65535", v)
		}
		*at(c) = int(n)
		return nil
	}
}

// count reads a whole number from 0 to most.
func count(at func(*Config) *int, most int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.ParseUint(v, 10, 31)
		if err != nil || int(n) > most {
			return fmt.Errorf("%q is no number from 0 to %d", v, most)
		}
		*at(c) = int(n)
		return nil
	}
}

func hostPort(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if _, _, err := net.SplitHostPort(v); err != nil {
			return fmt.Errorf("%q is no host:port", v)
		}
		*at(c) = v
		return nil
	}
}

func list(at func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, v string) error {
		*at(c) = nil
		for item := range strings.SplitSeq(v, ",") {
			if item = strings.TrimSpace(item); item != "" {
				*at(c) = append(*at(c), item)
			}
		}
		return nil
	}
}

// directory reads a name of a directory.
func directory(at func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		if v == "" || v == "." || v == ".." || strings.ContainsAny(v, `/\:`) || strings.ContainsFunc(v, func(r rune) bool { return r < ' ' }) {
			return fmt.Errorf("%q is no name of a directory", v)
		}
		*at(c) = v
		return nil
	}
}
