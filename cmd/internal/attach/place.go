package attach

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// pathLimit is what fits into a socket address on every system (macOS: 104
// bytes with the closing zero).
const pathLimit = 100

// newSocketPath makes a name for a socket in a directory of this user alone. A
// name is never used twice, so a file that a killed host left behind is in
// nobody's way.
func newSocketPath() (string, error) {
	var name [4]byte
	rand.Read(name[:]) //nolint:errcheck // never fails
	base := hex.EncodeToString(name[:]) + ".sock"
	var problem error
	for _, dir := range socketDirs() {
		path := filepath.Join(dir, base)
		if len(path) > pathLimit {
			problem = fmt.Errorf("%s is too long for a socket", path)
			continue
		}
		if problem = private(dir); problem == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no place for a socket: %w", problem)
}

// socketDirs lists where sockets may lie, the best first.
func socketDirs() []string {
	if runtime.GOOS == "windows" {
		if local := os.Getenv("LOCALAPPDATA"); local != "" {
			return []string{filepath.Join(local, "intercom")}
		}
		return []string{filepath.Join(os.TempDir(), "intercom")}
	}
	var dirs []string
	if runtimeDir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(runtimeDir) {
		dirs = append(dirs, filepath.Join(runtimeDir, "intercom"))
	}
	mine := "intercom-" + strconv.Itoa(os.Getuid())
	return append(dirs, filepath.Join(os.TempDir(), mine), filepath.Join("/tmp", mine))
}

// private makes sure that a directory exists, is real, and is open to its
// owner, us, alone. In a shared temporary directory anybody may have made it.
func private(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return err
	}
	info, err := os.Lstat(dir)
	switch {
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no directory", dir)
	case !owned(info):
		return fmt.Errorf("%s belongs to somebody else or is open to others", dir)
	}
	return nil
}

// removeStale takes away the socket that a dead host left behind, as its
// attach.json names it. The caller holds the lock of the store.
func removeStale(dir string) {
	old, err := readAddress(dir)
	if err != nil {
		return
	}
	for _, place := range socketDirs() {
		if filepath.Dir(old.Socket) == place && filepath.Ext(old.Socket) == ".sock" {
			os.Remove(old.Socket) //nolint:errcheck // it is in nobody's way
		}
	}
}
