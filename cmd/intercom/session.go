package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"intercom/cmd/internal/attach"
	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/core/fault"
	"intercom/core/identity"
	"intercom/mcp"
	"intercom/rpc"
)

// joined is the peer of the store for one command: a peer that runs already, or
// one within this process.
type joined struct {
	*attach.Session
	cancel context.CancelFunc
	done   chan error
	over   context.Context // ends with the peer
}

// join reaches the peer of the store.
func (p program) join(ctx context.Context, cfg config.Config) (*joined, error) {
	log := p.logger(cfg, slog.LevelWarn)
	life, cancel := context.WithCancel(context.WithoutCancel(ctx))
	j := &joined{
		Session: attach.NewSession(cfg.Store(), starter(cfg, log, cancel), log),
		cancel:  cancel, done: make(chan error, 1), over: life,
	}
	go func() { j.done <- j.Run(life) }()
	err := j.Ready(ctx)
	if err == nil && !j.Embedded() && len(cfg.Given) > 0 {
		err = fault.New(fault.Conflict, "a peer runs on store %q already, and %s would change it", cfg.StoreName, strings.Join(cfg.Given, ", ")).
			WithHint("leave the flags out to use the running peer, or stop it first")
	}
	if err != nil {
		cancel()
		<-j.done // the same error, or none
		return nil, err
	}
	return j, nil
}

// Close ends a peer of our own and gives the store free.
func (j *joined) Close() error {
	j.cancel()
	return <-j.done
}

// until gives a context that ends with ctx or with the peer.
func (j *joined) until(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	unhook := context.AfterFunc(j.over, cancel)
	return ctx, func() { unhook(); cancel() }
}

// starter runs a peer within this process. When the peer ends by itself, because
// somebody called exit or a part failed, ended is called.
func starter(cfg config.Config, log *slog.Logger, ended func()) attach.Start {
	return func(ctx context.Context) (attach.Embedded, error) {
		node, err := peer.Open(cfg, log)
		if err != nil {
			return attach.Embedded{}, err
		}
		if node.Origin != identity.Opened {
			log.Info("the store has a new identity", "address", node.Key().Address(), "origin", string(node.Origin),
				"backup", "`intercom identity export --words` prints its words")
		}
		return embed(ctx, node, log, ended), nil
	}
}

// embed runs an open peer and offers it to whoever attaches.
func embed(ctx context.Context, node *peer.Peer, log *slog.Logger, ended func()) attach.Embedded {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() {
		err := node.Run(ctx)
		if err != nil {
			log.Error("the peer has ended", "err", err)
		}
		done <- err
		ended()
	}()
	return attach.Embedded{
		Caller: node.Registry, Instance: node.Instance(), Release: node.Release,
		Stop: func() error { cancel(); return errors.Join(<-done, node.Close()) },
	}
}

// run runs a peer with its bridge, its web page and, on a terminal, its command line.
func (p program) run(ctx context.Context, cfg config.Config, rest []string) (err error) {
	if len(rest) > 0 {
		return misused("write `intercom run [flags]`", "run takes no %q", rest[0])
	}
	if cfg.Bridge.On == config.Unset {
		cfg.Bridge.On = config.On
	}
	if cfg.Page.On == config.Unset {
		cfg.Page.On = config.On
	}
	log := p.logger(cfg, slog.LevelInfo)
	lock, err := alone(ctx, cfg)
	if err != nil {
		return err
	}
	defer lock.Release() //nolint:errcheck // only reading would need it
	node, err := peer.Open(cfg, log)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	embedded := embed(context.WithoutCancel(ctx), node, log, cancel)
	defer func() { err = errors.Join(err, embedded.Stop()) }()
	p.banner(cfg, node)
	return p.serve(ctx, cfg, embedded, log)
}

// alone takes the lock of the store, or says that a peer runs on it.
func alone(ctx context.Context, cfg config.Config) (*attach.Lock, error) {
	outcome, err := attach.Decide(ctx, cfg.Store())
	if err == nil && outcome.Client != nil {
		outcome.Client.Close() //nolint:errcheck // nothing was asked
		err = fault.New(fault.Conflict, "a peer runs on store %q already (%s)", cfg.StoreName, cfg.Store()).
			WithHint("`intercom rpc`, `intercom mcp` and one-shot commands use it; another store is named with --peer-store-name")
	}
	return outcome.Lock, err
}

