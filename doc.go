// Package intercom holds no code of its own: it is the root of the house, and
// its test keeps the walls (layout_test.go). The program is cmd/intercom.
package intercom
