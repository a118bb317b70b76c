package store

import (
	"errors"
	"io/fs"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"

	"intercom/core/fault"
)

// Option changes how a store is opened.
type Option func(*settings)

type settings struct{ log *slog.Logger }

// WithLog sends pebble's own words to log: its news at debug level, its errors
// as warnings. Without it they are dropped.
func WithLog(log *slog.Logger) Option {
	return func(s *settings) { s.log = log }
}

// Open opens the store in dir, which is made with mode 0700 when it is not
// there. A store that is open already, here or in another process, is a
// [fault.Conflict]; one that is damaged or out of reach is
// [fault.Unavailable].
func Open(dir string, options ...Option) (*Store, error) {
	return open(vfs.Default, dir, options)
}

// OpenMemory opens an empty store that lives in memory and ends with it. A
// store that tests can cut the power of is a [Disk].
func OpenMemory(options ...Option) (*Store, error) {
	return open(vfs.NewMem(), "store", options)
}

// The store of an idle peer must be small and open fast, so the caches are far
// below pebble's advice for servers. Too low and large feeds read from disk
// more often, which a chain of 100 000 transactions feels; too high and a busy peer
// holds the memory ever after.
const (
	cacheBytes    = 24 << 20 // blocks read
	memtableBytes = 4 << 20  // writes not yet in a table, replayed by Open after a crash
	openFiles     = 256
	// indexBytes lets a table have one index: below it a read goes through two.
	indexBytes = 256 << 10
)

// format is the version of pebble's files. It is fixed, and not pebble's
// newest, so that a newer pebble does not make stores an older peer of the
// same release line cannot open.
const format = pebble.FormatTableFormatV6

func open(disk vfs.FS, dir string, options []Option) (*Store, error) {
	set := settings{log: slog.New(slog.DiscardHandler)}
	for _, option := range options {
		option(&set)
	}
	if err := makeDir(disk, dir); err != nil {
		return nil, fault.New(fault.Unavailable, "store %q: %w", dir, err).
			WithHint("choose a home that this user may write to")
	}
	lock, err := pebble.LockDirectory(dir, disk)
	if err != nil {
		return nil, lockFault(dir, err)
	}
	opts := &pebble.Options{
		FS:                          disk,
		Lock:                        lock,
		FormatMajorVersion:          format,
		CacheSize:                   cacheBytes,
		MemTableSize:                memtableBytes,
		MaxOpenFiles:                openFiles,
		CompactionConcurrencyRange:  func() (lower, upper int) { return 1, 1 },
		MemTableStopWritesThreshold: 4,
		Logger:                      logger(set),
	}
	for i := range opts.Levels {
		opts.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
		opts.Levels[i].IndexBlockSize = indexBytes
	}
	s := &Store{unlock: lock.Close, log: set.log}
	if err := contain(func() (err error) { s.db, err = pebble.Open(dir, opts); return err }); err != nil {
		_ = lock.Close() // the fault below says more
		return nil, openFault(dir, err)
	}
	return s, nil
}

// makeDir makes the directory and those above it that are not there. A
// directory survives a cut of power only when the one above it was fsynced.
func makeDir(disk vfs.FS, dir string) error {
	if _, err := disk.Stat(dir); err == nil {
		return nil
	}
	above := disk.PathDir(dir)
	if above != dir {
		if err := makeDir(disk, above); err != nil {
			return err
		}
	}
	if err := disk.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	parent, err := disk.OpenDir(above)
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// lockFault tells a lock that somebody holds from a directory that cannot be
// used: only the latter fails on a path.
func lockFault(dir string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fault.New(fault.Unavailable, "store %q: %w", dir, err).
			WithHint("check that this user may write there")
	}
	return fault.New(fault.Conflict, "store %q is in use: %w", dir, err).
		WithHint("end the peer that has it open, or choose another store")
}

func openFault(dir string, err error) error {
	return fault.New(fault.Unavailable, "store %q cannot be opened: %w", dir, err).
		WithHint("check the disk; if the store is damaged, restore it from a copy, or move it away to start empty")
}
