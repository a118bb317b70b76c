// Package attach lets several processes share one store: one of them holds the
// peer, the others call it.
//
// The process that has the store's lock is the host. It serves its [op.Caller]
// on a Unix socket and writes attach.json into the store. Any other process
// reads that file, dials, shows the token and has a [Client], which is an
// op.Caller too. [Session] is either, and changes from one to the other when
// the host ends.
//
// It guarantees:
//
//   - Whether a store is taken is decided by its lock alone. The operating
//     system frees it with the process, so files left behind mean nothing.
//   - A call is made at most once. One that was on its way when the host ended
//     is answered `unavailable`; one that was not sent goes to the next host.
//   - When a client goes, its calls are cancelled, and the host is told the
//     names that it called under.
//   - Everything is bounded: connections, calls, names, bytes, and the time a
//     stranger or a stuck peer may take.
//
// The socket lies in a directory that only its owner may enter, and the token
// in a file that only the owner may read. Whoever has the token may do what the
// owner may: the grant of a call is the surface's word, not checked again here.
//
// Surfaces, flags and what a peer consists of are not known here.
package attach

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"intercom/core/fault"
)

// Protocol is the version of what is spoken on the socket. Both ends must be
// the same; only attach.json and the greeting never change.
const Protocol = 1

// fileName is the file in the store that tells where the host is.
const fileName = "attach.json"

// address is the content of attach.json.
type address struct {
	Socket   string `json:"socket"`
	Token    string `json:"token"` // secret
	Protocol int    `json:"protocol"`
	Instance string `json:"instance"` // of the peer, as in event cursors
	PID      int    `json:"pid"`      // of the host, for people
}

// String keeps the token out of logs.
func (a address) String() string {
	return fmt.Sprintf("process %d at %s", a.PID, a.Socket)
}

// readAddress reads attach.json of a store.
func readAddress(dir string) (address, error) {
	var a address
	raw, err := os.ReadFile(filepath.Join(dir, fileName))
	if err != nil {
		return a, err
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, fmt.Errorf("%s: %w", fileName, err)
	}
	return a, nil
}

// write replaces attach.json in one step.
func (a address) write(dir string) error {
	raw, err := json.Marshal(a)
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(dir, fileName+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(raw)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = replace(file.Name(), filepath.Join(dir, fileName))
	}
	if err != nil {
		os.Remove(file.Name()) //nolint:errcheck // the first error tells more
	}
	return err
}

// replace renames a file over another. Windows refuses while somebody reads
// the old one, which is over in no time.
func replace(from, to string) (err error) {
	for range 20 {
		if err = os.Rename(from, to); err == nil || !os.IsPermission(err) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// remove takes attach.json away, unless another host has replaced it.
func (a address) remove(dir string) {
	if now, err := readAddress(dir); err == nil && now.Token == a.Token {
		os.Remove(filepath.Join(dir, fileName)) //nolint:errcheck // a stale file does no harm
	}
}

// newToken is a secret of 130 bits as text.
func newToken() string { return rand.Text() }

// otherProtocol is the refusal of a host of another version.
func otherProtocol(theirs int) *fault.Error {
	return fault.New(fault.Conflict, "the peer that runs on this store speaks attach protocol %d, this program %d", theirs, Protocol).
		WithHint("use the same version of intercom for both, or stop the running peer")
}
