package bft

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	cometed "github.com/cometbft/cometbft/crypto/ed25519"
	cmtjson "github.com/cometbft/cometbft/libs/json"
	"github.com/cometbft/cometbft/p2p"
	"github.com/cometbft/cometbft/privval"

	"intercom/core/canon"
	"intercom/core/fault"
	"intercom/core/identity"
)

// The files of a validator. The second is as precious as the first: it tells
// what was signed last, and a key that signs without it may vote twice for one
// height, for which it loses its place.
const (
	keyFile   = "validator.key"
	stateFile = "validator.state"
)

// keys are what one node signs with. They redact themselves.
type keys struct {
	public identity.PublicKey
	vote   *privval.FilePV
	node   *p2p.NodeKey
}

func (keys) String() string   { return "bft.keys{redacted}" }
func (keys) GoString() string { return "bft.keys{redacted}" }

// ValidatorKey gives the public validator key of the node whose files are in
// dir, making them (mode 0600, in a directory of mode 0700) when neither is
// there. One without the other is a [fault.Conflict].
func ValidatorKey(dir string) (identity.PublicKey, error) {
	k, err := openKeys(dir)
	if err != nil {
		return identity.PublicKey{}, err
	}
	return k.public, nil
}

// PeerID gives the name under which the node of dir is known to other nodes;
// its keys are made when they are not there.
func PeerID(dir string) (string, error) {
	k, err := openKeys(dir)
	if err != nil {
		return "", err
	}
	return string(k.node.ID()), nil
}

func openKeys(dir string) (*keys, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, unwritable(dir, err)
	}
	keyPath, statePath := filepath.Join(dir, keyFile), filepath.Join(dir, stateFile)
	text, err := os.ReadFile(keyPath)
	if errors.Is(err, fs.ErrNotExist) {
		text, err = makeKey(keyPath, statePath)
	}
	if err != nil {
		return nil, unwritable(dir, err)
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fault.New(fault.Conflict, "validator key %q is damaged", keyPath).
			WithHint("restore it from a copy; without it this node is another validator")
	}
	last, err := lastSigned(statePath)
	if err != nil {
		return nil, err
	}
	return assemble(seed, keyPath, statePath, last), nil
}

func assemble(seed []byte, keyPath, statePath string, last privval.FilePVLastSignState) *keys {
	private := ed25519.NewKeyFromSeed(seed)
	vote := privval.NewFilePV(cometed.PrivKey(private), keyPath+".engine", statePath)
	at := &vote.LastSignState
	at.Height, at.Round, at.Step, at.Signature, at.SignBytes = last.Height, last.Round, last.Step, last.Signature, last.SignBytes
	// The key of connections is another one, so that no peer can have
	// something signed that looks like a vote.
	derived := sha256.Sum256(canon.Preimage("intercom/bft/node/v1", seed))
	return &keys{
		public: identity.PublicKey(private.Public().(ed25519.PublicKey)),
		vote:   vote,
		node:   &p2p.NodeKey{PrivKey: cometed.PrivKey(ed25519.NewKeyFromSeed(derived[:]))},
	}
}

// makeKey writes both files, the key last: a key is never there without its
// state. A state that has signed something is never replaced.
func makeKey(keyPath, statePath string) ([]byte, error) {
	last, err := lastSigned(statePath)
	switch {
	case err == nil && last.Height != 0:
		return nil, fault.New(fault.Conflict, "validator key %q is missing, but its state is there", keyPath).
			WithHint("restore the key from a copy; to become another validator move %s away", statePath)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	seed := make([]byte, ed25519.SeedSize)
	rand.Read(seed) // never fails
	text := []byte(hex.EncodeToString(seed) + "\n")
	if err := writeFile(statePath, []byte("{\"height\":\"0\",\"round\":0,\"step\":0}\n")); err != nil {
		return nil, err
	}
	return text, writeFile(keyPath, text)
}

// lastSigned reads the state in the engine's own form, in which it also
// writes it.
func lastSigned(path string) (privval.FilePVLastSignState, error) {
	var last privval.FilePVLastSignState
	text, err := os.ReadFile(path)
	if err != nil {
		return last, fault.New(fault.Conflict, "validator state %q: %w", path, err).
			WithHint("restore it from a copy; if this key has never signed anything, move the key away and start anew")
	}
	if err := decodeLast(text, &last); err != nil || last.Height < 0 {
		return last, fault.New(fault.Conflict, "validator state %q is damaged: %v", path, err).
			WithHint("restore it from a copy; signing without it may be punished")
	}
	return last, nil
}

// writeFile writes a new file that survives a cut of power, or nothing.
func writeFile(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	if dir, err := os.Open(filepath.Dir(path)); err == nil { // not on Windows
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}

func unwritable(dir string, err error) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return err
	}
	return fault.New(fault.Unavailable, "validator files in %q: %w", dir, err).
		WithHint("choose a home that this user may write to")
}

// decodeLast takes only what the engine would take without ending the process.
func decodeLast(text []byte, last *privval.FilePVLastSignState) error {
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(text, &raw); err != nil {
		return err
	}
	for _, member := range []string{"height", "round", "step"} {
		if raw[member] == nil {
			return fmt.Errorf("no %q in it", member)
		}
	}
	return cmtjson.Unmarshal(text, last)
}
