package bft

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"intercom/core/fault"
	"intercom/core/store"
)

// Follower is a light client of one chain: it believes the genesis, verifies
// headers of several servers asked side by side, and keeps the newest. It has
// no clock and no loop of its own: call [Follower.Sync] as often as news are
// wanted. Its methods may be called from any goroutine.
type Follower struct {
	cfg FollowerConfig
	log *slog.Logger

	mu     sync.Mutex
	trust  Trust
	head   Header
	signed []byte
	seen   map[int64]sighting // verified headers of late
	fork   *Evidence
}

// FollowerConfig is what a follower is made of; Servers and Log are needed.
type FollowerConfig struct {
	Genesis Genesis
	// Space keeps what is trusted over restarts; nil keeps it in memory.
	Space *store.Space
	// Servers names whom to ask, now; the first 16 count.
	Servers func() []Server
	// Patience bounds one server's answer; 0 is 5 s.
	Patience time.Duration
	// Notice is told of servers that lie, lag or withhold; nil: the log alone.
	Notice func(Notice)
	Log    *slog.Logger
}

// Fault says what a server did.
type Fault string

// What a server can do wrong.
const (
	Lied     Fault = "lied"     // it sent what does not hold: drop it
	Forked   Fault = "forked"   // it sent a valid header that contradicts another's: evidence is kept
	Behind   Fault = "behind"   // it is heights behind the newest that is proven
	Withheld Fault = "withheld" // it had nothing where another had a proof; an honest one may lag for a moment
	Silent   Fault = "silent"   // it did not answer, or long after the others
)

// Notice is about one server.
type Notice struct {
	Server string
	Fault  Fault
	Err    error
}

// sighting is a verified header and who gave it.
type sighting struct {
	hash   Hash
	signed []byte
	from   string
}

const (
	maxServers   = 16
	maxSightings = 256
	// grace is how long the others may still answer when one has.
	grace = 300 * time.Millisecond
)

// NewFollower makes a follower; it asks nobody yet. A space that follows
// another chain is a [fault.Conflict].
func NewFollower(cfg FollowerConfig) (*Follower, error) {
	if err := cfg.Genesis.Check(); err != nil {
		return nil, err
	}
	if cfg.Patience <= 0 {
		cfg.Patience = 5 * time.Second
	}
	f := &Follower{
		cfg: cfg, log: cfg.Log.With("chain", cfg.Genesis.ChainID),
		trust: cfg.Genesis.Trust(), seen: map[int64]sighting{},
	}
	if cfg.Space == nil {
		return f, nil
	}
	if err := (journal{cfg.Space}).bind(cfg.Genesis.Hash()); err != nil {
		return nil, err
	}
	return f, f.load()
}

// The follower's own keys: the trust, the newest signed header, evidence.
var (
	trustKey    = []byte("trust")
	headKey     = []byte("head")
	evidenceKey = []byte("evidence")
)

func (f *Follower) load() error {
	if raw, ok, err := f.cfg.Space.Get(trustKey); err != nil {
		return err
	} else if ok {
		if f.trust, err = ParseTrust(raw); err != nil {
			return err
		}
	}
	if raw, ok, err := f.cfg.Space.Get(headKey); err != nil {
		return err
	} else if ok {
		if f.head, err = VerifyHeader(f.trust, raw); err != nil {
			return err
		}
		f.signed = raw
		f.seen[f.head.Height] = sighting{f.head.Hash, raw, "this store"}
	}
	if raw, ok, err := f.cfg.Space.Get(evidenceKey); err != nil {
		return err
	} else if ok {
		f.fork = &Evidence{}
		return json.Unmarshal(raw, f.fork)
	}
	return nil
}

// Head is the newest verified header; ok is false when there is none yet.
func (f *Follower) Head() (h Header, ok bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head, f.head.Height > 0
}

// Trust is what is believed by now.
func (f *Follower) Trust() Trust {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trust
}

// Evidence is the contradiction that was met, if one was: from then on every
// call answers [fault.Conflict].
func (f *Follower) Evidence() (Evidence, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.fork == nil {
		return Evidence{}, false
	}
	return *f.fork, true
}

func (f *Follower) forked() error {
	if e, ok := f.Evidence(); ok {
		return fault.New(fault.Conflict, "chain %q has two valid headers at height %d", f.cfg.Genesis.ChainID, e.Height).
			WithHint("do not trust it: its validators signed twice or lost their keys; ask those who run it, and begin with a new store")
	}
	return nil
}

// accept verifies a header and notes it; a second one of its height is
// evidence.
func (f *Follower) accept(from string, raw []byte) (Header, error) {
	h, err := VerifyHeader(f.Trust(), raw)
	if err != nil {
		return Header{}, err
	}
	return h, f.sight(from, h, raw)
}

func (f *Follower) sight(from string, h Header, raw []byte) error {
	f.mu.Lock()
	was, ok := f.seen[h.Height]
	if !ok {
		f.seen[h.Height] = sighting{h.Hash, raw, from}
		if len(f.seen) > maxSightings {
			f.forget()
		}
	}
	if !ok || was.hash == h.Hash || f.fork != nil {
		f.mu.Unlock()
		return f.forked()
	}
	f.fork = &Evidence{Height: h.Height, A: was.signed, B: raw, From: [2]string{was.from, from}}
	fork := *f.fork
	f.mu.Unlock()
	f.keep(fork)
	f.notice(Notice{Server: from, Fault: Forked, Err: fmt.Errorf("header %d contradicts the one of %s", h.Height, was.from)})
	return f.forked()
}

// forget drops the lowest sighting.
func (f *Follower) forget() {
	lowest := int64(-1)
	for height := range f.seen {
		if lowest < 0 || height < lowest {
			lowest = height
		}
	}
	delete(f.seen, lowest)
}

func (f *Follower) keep(e Evidence) {
	f.log.Error("two valid headers of one height", "height", e.Height, "servers", e.From)
	if f.cfg.Space == nil {
		return
	}
	raw, err := json.Marshal(e)
	if err == nil {
		b := f.cfg.Space.Batch()
		b.Set(evidenceKey, raw)
		err = b.Commit()
	}
	if err != nil {
		f.log.Error("the evidence was not kept", "err", err)
	}
}

func (f *Follower) notice(n Notice) {
	level := slog.LevelWarn
	if n.Fault == Silent { // servers come and go; a question that nobody answers fails loudly
		level = slog.LevelDebug
	}
	f.log.Log(context.Background(), level, "a server of the chain", "server", n.Server, "fault", n.Fault, "err", n.Err)
	if f.cfg.Notice != nil {
		f.cfg.Notice(n)
	}
}

// report tells what an error of a server means.
func (f *Follower) report(ctx context.Context, server string, err error) {
	if errors.As(err, new(lie)) {
		f.notice(Notice{server, Lied, err})
		return
	}
	switch fault.KindOf(err) {
	case "", fault.Conflict, fault.NotFound, fault.Limited, fault.Invalid:
	default:
		if ctx.Err() == nil || context.Cause(ctx) == errImpatient {
			f.notice(Notice{server, Silent, err})
		}
	}
}
