package identity

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"intercom/core/fault"
)

// cheap keeps key derivation out of the way of what is tested.
var cheap = cost{Passes: 1, MemoryKiB: 8, Lanes: 1}

// childDir makes the test binary a process that only opens or makes an identity.
const childDir = "INTERCOM_IDENTITY_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		id, origin, err := OpenOrCreate(dir, nil)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(origin, id.PublicKey())
		return
	}
	os.Exit(m.Run())
}

// write puts a file into a fresh store and returns the store's directory.
func write(t *testing.T, data []byte, mode fs.FileMode) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(Path(dir), data, mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(Path(dir), mode); err != nil {
		t.Fatal(err)
	}
	return dir
}

func encode(t *testing.T, id *Identity, passphrase string) []byte {
	t.Helper()
	data, err := encodeFile(id, []byte(passphrase), cheap)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func wantFault(t *testing.T, err error, kind fault.Kind, text string) {
	t.Helper()
	f := fault.Of(err)
	if f == nil || f.Kind != kind || !strings.Contains(f.Message, text) || f.Hint == "" {
		t.Errorf("got %v (kind %q), want %q with a hint, of kind %q", err, fault.KindOf(err), text, kind)
	}
}

func TestCreatedIdentityOpensAgainWithItsWords(t *testing.T) {
	for _, passphrase := range []string{"", "correct horse"} {
		dir := filepath.Join(t.TempDir(), "stores", "alice")
		if Exists(dir) {
			t.Fatal("a store that is not there has an identity")
		}
		made, words, err := Create(dir, []byte(passphrase), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !Exists(dir) || len(strings.Fields(words.Reveal())) != 24 {
			t.Error("no file, or not 24 words")
		}
		opened, err := Open(dir, []byte(passphrase))
		if err != nil || opened.PublicKey() != made.PublicKey() || opened.Mnemonic().Reveal() != words.Reveal() {
			t.Errorf("opened %v, %v, want %v", opened, err, made)
		}
		left, _ := filepath.Glob(Path(dir) + "*")
		if len(left) != 1 {
			t.Errorf("files left behind: %q", left)
		}
	}
}

func TestIdentityIsNeverOverwritten(t *testing.T) {
	dir := t.TempDir()
	if _, err := Restore(dir, abandon, nil); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(Path(dir))
	_, _, createErr := Create(dir, nil, nil)
	_, restoreErr := Restore(dir, abandon, nil)
	_, importErr := ImportKeypair(dir, "nowhere", nil, nil)
	for _, err := range []error{createErr, restoreErr, importErr, Save(dir, FromSeed([32]byte{}), nil), writeNew(Path(dir), nil, true)} {
		if err != fs.ErrExist {
			wantFault(t, err, fault.Conflict, "already an identity")
		}
	}
	if after, _ := os.ReadFile(Path(dir)); !bytes.Equal(before, after) {
		t.Error("the file has changed")
	}
}

func TestOpenFaultsSayWhatToDo(t *testing.T) {
	id, err := FromMnemonic(abandon)
	if err != nil {
		t.Fatal(err)
	}
	clear, sealed := encode(t, id, ""), encode(t, id, "right")
	edit := func(data []byte, old, new string) []byte {
		if !bytes.Contains(data, []byte(old)) {
			t.Fatalf("%q is not in the file", old)
		}
		return bytes.Replace(data, []byte(old), []byte(new), 1)
	}
	other := FromSeed([32]byte{1}).PublicKey().String()
	for _, c := range []struct {
		name, passphrase string
		data             []byte
		kind             fault.Kind
		text             string
	}{
		{"wrong passphrase", "wrong", sealed, fault.Denied, "does not open"},
		{"missing passphrase", "", sealed, fault.Denied, "is protected by a passphrase"},
		{"needless passphrase", "right", clear, fault.Invalid, "not protected"},
		{"empty file", "", nil, fault.Invalid, "not an identity file"},
		{"cut file", "", clear[:len(clear)/2], fault.Invalid, "not an identity file"},
		{"other JSON", "", []byte(`{"nonce":""}`), fault.Invalid, "not an identity file"},
		{"newer version", "", edit(clear, `"version": 1`, `"version": 2, "more": 1`), fault.Invalid, "version 2"},
		{"unknown member", "", edit(clear, `"version": 1`, `"version": 1, "more": 1`), fault.Invalid, "members"},
		{"two values", "", append(bytes.Clone(clear), '1'), fault.Invalid, "not an identity file"},
		{"word changed", "", edit(clear, "abandon about", "abandon above"), fault.Invalid, "checksum"},
		{"seed changed", "", edit(clear, `"seed": "2`, `"seed": "3`), fault.Invalid, "checksum"},
		{"path changed", "", edit(clear, "918'", "919'"), fault.Invalid, "checksum"},
		{"other public key", "", edit(clear, id.PublicKey().String(), other), fault.Invalid, "public key"},
		{"no secret", "", edit(clear, `"secret"`, `"sealing"`), fault.Invalid, "members"},
		{"neither secret nor seal", "", []byte(`{"format":"intercom-identity","version":1}`), fault.Invalid, "holds no secret"},
		{"sealed, other public key", "right", edit(sealed, id.PublicKey().String(), other), fault.Denied, "does not open"},
		{"sealed, other address", "right", edit(sealed, `"address": "trac1`, `"address": "trac2`), fault.Denied, "does not open"},
		{"sealed, other costs", "right", edit(sealed, `"passes": 1`, `"passes": 2`), fault.Denied, "does not open"},
		{"costs beyond bounds", "right", edit(sealed, `"memoryKiB": 8`, `"memoryKiB": 4294967295`), fault.Invalid, "out of bounds"},
		{"no passes", "right", edit(sealed, `"passes": 1`, `"passes": 0`), fault.Invalid, "out of bounds"},
		{"unknown kdf", "right", edit(sealed, sealKDF, "scrypt"), fault.Invalid, "not a known sealing"},
		{"short nonce", "right", edit(sealed, `"nonce": "`, `"nonce": "", "x": "`), fault.Invalid, "members"},
		{"oversize", "", bytes.Repeat([]byte(" "), maxFile+1), fault.Unavailable, "regular file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := write(t, c.data, 0o600)
			_, err := Open(dir, []byte(c.passphrase))
			wantFault(t, err, c.kind, c.text)
			if _, _, err := OpenOrCreate(dir, []byte(c.passphrase)); err == nil {
				t.Error("OpenOrCreate passes over it")
			}
			if after, _ := os.ReadFile(Path(dir)); !bytes.Equal(after, c.data) {
				t.Error("the file has changed")
			}
		})
	}
	_, err = Open(t.TempDir(), nil)
	wantFault(t, err, fault.NotFound, "no identity")
}

func TestWhatIsNoFileIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(Path(dir), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := Open(dir, nil)
	wantFault(t, err, fault.Unavailable, "regular file")
	_, err = ImportKeypair(t.TempDir(), os.DevNull, nil, nil)
	wantFault(t, err, fault.Unavailable, "Error reading file")
	_, err = ImportKeypair(t.TempDir(), filepath.Join(dir, "nowhere"), nil, nil)
	wantFault(t, err, fault.NotFound, "File "+filepath.Join(dir, "nowhere")+" not found")

	below := filepath.Join(write(t, nil, 0o600), fileName, "store")
	_, _, err = Create(below, nil, nil)
	wantFault(t, err, fault.Unavailable, "")
	_, _, err = OpenOrCreate(below, nil)
	wantFault(t, err, fault.Unavailable, "")
}

func TestUnprotectedIdentityThatOthersMayReadIsRefused(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // modes say nothing there
	}
	id := FromSeed([32]byte{7})
	for _, mode := range []fs.FileMode{0o644, 0o640, 0o602} {
		_, err := Open(write(t, encode(t, id, ""), mode), nil)
		wantFault(t, err, fault.Denied, fmt.Sprintf("%04o", mode))
		if _, err := Open(write(t, encode(t, id, "secret"), mode), []byte("secret")); err != nil {
			t.Errorf("a protected file of mode %04o is refused: %v", mode, err)
		}
	}
}

func TestManyCreatorsEndWithOneIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	const creators = 16
	keys, origins := make([]PublicKey, creators), make([]Origin, creators)
	var wait sync.WaitGroup
	for i := range creators {
		wait.Go(func() {
			id, origin, err := OpenOrCreate(dir, nil)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i], origins[i] = id.PublicKey(), origin
		})
	}
	wait.Wait()
	created := 0
	for i := range creators {
		if keys[i] != keys[0] {
			t.Errorf("creator %d has another key", i)
		}
		if origins[i] == Created {
			created++
		}
	}
	if created != 1 {
		t.Errorf("%d created it, want 1", created)
	}
}

func TestProcessesThatCreateAtOnceEndWithOneIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	const processes = 4
	said := make([]string, processes)
	var wait sync.WaitGroup
	for i := range processes {
		wait.Go(func() {
			child := exec.Command(os.Args[0])
			child.Env = append(os.Environ(), childDir+"="+dir)
			out, err := child.CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, out)
			}
			said[i] = strings.TrimSpace(string(out))
		})
	}
	wait.Wait()
	created, key := 0, ""
	for _, line := range said {
		origin, k, _ := strings.Cut(line, " ")
		if Origin(origin) == Created {
			created++
		}
		if key == "" {
			key = k
		}
		if k != key || len(k) != 64 {
			t.Errorf("the processes say %q", said)
		}
	}
	if created != 1 {
		t.Errorf("%d processes created it, want 1: %q", created, said)
	}
}

// A crash leaves at most a file of another name; it is in nobody's way.
func TestLeftoverOfACrashIsInNobodysWay(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(Path(dir)+".new-X", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, origin, err := OpenOrCreate(dir, nil); err != nil || origin != Created {
		t.Errorf("%v, %v", origin, err)
	}
}

func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	if _, _, err := Create(dir, nil, nil); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Open(dir, nil); err != nil {
			b.Fatal(err)
		}
	}
}
