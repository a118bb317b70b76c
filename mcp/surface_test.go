package mcp

import (
	"testing"

	"intercom/core/op"
	"intercom/core/op/optest"
)

func TestSurfacePassesTheSuite(t *testing.T) {
	everyWay(t, func(t *testing.T, way transport, revision string) {
		optest.Surface(t, func(t *testing.T, c op.Caller, grant op.Access) optest.Client {
			s := newServer(t, c, Config{Toolsets: []string{"all"}, ReadOnly: grant == op.Read})
			tr, cut := way(t, s)
			return &adapter{t: t, cs: dial(t, tr, revision, nil), cut: cut}
		})
	})
}
