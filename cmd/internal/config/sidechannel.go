package config

import (
	"fmt"
	"strconv"
	"strings"
)

// defaultSidechannel is upstream's (6.10), but for the welcome.
func defaultSidechannel() Sidechannel {
	return Sidechannel{
		MaxBytes: 1_000_000, Work: true, WorkBits: 12,
		RateBytes: 64_000, RateBurst: 256_000, Strikes: 3, InviteTTL: 604_800, WelcomeRequired: "auto",
	}
}

func channelFlags() []Flag {
	at := func(field func(*Sidechannel) *bool) func(*Config, string) error {
		return boolean(func(c *Config) *bool { return field(&c.Sidechannel) })
	}
	names := func(field func(*Sidechannel) *[]string) func(*Config, string) error {
		return list(func(c *Config) *[]string { return field(&c.Sidechannel) })
	}
	number := func(least, most int, field func(*Sidechannel) *int) func(*Config, string) error {
		return whole(least, most, func(c *Config) *int { return field(&c.Sidechannel) })
	}
	flags := []Flag{
		{Name: "sidechannels", Alias: []string{"sidechannel"}, Help: "channels to join at start, comma-separated", set: list(func(c *Config) *[]string { return &c.Channels })},
		{Name: "sidechannel-quiet", Bool: true, Help: "print no messages (default 0)", set: boolean(func(c *Config) *bool { return &c.Quiet })},
		{Name: "sidechannel-debug", Bool: true, Help: "log why controls of others do not count (default 0)", set: at(func(s *Sidechannel) *bool { return &s.Debug })},
		{Name: "sidechannel-max-bytes", Help: "greatest frame to send (default 1000000, which is the most)", set: number(1024, 1_000_000, func(s *Sidechannel) *int { return &s.MaxBytes })},
		{Name: "sidechannel-relay", Bool: true, Help: "pass messages on to other members (default 1)", set: inverse(func(c *Config) *bool { return &c.Sidechannel.NoRelay })},
		{Name: "sidechannel-backbone", Help: "relay up to n topics of neighbours without being a member, also of channels that it cannot read (default 0)", set: count(func(c *Config) *int { return &c.Backbone }, 65536)},
		{Name: "sidechannel-allow-remote-open", Bool: true, Help: "list channels that others ask to join in sc_requests (default 1)", set: inverse(func(c *Config) *bool { return &c.Sidechannel.NoRemoteOpen })},
		{Name: "sidechannel-auto-join", Bool: true, Help: "join them at once, at most 64 (default 0)", set: at(func(s *Sidechannel) *bool { return &s.AutoJoin })},
		{Name: "sidechannel-pow", Bool: true, Help: "ask for and give proof of work (default 1)", set: at(func(s *Sidechannel) *bool { return &s.Work })},
		{Name: "sidechannel-pow-difficulty", Help: "its bits, 0 to 30 (default 12, about a ms)", set: number(0, 30, func(s *Sidechannel) *int { return &s.WorkBits })},
		{Name: "sidechannel-pow-entry", Bool: true, Help: "only on the entry channel (default 0)", set: at(func(s *Sidechannel) *bool { return &s.WorkEntry })},
		{Name: "sidechannel-pow-channels", Help: "only on these channels, comma-separated", set: names(func(s *Sidechannel) *[]string { return &s.WorkChannels })},
		{Name: "sidechannel-rate-bytes", Help: "bytes a second that one peer may send (default 64000, 0 = no limits)", set: number(0, 1<<30, func(s *Sidechannel) *int { return &s.RateBytes })},
		{Name: "sidechannel-rate-burst", Help: "bytes it may send at once (default 256000; the greatest frame always fits)", set: number(1, 1<<30, func(s *Sidechannel) *int { return &s.RateBurst })},
		{Name: "sidechannel-max-strikes", Help: "frames beyond that within 5 s which block it for 30 s (default 3)", set: number(1, 1000, func(s *Sidechannel) *int { return &s.Strikes })},
		{Name: "sidechannel-invite-required", Bool: true, Help: "channels are invite-only: all, or the ones listed (default 0)", set: at(func(s *Sidechannel) *bool { return &s.InviteRequired })},
		{Name: "sidechannel-invite-channels", Help: "invite-only channels, comma-separated", set: names(func(s *Sidechannel) *[]string { return &s.InviteChannels })},
		{Name: "sidechannel-invite-prefixes", Help: "beginnings of names of invite-only channels, comma-separated", set: names(func(s *Sidechannel) *[]string { return &s.InvitePrefixes })},
		{Name: "sidechannel-inviter-keys", Help: "keys (hex or address) whose invites count, or self, comma-separated", set: names(func(s *Sidechannel) *[]string { return &s.InviterKeys })},
		{Name: "sidechannel-invite-ttl", Help: "seconds that new invites count (default 604800, a week)", set: number(1, 31_622_400, func(s *Sidechannel) *int { return &s.InviteTTL })},
		{Name: "sidechannel-owner", Help: "owners as channel:key, comma-separated; key is hex, an address or self", set: names(func(s *Sidechannel) *[]string { return &s.Owners })},
		{Name: "sidechannel-owner-write-only", Bool: true, Help: "only owners write, on every channel (default 0)", set: at(func(s *Sidechannel) *bool { return &s.OwnerWrite })},
		{Name: "sidechannel-owner-write-channels", Help: "channels on which only the owner writes, comma-separated", set: names(func(s *Sidechannel) *[]string { return &s.OwnerWriteIn })},
		{Name: "sidechannel-welcome", Help: "welcomes as channel:paper, comma-separated; paper is base64, JSON or @file", set: papers(func(c *Config) *[]string { return &c.Sidechannel.Welcomes })},
		{Name: "sidechannel-welcome-required", Bool: true, Help: "hear nothing until the owner's welcome is here: auto = where an owner is known (default), 1 = everywhere, 0 = never", set: welcomeRequired},
	}
	for i := range flags {
		flags[i].Env = strings.ToUpper(strings.ReplaceAll(flags[i].Name, "-", "_"))
		flags[i].Peer = true
	}
	return flags
}

