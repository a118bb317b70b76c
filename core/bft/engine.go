package bft

import (
	"net"
	"path/filepath"
	"strconv"
	"time"

	"github.com/cometbft/cometbft/config"
)

// Limits of the pool of waiting transactions.
const (
	DefaultTxBytes = 64 << 10
	poolTxs        = 20_000
	poolBytes      = 64 << 20
	seenTxs        = 50_000 // remembered, so that an echo costs nothing
	maxInbound     = 40
)

// engineConfig are the engine's settings; its defaults are made for chains with
// a block a second. What the timeouts mean: too low, and a slow validator's
// block is voted down and proposed again; too high, and an absent validator
// holds up every block it should have proposed.
func engineConfig(cfg Config, port int) *config.Config {
	c := config.DefaultConfig()
	c.SetRoot(cfg.Dir)
	c.Moniker = "intercom"
	c.FilterPeers = true // by the bridge's Query
	c.TxIndex.Indexer = "null"
	c.RPC.ListenAddress = ""
	c.RPC.GRPCListenAddress = ""
	c.Instrumentation.Prometheus = false

	p := c.P2P
	p.ListenAddress = "tcp://" + net.JoinHostPort(cfg.host(), strconv.Itoa(port))
	p.PexReactor = false
	p.AddrBookStrict = false
	p.AllowDuplicateIP = true
	p.MaxNumInboundPeers = maxInbound
	p.SendRate, p.RecvRate = 50<<20, 50<<20
	p.FlushThrottleTimeout = time.Millisecond
	p.HandshakeTimeout = 5 * time.Second
	p.DialTimeout = 3 * time.Second

	m := c.Mempool
	_, own := cfg.App.(Pool)
	m.Size, m.MaxTxsBytes, m.CacheSize = poolTxs, poolBytes, seenTxs
	m.MaxTxBytes = cfg.txBytes()
	m.Recheck = cfg.Recheck || own
	m.Broadcast = !own
	m.KeepInvalidTxsInCache = false

	s := c.Consensus
	s.SetWalFile(filepath.Join(cfg.Dir, "wal", "log"))
	s.TimeoutPropose, s.TimeoutProposeDelta = 500*time.Millisecond, 100*time.Millisecond
	s.TimeoutPrevote, s.TimeoutPrevoteDelta = 100*time.Millisecond, 50*time.Millisecond
	s.TimeoutPrecommit, s.TimeoutPrecommitDelta = 100*time.Millisecond, 50*time.Millisecond
	s.TimeoutCommit, s.SkipTimeoutCommit = 0, true
	s.CreateEmptyBlocks = false
	s.PeerGossipSleepDuration = 5 * time.Millisecond

	c.BlockSync.AdaptiveSync = true
	return c
}

// freePort finds a port for the engine, which cannot tell the one it was given.
func freePort(host string) (int, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
