package main

import (
	"context"
	"fmt"
	"strings"

	"intercom/cmd/internal/config"
	"intercom/cmd/internal/peer"
	"intercom/core/op"
)

const overview = `intercom: a peer for agents

  intercom [label]              run a peer on the store of that label (default: peer)
  intercom run                  the same
  intercom rpc                  JSON-RPC 2.0 on standard input and output
  intercom mcp [--http h:p]     an MCP server
  intercom demo                 two peers split a trip
  intercom <operation> …        one operation, for example
                                intercom expense add --channel trip --payer alice --amount 30 --split alice,bob
  intercom call <op> [json]     one operation, parameters as JSON ("-" reads them from standard input)
  intercom identity show|new|restore|import|export
  intercom validator init|start|show
  intercom version
  intercom help [flags | <operation>]

rpc, mcp and operations use the peer that runs on the store, or run one
themselves. --json prints the result object.

`

// help prints the overview, the flags, or one operation.
func (p program) help(_ context.Context, _ config.Config, rest []string) error {
	switch {
	case len(rest) == 0:
		fmt.Fprint(p.out, overview, op.HelpAll(peer.Declared()))
		return nil
	case rest[0] == "flags":
		fmt.Fprint(p.out, config.Help())
		return nil
	case rest[0] == "identity":
		fmt.Fprint(p.out, identityUsage)
		return nil
	case rest[0] == "validator":
		fmt.Fprint(p.out, validatorUsage)
		return nil
	case p.commands()[rest[0]] != nil:
		fmt.Fprint(p.out, overview)
		return nil
	}
	info, _, err := op.Match(peer.Declared(), leading(rest))
	if err != nil {
		return misused("`intercom help` lists the operations", "no operation %q", strings.Join(rest, " "))
	}
	fmt.Fprint(p.out, op.HelpOne(info))
	return nil
}
