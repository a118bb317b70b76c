package mcp

import (
	"slices"
	"strings"

	"intercom/core/fault"
	"intercom/core/op"
)

// The toolsets that are not owners of operations.
const (
	commonSet = "default"
	allSet    = "all"
	adminSet  = "admin"
)

// grantOf is the access that the calls of a server have. No toolset grants
// secrets.
func grantOf(cfg Config) op.Access {
	switch {
	case cfg.ReadOnly:
		return op.Read
	case slices.Contains(cfg.Toolsets, adminSet):
		return op.Admin
	default:
		return op.Write
	}
}

// admit chooses the operations that become tools, in the order of their
// declaration.
func admit(infos []op.Info, cfg Config) ([]op.Info, error) {
	sets := cfg.Toolsets
	if len(sets) == 0 {
		sets = []string{commonSet}
	}
	known := Toolsets(infos)
	for _, set := range sets {
		if !slices.Contains(known, set) {
			return nil, fault.New(fault.Invalid, "toolset %q does not exist", set).
				WithHint("the toolsets are %s", strings.Join(known, ", "))
		}
	}
	grant := grantOf(cfg)
	var admitted []op.Info
	for _, info := range infos {
		if info.Access <= grant && slices.ContainsFunc(sets, func(set string) bool { return holds(set, info) }) {
			admitted = append(admitted, info)
		}
	}
	return admitted, nil
}

// holds tells whether an operation belongs to a toolset.
func holds(set string, info op.Info) bool {
	switch set {
	case commonSet:
		return info.Common
	case allSet:
		return info.Access < op.Admin
	case adminSet:
		return info.Access == op.Admin
	default:
		return strings.ToLower(info.Owner) == set
	}
}

// Toolsets lists the names that [Config] takes for these operations.
func Toolsets(infos []op.Info) []string {
	names := []string{commonSet, allSet, adminSet}
	for _, owner := range op.Owners(infos) {
		names = append(names, strings.ToLower(owner))
	}
	return names
}
