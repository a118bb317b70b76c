package identity

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"intercom/core/canon"
	"intercom/core/fault"
)

func hexOf(b []byte) string { return hex.EncodeToString(b) }

// W39: upstream writes a file with an empty password that everybody may read.
func TestW39SecretsAreOnDiskForTheirOwnerOnly(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "stores", "peer")
	id, words, err := Create(dir, []byte("a real passphrase"), nil)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(Path(dir))
	if err != nil {
		t.Fatal(err)
	}
	if secret := leaks(string(data), id, words); secret != "" {
		t.Errorf("a protected file shows %s", secret)
	}
	exported := filepath.Join(dir, "out", "keypair.json")
	if err := ExportKeypair(id, exported, []byte("p"), Wallet1); err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS == "windows" {
		return
	}
	for path, want := range map[string]os.FileMode{Path(dir): 0o600, exported: 0o600, dir: 0o700, filepath.Dir(dir): 0o700, filepath.Dir(exported): 0o700} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

// W40 is in redaction_test.go.

// W41: upstream takes keys that do not belong together, goes on after an import
// that failed, and swallows the errors of an export.
func TestW41ImportsAreVerifiedAndFailHard(t *testing.T) {
	id, err := FromMnemonic(abandon)
	if err != nil {
		t.Fatal(err)
	}
	plain, err := formatKeypair(id, Wallet1)
	if err != nil {
		t.Fatal(err)
	}
	other := FromSeed([32]byte{1}).PublicKey().String()
	_, err = parseKeypair(bytes.Replace(plain, []byte(id.PublicKey().String()), []byte(other), 1))
	wantFault(t, err, fault.Invalid, "does not match")

	keystore := load(t).Keystore
	dir := withKeypair(t, keystore.Vectors[1].KeypairJSON) // it has a password
	_, _, err = OpenOrCreate(dir, nil)
	wantFault(t, err, fault.Denied, keystore.WrongPasswordError)
	if Exists(dir) {
		t.Error("an import that failed makes a new identity")
	}

	taken := filepath.Join(dir, upstreamKeypair)
	err = ExportKeypair(id, taken, nil, Wallet1)
	wantFault(t, err, fault.Conflict, "File "+taken+" already exists")
	if left, _ := os.ReadFile(taken); string(left) != keystore.Vectors[1].KeypairJSON {
		t.Error("an export overwrites")
	}
	if err := writeNew(filepath.Join(taken, "below", "a-file"), plain, true); err == nil {
		t.Error("an export that cannot be written is no error")
	}
}

// W42: what one purpose signs is worth nothing for another. (That the transport
// uses the same key stays: upstream's peers need it.)
func TestW42SignatureForOnePurposeIsNoneForAnother(t *testing.T) {
	id := FromSeed([32]byte{1})
	payload := []byte("payload")
	sig := id.Sign(canon.Preimage("intercom/test/a/v1", payload))
	if !Verify(id.PublicKey(), canon.Preimage("intercom/test/a/v1", payload), sig) {
		t.Fatal("does not verify")
	}
	for _, other := range [][]byte{
		canon.Preimage("intercom/test/b/v1", payload),
		canon.Preimage("intercom/test/a/v1", payload[:4], payload[4:]),
		canon.Preimage("intercom/test/a/v1" + string(payload)),
		payload,
	} {
		if Verify(id.PublicKey(), other, sig) {
			t.Errorf("verifies for %q", other)
		}
	}
}

// W43: upstream's words are never shown, so that nobody has a backup.
func TestW43NewIdentityComesWithWordsThatRestoreIt(t *testing.T) {
	made, words, err := Create(t.TempDir(), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(strings.Fields(words.Reveal())); n != 24 {
		t.Errorf("%d words, want 24", n)
	}
	restored, err := Restore(t.TempDir(), " "+strings.ToUpper(words.Reveal())+"\n", nil)
	if err != nil || restored.PublicKey() != made.PublicKey() {
		t.Errorf("restored %v, %v, want %v", restored, err, made)
	}
	first, origin, err := OpenOrCreate(t.TempDir(), nil)
	if err != nil || origin != Created || len(strings.Fields(first.Mnemonic().Reveal())) != 24 {
		t.Errorf("a first start gives no words to show: %v, %v", origin, err)
	}
}

// W44: upstream's file does not say how its key is derived, so that the costs
// can never be raised.
func TestW44CostsAreInTheFileAndRaisable(t *testing.T) {
	id := FromSeed([32]byte{1})
	for _, c := range []cost{cheap, {Passes: 2, MemoryKiB: 256, Lanes: 2}} {
		data, err := encodeFile(id, []byte("p"), c)
		if err != nil {
			t.Fatal(err)
		}
		if opened, err := Open(write(t, data, 0o600), []byte("p")); err != nil || opened.PublicKey() != id.PublicKey() {
			t.Errorf("%+v: %v, %v", c, opened, err)
		}
	}
	dir := t.TempDir()
	if err := Save(dir, id, []byte("p")); err != nil {
		t.Fatal(err)
	}
	var f struct {
		Version int
		Sealing sealing
	}
	data, _ := os.ReadFile(Path(dir))
	if err := json.Unmarshal(data, &f); err != nil || f.Version != 1 || f.Sealing.KDF != "argon2id" || f.Sealing.cost != defaultCost {
		t.Errorf("the file says %+v, %v", f, err)
	}
}

// W45: upstream's nonces come from Math.random.
func TestW45RandomnessIsCryptographic(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			if strings.HasPrefix(spec.Path.Value, `"math/rand`) {
				t.Errorf("%s imports %s", name, spec.Path.Value)
			}
		}
	}
	id := FromSeed([32]byte{1})
	a, _ := decodeFile("a", encode(t, id, "p"))
	b, _ := decodeFile("b", encode(t, id, "p"))
	if bytes.Equal(a.Sealing.Salt, b.Sealing.Salt) || bytes.Equal(a.Sealing.Nonce, b.Sealing.Nonce) {
		t.Error("salt or nonce repeat")
	}
	if _, _, err := Generate(strings.NewReader("too little")); err == nil {
		t.Error("an identity is made from too little randomness")
	}
}
