//go:build !unix

package identity

// syncDir does nothing: Windows cannot sync a directory and journals its names.
func syncDir(string) error { return nil }
