package mcp

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	protocol "github.com/mark3labs/mcp-go/mcp"
	engine "github.com/mark3labs/mcp-go/server"

	"intercom/core/op"
)

//go:embed instructions.md
var instructions string

// Config chooses what a server offers. The zero value serves the default
// toolset.
type Config struct {
	// Version of the peer, told to clients; "" tells "dev".
	Version string
	// Toolsets names what becomes a tool: "default" (the common path), "all",
	// "admin", or an owner of operations in lower case, such as "sidechannel".
	// None means "default". More tools cost a model attention; fewer leave it
	// without means.
	Toolsets []string
	// ReadOnly leaves out every operation that changes or sends something.
	ReadOnly bool
}

// Server serves one caller. It may serve several transports at a time; each has
// sessions and subscriptions of its own.
type Server struct {
	caller op.Caller
	cfg    Config
	log    *slog.Logger

	grant    op.Access
	tools    []engine.ServerTool // in the order of the declarations
	shown    []protocol.Tool     // the same, as tools/list gives them
	names    map[string]bool     // the same, as a set
	withheld map[string]bool     // operations that are no tools here
	views    []view
	grace    time.Duration // how long an ending transport waits for answers
}

// New makes a server. A toolset that does not exist is [fault.Invalid].
func New(caller op.Caller, cfg Config, log *slog.Logger) (*Server, error) {
	s := &Server{
		caller: caller, cfg: cfg, log: log, grant: grantOf(cfg), grace: 5 * time.Second,
		names: map[string]bool{}, withheld: map[string]bool{},
	}
	infos := caller.Ops()
	admitted, err := admit(infos, cfg)
	if err != nil {
		return nil, err
	}
	for _, info := range admitted {
		tool := s.tool(info)
		s.tools = append(s.tools, tool)
		s.shown = append(s.shown, tool.Tool)
		s.names[info.Name] = true
	}
	for _, info := range infos {
		s.withheld[info.Name] = !s.names[info.Name]
	}
	s.views = slices.DeleteFunc(allViews(), func(v view) bool { return !v.servedBy(s.names) })
	return s, nil
}

// engine makes the protocol machine of one transport, whose clients are told of
// changes by u.
func (s *Server) engine(u *updates) *engine.MCPServer {
	hooks := &engine.Hooks{}
	hooks.AddBeforeCallTool(s.redirect)
	hooks.AddAfterListTools(func(_ context.Context, _ any, _ *protocol.ListToolsRequest, result *protocol.ListToolsResult) {
		result.Tools = slices.Clip(s.shown)
		result.NextCursor = ""
	})
	u.install(hooks)
	options := []engine.ServerOption{
		engine.WithInstructions(instructions),
		engine.WithToolCapabilities(false),
		engine.WithHooks(hooks),
		engine.WithRecovery(),
		engine.WithResourceRecovery(),
	}
	if len(s.views) > 0 {
		options = append(options, engine.WithResourceCapabilities(true, false))
	}
	m := engine.NewMCPServer("intercom", cmp.Or(s.cfg.Version, "dev"), options...)
	m.AddTools(s.tools...)
	m.AddTools(engine.ServerTool{Tool: protocol.Tool{Name: elsewhere, RawInputSchema: json.RawMessage(`{"type":"object"}`)}, Handler: s.refuse})
	for _, v := range s.views {
		m.AddResourceTemplate(v.template(), s.reader(v))
	}
	return m
}

// clientOf names the caller of a request for the operations: its session. The
// modern HTTP revision has none, so all its requests are one client.
func clientOf(ctx context.Context) string {
	if session := engine.ClientSessionFromContext(ctx); session != nil && session.SessionID() != "" {
		return "mcp:" + session.SessionID()
	}
	return "mcp"
}