func welcomeRequired(c *Config, v string) error {
	if strings.ToLower(v) == "auto" {
		c.Sidechannel.WelcomeRequired = "auto"
		return nil
	}
	on, err := parseBool(v)
	if err != nil {
		return fmt.Errorf("%q is neither auto, 1 nor 0", v)
	}
	c.Sidechannel.WelcomeRequired = "0"
	if on {
		c.Sidechannel.WelcomeRequired = "1"
	}
	return nil
}

// inverse sets what a flag switches off.
func inverse(at func(*Config) *bool) func(*Config, string) error {
	return func(c *Config, v string) error {
		on, err := parseBool(v)
		*at(c) = !on
		return err
	}
}

// whole reads a whole number within bounds.
func whole(least, most int, at func(*Config) *int) func(*Config, string) error {
	return func(c *Config, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < least || n > most {
			return fmt.Errorf("%q is no whole number from %d to %d", v, least, most)
		}
		*at(c) = n
		return nil
	}
}

// papers splits at commas that stand in no JSON: neither in braces nor in a text.
func papers(at func(*Config) *[]string) func(*Config, string) error {
	return func(c *Config, v string) error {
		*at(c) = nil
		add := func(item string) {
			if item = strings.TrimSpace(item); item != "" {
				*at(c) = append(*at(c), item)
			}
		}
		depth, quoted, escaped, start := 0, false, false, 0
		for i, char := range v {
			switch {
			case escaped:
				escaped = false
			case char == '\\' && quoted:
				escaped = true
			case char == '"' && depth > 0:
				quoted = !quoted
			case quoted:
			case char == '{':
				depth++
			case char == '}':
				depth--
			case char == ',' && depth <= 0:
				add(v[start:i])
				start = i + 1
			}
		}
		add(v[start:])
		return nil
	}
}
