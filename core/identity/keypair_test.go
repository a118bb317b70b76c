package identity

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"intercom/core/fault"
)

func TestExportedKeypairImportsAgain(t *testing.T) {
	id, err := FromMnemonicAt(abandon, "testtrac", "m/919'/0'/0'/0'")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "keypair.json")
	if err := ExportKeypair(id, path, []byte("pass"), Wallet2); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	imported, err := ImportKeypair(dir, path, []byte("pass"), nil)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, got := range []*Identity{imported, opened} {
		s := got.secret()
		if s.public != id.PublicKey() || s.words.Reveal() != abandon || s.prefix != "testtrac" || s.path != "m/919'/0'/0'/0'" {
			t.Errorf("imported %v, %s, %s", got, s.prefix, s.path)
		}
	}
}

func TestUpstreamsKeypairInTheStoreIsFoundAndImported(t *testing.T) {
	v := load(t).Keystore.Vectors[0]
	dir := withKeypair(t, v.KeypairJSON)
	id, origin, err := OpenOrCreate(dir, nil)
	if err != nil || origin != Imported || id.PublicKey().Address() != v.ImportedAddress || id.Mnemonic().Reveal() != abandon {
		t.Fatalf("%v, %v, %v", id, origin, err)
	}
	again, origin, err := OpenOrCreate(dir, nil)
	if err != nil || origin != Opened || again.PublicKey() != id.PublicKey() {
		t.Errorf("then %v, %v, %v", again, origin, err)
	}
	if left, err := os.ReadFile(filepath.Join(dir, upstreamKeypair)); err != nil || string(left) != v.KeypairJSON {
		t.Errorf("upstream's file has changed: %v", err)
	}
}

func withKeypair(t *testing.T, text string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	path := filepath.Join(dir, upstreamKeypair)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestWalletMadeFromASecretKeyHasNoWords(t *testing.T) {
	id := FromSeed([32]byte{9})
	for _, form := range []KeypairForm{Wallet1, Wallet2} {
		plain, err := formatKeypair(id, form)
		if err != nil || strings.Contains(string(plain), "mnemonic") || strings.Contains(string(plain), "derivationPath") {
			t.Errorf("form %d: %v", form, err)
		}
		back, err := parseKeypair(plain)
		if err != nil || back.PublicKey() != id.PublicKey() || !back.Mnemonic().IsZero() || back.Mnemonic().Reveal() != "" {
			t.Errorf("form %d: %v, %v", form, back, err)
		}
	}
	dir := t.TempDir()
	if err := Save(dir, id, nil); err != nil {
		t.Fatal(err)
	}
	if opened, err := Open(dir, nil); err != nil || opened.PublicKey() != id.PublicKey() || !opened.Mnemonic().IsZero() {
		t.Errorf("opened %v, %v", opened, err)
	}
}

func TestKeypairPlaintexts(t *testing.T) {
	id, err := FromMnemonic(abandon)
	if err != nil {
		t.Fatal(err)
	}
	other := FromSeed([32]byte{5})
	full := func(change func(map[string]any)) string {
		plain, _ := formatKeypair(id, Wallet2)
		members := map[string]any{}
		if err := json.Unmarshal(plain, &members); err != nil {
			t.Fatal(err)
		}
		change(members)
		out, _ := json.Marshal(members)
		return string(out)
	}
	secretOf := func(seed, public *Identity) string {
		s, p := seed.PrivateKey(), public.PublicKey()
		return strings.ToLower(hexOf(append(s[:32], p[:]...)))
	}
	const damagedText = "Could not decrypt keyfile. Data is invalid or corrupted"
	const mismatchText = "Imported keystore publicKey does not match the derived wallet"
	for _, c := range []struct{ name, plain, want string }{
		{"whole", full(func(map[string]any) {}), ""},
		{"words only", full(func(m map[string]any) { delete(m, "secretKey"); delete(m, "publicKey"); delete(m, "address") }), ""},
		{"no path", full(func(m map[string]any) { delete(m, "derivationPath") }), ""},
		{"key without words", full(func(m map[string]any) { m["mnemonic"] = nil; m["derivationPath"] = nil }), ""},
		{"unknown member", full(func(m map[string]any) { m["label"] = "main" }), ""},
		{"no key", full(func(m map[string]any) { delete(m, "secretKey"); delete(m, "mnemonic") }), damagedText},
		{"not JSON", "{", damagedText},
		{"not an object", "[]", damagedText},
		{"short key", full(func(m map[string]any) { m["secretKey"] = "00"; delete(m, "mnemonic") }), damagedText},
		{"no hexadecimal", full(func(m map[string]any) { m["secretKey"] = strings.Repeat("x", 128); delete(m, "mnemonic") }), damagedText},
		{"version 2", full(func(m map[string]any) { m["version"] = "2.0.0" }), "Imported keystore version is not supported"},
		{"bad words", full(func(m map[string]any) { m["mnemonic"] = "one two" }), "there are 2 words"},
		{"bad path", full(func(m map[string]any) { m["derivationPath"] = "m/0" }), "Invalid segment: '0'. Only hardened segments (e.g. 0') are supported."},
		{"bad prefix", full(func(m map[string]any) { m["addressPrefix"] = "TRAC" }), "Invalid HRP."},
		{"other public key", full(func(m map[string]any) { m["publicKey"] = other.PublicKey().String() }), mismatchText},
		{"other address", full(func(m map[string]any) { m["address"] = other.PublicKey().Address() }), mismatchText},
		{"other words", full(func(m map[string]any) { m["mnemonic"] = strings.Repeat("abandon ", 23) + "art" }), mismatchText},
		{"other path", full(func(m map[string]any) { m["derivationPath"] = "m/1'" }), mismatchText},
		{"other secret key", full(func(m map[string]any) { m["secretKey"] = secretOf(other, other) }), mismatchText},
		{"secret key of two halves", full(func(m map[string]any) { m["secretKey"] = secretOf(id, other); delete(m, "mnemonic") }), mismatchText},
	} {
		got, err := parseKeypair([]byte(c.plain))
		switch {
		case c.want == "" && (err != nil || got.PublicKey() != id.PublicKey()):
			t.Errorf("%s: %v, %v", c.name, got, err)
		case c.want != "":
			wantFault(t, err, fault.Invalid, c.want)
		}
	}
}

func TestWhatIsNoKeypairFileIsRefusedBeforeTheCostlyPart(t *testing.T) {
	good := load(t).Keystore.Vectors[0].KeypairJSON
	for _, bad := range []string{
		"", "null", "[]", "{}", `{"nonce":1}`,
		strings.Replace(good, `"salt"`, `"no"`, 1),
		strings.Replace(good, `"nonce":"`, `"nonce":"00`, 1),
		strings.Replace(good, `"salt":"`, `"salt":"zz`, 1),
		good[:strings.Index(good, `"ciphertext":"`)] + `"ciphertext":"00"}`,
		good + strings.Repeat(" ", maxFile),
	} {
		_, err := DecodeKeypair([]byte(bad), nil)
		wantFault(t, err, fault.Invalid, "Could not decrypt keyfile. Data is invalid or corrupted")
	}
}
