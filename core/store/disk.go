package store

import (
	"math/rand/v2"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Disk is a disk in memory whose power can be cut: what tests of crash safety
// run on.
//
//	disk := store.NewDisk()
//	s, err := disk.Open()
//	…
//	after := disk.Crash(seed)  // s still runs, on the disk of before
//	s, err = after.Open()
type Disk struct{ fs *vfs.MemFS }

// NewDisk makes an empty disk.
func NewDisk() *Disk { return &Disk{fs: vfs.NewCrashableMem()} }

// Open opens the disk's store; one at a time.
func (d *Disk) Open(options ...Option) (*Store, error) {
	return open(d.fs, "store", options)
}

// Crash is the disk as a cut of power right now may leave it: all that was
// fsynced, and of the rest a part that the seed chooses; with seed 0 nothing of
// the rest. The disk itself goes on as if nothing had happened.
func (d *Disk) Crash(seed uint64) *Disk {
	cfg := vfs.CrashCloneCfg{}
	if seed != 0 {
		cfg = vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rand.New(rand.NewPCG(seed, seed))}
	}
	return &Disk{fs: d.fs.CrashClone(cfg)}
}
