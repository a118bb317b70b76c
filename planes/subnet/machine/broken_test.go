package machine

import (
	"errors"
	"testing"

	"intercom/planes/subnet/contract"
)

// A storage that fails is an error and never an outcome, wherever it fails.
func TestStoragesThatFailStopTheMachine(t *testing.T) {
	w := newWorld(t, true)
	w.do(boot, &AddAdmin{key(adminKey)})
	w.do(adminKey, &SetChatStatus{true})
	command := w.command(bob, "ping", "null")
	bodies := append(samples(), w.pay(command, 1, nil))
	for _, b := range bodies {
		for n := range 40 {
			f := &failing{Storage: w.state, left: n}
			e := w.entry(adminKey, b)
			e.Seq = 0
			out, err := w.m.Apply(f, e, w.height)
			if f.failed != (err != nil) || f.failed && (!errors.Is(err, errDisk) || f.wrote) {
				t.Fatalf("%s after %d reads: %+v, %v", b.Kind(), n, out, err)
			}
			if !f.failed {
				break
			}
		}
	}
}

var errDisk = errors.New("the disk is gone")

// failing is a storage that fails after some reads and keeps nothing.
type failing struct {
	contract.Storage
	left          int
	failed, wrote bool
}

func (f *failing) Get(k []byte) ([]byte, bool, error) {
	if f.left--; f.left < 0 {
		f.failed = true
		return nil, false, errDisk
	}
	return f.Storage.Get(k)
}

func (f *failing) Set(_, _ []byte) { f.wrote = true }
func (f *failing) Delete(_ []byte) { f.wrote = true }
