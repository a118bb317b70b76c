package config

import "path/filepath"

// Settlement is the part about the settlement network.
type Settlement struct {
	Off        bool     // --msb 0
	StoreName  string   // "" = the peer's, with "-msb"
	StoresDir  string   // relative to the home
	Genesis    string   // file, hash, own, or "" = as the time before
	Validators []string // host:port or multiaddr
}

// SettlementStore is the directory of the settlement networks.
func (c Config) SettlementStore() string {
	name := c.Settlement.StoreName
	if name == "" {
		name = c.StoreName + "-msb"
	}
	dir := c.Settlement.StoresDir
	if dir == "" {
		dir = c.StoresDir
	}
	return filepath.Join(c.resolve(dir), name)
}

func settlementFlags() []Flag {
	return []Flag{
		{Name: "msb", Bool: true, Peer: true, Help: "settle values, from the first call on (default 1)", set: inverse(func(c *Config) *bool { return &c.Settlement.Off })},
		{Name: "msb-genesis", Peer: true, Help: "settlement network to use: file or hash of its genesis, or own = this home's development network (default the one of the last time, else own)", set: text(func(c *Config) *string { return &c.Settlement.Genesis })},
		{Name: "msb-validators", Alias: []string{"msb-dht-bootstrap"}, Env: "MSB_DHT_BOOTSTRAP", Peer: true, Help: "validators, or peers that know them, to connect with, host:port or multiaddr, comma-separated (default whoever is connected)", set: list(func(c *Config) *[]string { return &c.Settlement.Validators })},
		{Name: "msb-store-name", Env: "MSB_STORE_NAME", Peer: true, Help: "name of the settlement store (default the store's, with -msb)", set: directory(func(c *Config) *string { return &c.Settlement.StoreName })},
		{Name: "msb-stores-directory", Env: "MSB_STORES_DIRECTORY", Peer: true, Help: "directory of the settlement store, within the home (default that of the stores)", set: text(func(c *Config) *string { return &c.Settlement.StoresDir })},
	}
}
