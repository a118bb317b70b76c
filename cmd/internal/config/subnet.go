package config

// Subnet is the part about the subnet.
type Subnet struct {
	Bootstrap string // hex; "" = the one of the last time, else the peer's own
	Channel   string // "" = upstream's default
	Indexer   bool   // consent to confirm entries of another's subnet
	Timer     bool   // write the time, as the admin's feature
}

func subnetFlags() []Flag {
	return []Flag{
		{Name: "subnet-bootstrap", Env: "SUBNET_BOOTSTRAP", Peer: true, Help: "bootstrap key of the subnet to join, 64 hex digits (default the one of the last time, else a subnet of this peer's own, made at its first use)", set: text(func(c *Config) *string { return &c.Subnet.Bootstrap })},
		{Name: "subnet-channel", Env: "SUBNET_CHANNEL", Peer: true, Help: "channel of the subnet; naming one starts the subnet with the peer (default trac-peer-subnet)", set: text(func(c *Config) *string { return &c.Subnet.Channel })},
		{Name: "subnet-indexer", Bool: true, Peer: true, Help: "keep the whole chain of the subnet, and confirm its entries when its admin asks for that (default 0)", set: boolean(func(c *Config) *bool { return &c.Subnet.Indexer })},
		{Name: "timer", Bool: true, Peer: true, Help: "write the time into the subnet every minute, when this peer is its admin (default 0)", set: boolean(func(c *Config) *bool { return &c.Subnet.Timer })},
	}
}
