package identity

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"intercom/core/fault"
)

const fileName = "identity.json"

// upstreamKeypair is where upstream's peers keep their wallet in a store.
var upstreamKeypair = filepath.Join("db", "keypair.json")

// Path is the file that keeps the identity of the store in dir.
func Path(dir string) string { return filepath.Join(dir, fileName) }

// Exists tells whether the store in dir has an identity file, readable or not.
func Exists(dir string) bool { return present(Path(dir)) }

// Open reads the identity of the store in dir. The passphrase is needed exactly
// if the file is protected by one; nil and empty are none. Faults: not_found if
// there is no file; denied for a wrong or missing passphrase and for an
// unprotected file that others may read; invalid for a file that is damaged or
// of an unknown version, or a passphrase where none is needed.
//
// An unprotected file opens in well under a millisecond, a protected one takes
// the key derivation it names, about 0.2 s.
func Open(dir string, passphrase []byte) (*Identity, error) {
	path := Path(dir)
	data, mode, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "there is no identity at %q: %w", path, fs.ErrNotExist).
			WithHint("make one with: intercom identity new (or restore, or import)")
	}
	if err != nil {
		return nil, err
	}
	f, err := decodeFile(path, data)
	if err != nil {
		return nil, err
	}
	if f.Sealing == nil && exposed(mode) {
		return nil, exposedFault(path, mode)
	}
	return f.open(path, passphrase)
}

// Save writes the identity to the store in dir, sealed if a passphrase is given
// and in the clear otherwise, and returns once it is on the disk. It never
// replaces an identity: one that is there is a conflict. Of several processes
// that save at once exactly one succeeds.
//
// The file has mode 0600; directories that are made have 0700, one that exists
// keeps its mode.
func Save(dir string, id *Identity, passphrase []byte) error {
	path := Path(dir)
	if Exists(dir) {
		return existsFault(path)
	}
	data, err := encodeFile(id, passphrase, defaultCost)
	if err != nil {
		return err
	}
	err = writeNew(path, data, len(passphrase) == 0)
	if errors.Is(err, fs.ErrExist) {
		return existsFault(path)
	}
	return err
}

// Create makes a new identity in dir and returns its 24 words, which the owner
// should write down: they are the only backup. random is crypto/rand if nil.
func Create(dir string, passphrase []byte, random io.Reader) (*Identity, Mnemonic, error) {
	if Exists(dir) {
		return nil, Mnemonic{}, existsFault(Path(dir))
	}
	id, words, err := Generate(random)
	if err != nil {
		return nil, Mnemonic{}, err
	}
	if err := Save(dir, id, passphrase); err != nil {
		return nil, Mnemonic{}, err
	}
	return id, words, nil
}

// Restore makes the identity of 12 or 24 words the one of dir.
func Restore(dir, words string, passphrase []byte) (*Identity, error) {
	id, err := FromMnemonic(words)
	if err != nil {
		return nil, err
	}
	if err := Save(dir, id, passphrase); err != nil {
		return nil, err
	}
	return id, nil
}

// ImportKeypair makes the identity in upstream's keypair.json at path the one of
// dir. The file is left as it is; upstream writes it readable by everybody.
func ImportKeypair(dir, path string, password, passphrase []byte) (*Identity, error) {
	if Exists(dir) {
		return nil, existsFault(Path(dir)) // before the costly part
	}
	id, err := readKeypair(path, password)
	if err != nil {
		return nil, err
	}
	if err := Save(dir, id, passphrase); err != nil {
		return nil, err
	}
	return id, nil
}

func readKeypair(path string, password []byte) (*Identity, error) {
	data, _, err := readSmall(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.NotFound, "File %s not found", path).WithHint("give the path of an upstream keypair.json")
	}
	if err != nil {
		return nil, err
	}
	return DecodeKeypair(data, password)
}

// ExportKeypair writes the identity to path as upstream's keypair.json, with
// mode 0600. It never overwrites: a file that is there is a conflict.
func ExportKeypair(id *Identity, path string, password []byte, form KeypairForm) error {
	exists := fault.New(fault.Conflict, "File %s already exists", path).WithHint("choose another path, or move that file away first")
	if present(path) {
		return exists
	}
	data, err := EncodeKeypair(id, password, form)
	if err != nil {
		return err
	}
	err = writeNew(path, data, true)
	if errors.Is(err, fs.ErrExist) {
		return exists
	}
	return err
}

// Origin tells where [OpenOrCreate] got the identity from.
type Origin string

const (
	Opened   Origin = "opened"   // it was there
	Created  Origin = "created"  // it is new: its words were never shown
	Imported Origin = "imported" // it was taken over from upstream's db/keypair.json
)

// OpenOrCreate opens the identity of dir. If there is none it imports upstream's
// dir/db/keypair.json, and if that is missing too it makes a new identity, whose
// words are then in [Identity.Mnemonic]. Processes that do so at once end with
// the same identity. A file that is there and cannot be used is an error, never
// a reason to make a new identity.
func OpenOrCreate(dir string, passphrase []byte) (*Identity, Origin, error) {
	if Exists(dir) {
		id, err := Open(dir, passphrase)
		return id, Opened, err
	}
	id, origin, err := firstIdentity(dir)
	if err != nil {
		return nil, "", err
	}
	err = Save(dir, id, passphrase)
	if errors.Is(err, fs.ErrExist) { // another process was faster
		id, err = Open(dir, passphrase)
		origin = Opened
	}
	if err != nil {
		return nil, "", err
	}
	return id, origin, nil
}

// firstIdentity is the identity for a store that has none yet.
func firstIdentity(dir string) (*Identity, Origin, error) {
	path := filepath.Join(dir, upstreamKeypair)
	if !present(path) {
		id, _, err := Generate(nil)
		return id, Created, err
	}
	id, err := readKeypair(path, nil)
	if err != nil {
		return nil, "", fault.New(fault.KindOf(err), "cannot import %q: %w", path, err).
			WithHint("import it with its password (intercom identity import), or move it away to start with a new identity")
	}
	return id, Imported, nil
}

func existsFault(path string) *fault.Error {
	return fault.New(fault.Conflict, "there is already an identity at %q: %w", path, fs.ErrExist).
		WithHint("use another store (--peer-store-name), or move that file away first: without it or its words the identity is lost")
}
