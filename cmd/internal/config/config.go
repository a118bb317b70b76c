// Package config turns flags, environment and the config file into one value.
//
// A flag wins over the environment, the environment over the file
// `config.json` in the home, the file over the default. Every problem is
// reported, all at once; what is unknown is refused and never ignored.
package config

import (
	"net"
	"os"
	"path/filepath"
	"strconv"

	"intercom/core/fault"
)

// Config is how one process runs. Its zero value is of no use; see [Parse].
type Config struct {
	Home      string // directory that everything of ours lies in
	StoresDir string // --peer-stores-directory, relative to the home
	StoreName string // --peer-store-name or the store label

	PassphraseFile string // opens a protected identity; "" for none
	LogLevel       string // debug, info, warn or error; "" = what the command takes
	JSON           bool   // one-shot commands print the result object

	Listen       []string // --p2p-listen: multiaddr or host:port; none = any port on all interfaces
	EntryPort    int      // 0 = off
	MDNS         bool
	DHTBootstrap []string // host:port or multiaddr
	PublicDHT    bool
	SwarmKeyFile string
	P2POnly      bool // connect to the entry points of DHTBootstrap alone

	Channels    []string // joined at start, besides the entry channel
	Quiet       bool     // print no messages
	Sidechannel Sidechannel
	Backbone    int // topics relayed of which the peer is no member

	Settlement Settlement
	Subnet     Subnet

	Bridge Bridge
	Page   Page

	Framing  string   // rpc: "line" or "content-length"
	HTTP     string   // mcp: host:port of the streamable HTTP server; "" = stdio
	HTTPAuth string   // mcp: file with the bearer token; "" = made in the store
	Toolsets []string // mcp: which operations are tools

	// Given lists the flags of the command line that shape a peer. A process
	// that attaches to a running one refuses them.
	Given []string
}

// Bridge is the part about the SC-Bridge.
type Bridge struct {
	On             Switch
	Host           string
	Port           int
	PortNamed      bool // a named port that is taken ends the start
	Token          string
	TokenFile      string
	CLI            bool
	Debug          bool // log the coming and going of clients
	Filter         string
	FilterChannels []string
	Origins        []string
}

// Page is the part about the web page.
type Page struct {
	On        Switch
	Port      int  // on 127.0.0.1
	PortNamed bool // a named port that is taken ends the start
}

// Address is where the page is served.
func (p Page) Address() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.Port)) }

// Sidechannel is the part about the rules of channels. Names, keys and papers
// are texts here: whoever makes the peer reads them.
type Sidechannel struct {
	Debug    bool // log what the sidechannel drops
	MaxBytes int  // of a frame that is sent

	NoRemoteOpen, AutoJoin, NoRelay bool

	Work         bool
	WorkBits     int
	WorkEntry    bool
	WorkChannels []string

	RateBytes, RateBurst, Strikes int // a rate of 0 limits nothing

	InviteRequired  bool
	InviteChannels  []string
	InvitePrefixes  []string
	InviterKeys     []string
	InviteTTL       int      // seconds
	Owners          []string // "channel:key"
	OwnerWrite      bool
	OwnerWriteIn    []string
	Welcomes        []string // "channel:paper"
	WelcomeRequired string   // auto, 1 or 0
}

// Switch is a boolean whose default depends on the command.
type Switch int

// The positions of a Switch.
const (
	Unset Switch = iota
	On
	Off
)

// Or gives the position, or what an unset one stands for.
func (s Switch) Or(otherwise bool) bool {
	if s == Unset {
		return otherwise
	}
	return s == On
}

// Store is the directory of the peer's store.
func (c Config) Store() string {
	return filepath.Join(c.resolve(c.StoresDir), c.StoreName)
}

// Address is where the bridge listens.
func (b Bridge) Address() string { return net.JoinHostPort(b.Host, strconv.Itoa(b.Port)) }

// resolve makes a path of a flag absolute: relative ones start at the home.
func (c Config) resolve(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(c.Home, path)
}

// defaults are the values without any flag.
func defaults(getenv func(string) string) (Config, error) {
	home, err := defaultHome(getenv)
	return Config{
		Home: home, StoresDir: "stores", StoreName: "peer",
		EntryPort: 49737, MDNS: true, Framing: "line", Toolsets: []string{"default"},
		Bridge:      Bridge{Host: "127.0.0.1", Port: 49222},
		Page:        Page{Port: 5070},
		Sidechannel: defaultSidechannel(),
	}, err
}

func defaultHome(getenv func(string) string) (string, error) {
	if data := getenv("XDG_DATA_HOME"); filepath.IsAbs(data) {
		return filepath.Join(data, "intercom"), nil
	}
	user := getenv("HOME")
	if user == "" {
		var err error
		if user, err = os.UserHomeDir(); err != nil {
			return "", fault.New(fault.Invalid, "no home directory is known").WithHint("name one with --home")
		}
	}
	return filepath.Join(user, ".local", "share", "intercom"), nil
}
