package peer

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"intercom/cmd/internal/config"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/planes/sidechannel"
)

// maxPaperFile bounds a file with a welcome.
const maxPaperFile = 64 << 10

// reader reads the texts of flags and keeps every problem.
type reader struct {
	self     identity.PublicKey
	problems []error
}

// sidechannelConfig reads the flags of the sidechannel, and reports all that is
// wrong with them at once.
func (p *Peer) sidechannelConfig() (sidechannel.Config, error) {
	r := reader{self: p.id.PublicKey()}
	s := p.cfg.Sidechannel
	cfg := sidechannel.Config{
		Channels: r.names("sidechannels", p.cfg.Channels), Debug: s.Debug,
		Policy: sidechannel.Policy{
			Owners: r.owners(s.Owners), Welcomes: r.welcomes(s.Welcomes, p.cfg),
			NeedWelcome: need(s.WelcomeRequired), OwnerWrite: s.OwnerWrite, OwnerWriteIn: r.names("sidechannel-owner-write-channels", s.OwnerWriteIn),
			InviteOnly: s.InviteRequired, InviteIn: r.names("sidechannel-invite-channels", s.InviteChannels), InvitePrefixes: s.InvitePrefixes,
			Inviters: r.keys("sidechannel-inviter-keys", s.InviterKeys), InviteLife: time.Duration(s.InviteTTL) * time.Second,
			Rates:        sidechannel.Rates{Unlimited: s.RateBytes == 0, Bytes: s.RateBytes, Burst: s.RateBurst, Strikes: s.Strikes},
			NoRemoteOpen: s.NoRemoteOpen, AutoJoin: s.AutoJoin, NoRelay: s.NoRelay, MaxFrame: s.MaxBytes,
		},
	}
	if s.Work {
		cfg.Policy.Work = sidechannel.Work{Bits: s.WorkBits, Entry: s.WorkEntry && s.WorkBits > 0, In: r.names("sidechannel-pow-channels", s.WorkChannels)}
	} else if len(s.WorkChannels) > 0 {
		r.wrong("sidechannel-pow-channels", errors.New("proof of work is off, so the list would do nothing"))
	}
	if err := errors.Join(r.problems...); err != nil {
		return cfg, fault.New(fault.Invalid, "%s", strings.ReplaceAll(err.Error(), "\n", "; ")).WithHint("`intercom help flags` lists the flags and their forms")
	}
	return cfg, nil
}

func need(text string) sidechannel.Need {
	switch text {
	case "1":
		return sidechannel.NeedAlways
	case "0":
		return sidechannel.NeedNever
	}
	return sidechannel.NeedAuto
}

func (r *reader) wrong(flag string, err error) {
	r.problems = append(r.problems, fmt.Errorf("--%s: %w", flag, err))
}

func (r *reader) names(flag string, texts []string) (names []sidechannel.ChannelName) {
	for _, text := range texts {
		name, err := sidechannel.ParseChannelName(text)
		if err != nil {
			r.wrong(flag, err)
		}
		names = append(names, name)
	}
	return names
}

func (r *reader) keys(flag string, texts []string) (keys []identity.PublicKey) {
	for _, text := range texts {
		keys = append(keys, r.key(flag, text))
	}
	return keys
}

// key reads a key: hex, an address, or self.
func (r *reader) key(flag, text string) identity.PublicKey {
	word := strings.ToLower(strings.TrimSpace(text))
	if word == "self" {
		return r.self
	}
	parse := identity.ParsePublicKey
	if strings.HasPrefix(word, "trac1") {
		parse = identity.ParseAddress
	}
	key, err := parse(word)
	if err != nil {
		r.wrong(flag, fmt.Errorf("%q is no key: %w", text, err))
	}
	return key
}

// owners reads "channel:key" entries. The last colon splits, since a channel's
// name may hold one.
func (r *reader) owners(entries []string) map[sidechannel.ChannelName]identity.PublicKey {
	const flag = "sidechannel-owner"
	owners := map[sidechannel.ChannelName]identity.PublicKey{}
	for _, entry := range entries {
		at := strings.LastIndexByte(entry, ':')
		if at < 0 {
			at = strings.LastIndexByte(entry, '=') // upstream takes it too
		}
		if at < 0 {
			r.wrong(flag, fmt.Errorf("%q is not channel:key", entry))
			continue
		}
		name, err := sidechannel.ParseChannelName(entry[:at])
		if err != nil {
			r.wrong(flag, err)
			continue
		}
		key := r.key(flag, entry[at+1:])
		if other, twice := owners[name]; twice && other != key {
			r.wrong(flag, fmt.Errorf("channel %q has two owners", name))
		}
		owners[name] = key
	}
	return owners
}

// welcomes reads "channel:paper" entries.
func (r *reader) welcomes(entries []string, cfg config.Config) (welcomes []*sidechannel.Welcome) {
	const flag = "sidechannel-welcome"
	for _, entry := range entries {
		channel, paper, ok := cutPaper(entry)
		if !ok {
			r.wrong(flag, fmt.Errorf("%.80q is not channel:paper", entry))
			continue
		}
		if file, isFile := strings.CutPrefix(paper, "@"); isFile {
			raw, err := readPaperFile(file)
			if err != nil {
				r.wrong(flag, err)
				continue
			}
			paper = raw
		}
		w, err := sidechannel.ReadWelcome(paper)
		if err == nil && string(w.Channel) != strings.TrimSpace(channel) {
			err = fmt.Errorf("the welcome is for channel %q, not %q", w.Channel, channel)
		}
		if err != nil {
			r.wrong(flag, err)
			continue
		}
		welcomes = append(welcomes, w)
	}
	return welcomes
}

// cutPaper splits where the paper begins: JSON, a file or marked base64 say so
// themselves; plain base64 holds no colon.
func cutPaper(entry string) (channel, paper string, ok bool) {
	for _, mark := range []string{":{", ":@", ":b64:"} {
		if at := strings.Index(entry, mark); at > 0 {
			return entry[:at], entry[at+1:], true
		}
	}
	at := strings.LastIndexByte(entry, ':')
	if at <= 0 {
		return "", "", false
	}
	return entry[:at], entry[at+1:], true
}

func readPaperFile(name string) (string, error) {
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxPaperFile+1))
	if err == nil && len(raw) > maxPaperFile {
		err = fmt.Errorf("%s has more than %d bytes", name, maxPaperFile)
	}
	return string(raw), err
}