// serve lets other processes attach, and reads the terminal if there is one.
func (p program) serve(ctx context.Context, cfg config.Config, embedded attach.Embedded, log *slog.Logger) error {
	host, err := attach.Listen(cfg.Store(), embedded, log)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return host.Run(ctx) })
	if term.IsTerminal(int(p.in.Fd())) {
		terminal := newTerminal(embedded.Caller, cfg.Quiet, p.in, p.out)
		defer p.console.show(terminal.line)()
		group.Go(func() error { return errors.Join(terminal.Run(ctx), errLeft) })
	}
	if err := group.Wait(); !errors.Is(err, errLeft) {
		return err
	}
	return nil
}

// errLeft ends the group when the user leaves the terminal.
var errLeft = errors.New("the terminal was left")

// banner tells who the peer is and where, on standard error.
func (p program) banner(cfg config.Config, node *peer.Peer) {
	if node.Origin == identity.Created && term.IsTerminal(int(p.out.Fd())) && term.IsTerminal(int(p.in.Fd())) {
		showWords(p.out, node.Words())
	}
	rows := [][2]string{
		{"peer key", node.Key().String()}, {"address", node.Key().Address()}, {"writer key", node.Key().String()},
		{"store", cfg.Store()},
	}
	if url := node.BridgeURL(); url != "" {
		rows = append(rows, [2]string{"bridge", url}, [2]string{"token", node.TokenPlace()})
	}
	if link := node.PageLink(); link != "" {
		rows = append(rows, [2]string{"page", link})
	}
	for _, row := range rows {
		fmt.Fprintf(p.err, "%-10s  %s\n", row[0], row[1])
	}
}

// rpc serves JSON-RPC on standard input and output.
func (p program) rpc(ctx context.Context, cfg config.Config, rest []string) (err error) {
	if len(rest) > 0 {
		return misused("write `intercom rpc [flags]`", "rpc takes no %q", rest[0])
	}
	framing, err := rpc.ParseFraming(cfg.Framing)
	if err != nil {
		return err
	}
	j, err := p.join(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	ctx, stop := j.until(ctx)
	defer stop()
	return rpc.Serve(ctx, p.in, p.out, j, rpc.Options{Framing: framing, Version: peer.Version, Log: p.logger(cfg, slog.LevelWarn)})
}

// mcp serves MCP on standard input and output, or over HTTP.
func (p program) mcp(ctx context.Context, cfg config.Config, rest []string) (err error) {
	if len(rest) > 0 {
		return misused("write `intercom mcp [flags]`", "mcp takes no %q", rest[0])
	}
	j, err := p.join(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, j.Close()) }()
	ctx, stop := j.until(ctx)
	defer stop()
	server, err := mcp.New(j, mcp.Config{Version: peer.Version, Toolsets: cfg.Toolsets}, p.logger(cfg, slog.LevelWarn))
	if err != nil {
		return err
	}
	if cfg.HTTP != "" {
		return p.mcpHTTP(ctx, cfg, server)
	}
	return server.ServeStdio(ctx, p.in, p.out)
}

// mcpHTTP serves streamable HTTP behind a bearer token.
func (p program) mcpHTTP(ctx context.Context, cfg config.Config, server *mcp.Server) error {
	file := cfg.HTTPAuth
	if file == "" {
		file = filepath.Join(cfg.Store(), "mcp-token")
	}
	token, err := peer.KeptToken(file)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.HTTP)
	if err != nil {
		return fault.New(fault.Unavailable, "the MCP server cannot listen on %s: %v", cfg.HTTP, err).WithHint("name another port with --http")
	}
	fmt.Fprintf(p.err, "%-10s  http://%s%s\n%-10s  %s\n", "mcp", listener.Addr(), mcp.Path, "token", file)
	return server.HTTP(ctx, listener, token)
}
