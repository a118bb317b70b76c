package attach

import (
	"os"
	"path/filepath"

	"intercom/core/fault"
)

// lockName is the file in the store whose lock decides who holds the peer. It
// is never removed: whoever locked a removed file would not meet the others.
const lockName = "peer.lock"

// Lock is the right to run a peer on a store. It ends with the process at the
// latest.
type Lock struct{ file *os.File }

// TryLock takes the lock of a store if it is free; the directory is made when
// it does not exist. Two locks of one store exclude each other also within one
// process.
func TryLock(dir string) (lock *Lock, taken bool, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, false, cannotLock(dir, err)
	}
	file, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, false, cannotLock(dir, err)
	}
	taken, err = lockFile(file)
	if err != nil || !taken {
		file.Close() //nolint:errcheck // nothing was written
		if err != nil {
			err = cannotLock(dir, err)
		}
		return nil, false, err
	}
	return &Lock{file: file}, true, nil
}

func cannotLock(dir string, err error) error {
	return fault.New(fault.Unavailable, "the store %s cannot be locked: %w", dir, err).
		WithHint("make it a directory that this user may write, on a local file system")
}

// Release gives the store free.
func (l *Lock) Release() error { return l.file.Close() }
