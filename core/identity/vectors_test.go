package identity

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"

	"intercom/core/fault"
)

const abandon = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// vectors is testdata/wallet.json, made by running upstream's wallet.
type vectors struct {
	WorkedAddress struct{ Address, HRP, PublicKey string }
	Derivations   []struct {
		Name, Mnemonic, HRP, DerivationPath, PublicKey, SecretKey64, Address string
	}
	MnemonicNormalization struct{ Input, Output string }
	InvalidMnemonics      []struct{ Input string }
	DerivationPaths       []struct {
		Path, Normalized, Address, Error string
		OK                               bool
	}
	AddressEncode []struct{ HRP, PublicKey, Address string }
	AddressDecode []struct {
		Address, PublicKey string
		IsValidFormat, OK  bool
	}
	Signatures, SignatureNegatives []struct {
		Label, PublicKey, MessageHex, Signature string
		Verify                                  bool
	}
	Keystore struct {
		Vectors []struct {
			Label, Password, KeypairJSON, Salt, Nonce, DerivedKey, Plaintext, Ciphertext, ImportedAddress string
		}
		WrongPasswordError, V2PlaintextLayout string
	}
}

func load(t *testing.T) (v vectors) {
	t.Helper()
	file, err := os.ReadFile("testdata/wallet.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(file, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Derivations) != 15 || len(v.Signatures) != 4 || len(v.Keystore.Vectors) != 3 {
		t.Fatal("the vectors are not all there")
	}
	return v
}

func unhexed(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVectorsDerivation(t *testing.T) {
	for _, v := range load(t).Derivations {
		id, err := FromMnemonicAt(v.Mnemonic, v.HRP, v.DerivationPath)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
			continue
		}
		address, err := EncodeAddress(v.HRP, id.PublicKey())
		if err != nil || id.PublicKey().String() != v.PublicKey || hex.EncodeToString(id.PrivateKey()) != v.SecretKey64 || address != v.Address {
			t.Errorf("%s: derived %s %s, %v", v.Name, id.PublicKey(), address, err)
		}
		if v.HRP == Prefix && v.DerivationPath == DefaultPath {
			plain, err := FromMnemonic(v.Mnemonic)
			if err != nil || plain.PublicKey() != id.PublicKey() || plain.PublicKey().Address() != v.Address {
				t.Errorf("%s: FromMnemonic gives %v, %v", v.Name, plain, err)
			}
		}
	}
}

func TestVectorsMnemonic(t *testing.T) {
	v := load(t)
	words, err := ParseMnemonic(v.MnemonicNormalization.Input)
	if err != nil || words.Reveal() != v.MnemonicNormalization.Output {
		t.Errorf("normalization gives %q, %v", words.Reveal(), err)
	}
	for _, bad := range v.InvalidMnemonics {
		if _, err := ParseMnemonic(bad.Input); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", bad.Input, err)
		}
		if _, err := FromMnemonic(bad.Input); err == nil {
			t.Errorf("an identity comes from %q", bad.Input)
		}
	}
}

// The error texts are upstream's to the letter.
func TestVectorsDerivationPath(t *testing.T) {
	for _, v := range load(t).DerivationPaths {
		id, err := FromMnemonicAt(abandon, Prefix, v.Path)
		switch {
		case !v.OK && (err == nil || err.Error() != v.Error):
			t.Errorf("%q: got %v, want %s", v.Path, err, v.Error)
		case v.OK && (err != nil || id.PublicKey().Address() != v.Address || id.secret().path != v.Normalized):
			t.Errorf("%q: %v, %v", v.Path, id, err)
		}
	}
}

func TestVectorsAddress(t *testing.T) {
	vectors := load(t)
	worked := vectors.WorkedAddress
	if key, err := ParseAddress(worked.Address); err != nil || key.String() != worked.PublicKey {
		t.Errorf("worked example: %s, %v", key, err)
	}
	for _, v := range vectors.AddressEncode {
		key, err := ParsePublicKey(v.PublicKey)
		if err != nil {
			t.Fatal(err)
		}
		if address, err := EncodeAddress(v.HRP, key); err != nil || address != v.Address {
			t.Errorf("encode %s: %s, %v", v.PublicKey, address, err)
		}
		if prefix, back, err := DecodeAddress(v.Address); err != nil || prefix != v.HRP || back != key {
			t.Errorf("decode %s: %s %s, %v", v.Address, prefix, back, err)
		}
	}
	for _, v := range vectors.AddressDecode {
		if got := LooksLikeAddress(v.Address); got != v.IsValidFormat {
			t.Errorf("%q looks like an address: %v", v.Address, got)
		}
		key, err := ParseAddress(v.Address)
		if v.OK && (err != nil || key.String() != v.PublicKey) || !v.OK && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %s, %v", v.Address, key, err)
		}
	}
}

func TestVectorsSignature(t *testing.T) {
	vectors := load(t)
	id, err := FromMnemonic(abandon)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors.Signatures {
		msg, want := unhexed(t, v.MessageHex), unhexed(t, v.Signature)
		if id.PublicKey().String() != v.PublicKey || !bytes.Equal(id.Sign(msg), want) || !Verify(id.PublicKey(), msg, want) {
			t.Errorf("%s: signature differs or does not verify", v.Label)
		}
	}
	for _, v := range vectors.SignatureNegatives {
		key, err := ParsePublicKey(v.PublicKey)
		if err != nil || Verify(key, unhexed(t, v.MessageHex), unhexed(t, v.Signature)) {
			t.Errorf("%s: verifies (%v)", v.Label, err)
		}
	}
}

func TestVectorsKeystore(t *testing.T) {
	keystore := load(t).Keystore
	for _, v := range keystore.Vectors {
		t.Run(v.Label, func(t *testing.T) {
			box := &keypairBox{Salt: unhexed(t, v.Salt), Nonce: unhexed(t, v.Nonce), Ciphertext: unhexed(t, v.Ciphertext)}
			if v.KeypairJSON != "" {
				var err error
				if box, err = parseKeypairBox([]byte(v.KeypairJSON)); err != nil {
					t.Fatal(err)
				}
			}
			key := box.key([]byte(v.Password))
			if hex.EncodeToString(key[:]) != v.DerivedKey {
				t.Error("another key is derived")
			}
			sealed := secretbox.Seal(nil, []byte(v.Plaintext), (*[24]byte)(box.Nonce), key)
			if !bytes.Equal(sealed, box.Ciphertext) {
				t.Error("the plaintext seals to another ciphertext")
			}
		})
	}
	id, err := parseKeypair([]byte(keystore.Vectors[0].Plaintext))
	if err != nil || id.PublicKey().Address() != keystore.Vectors[0].ImportedAddress {
		t.Fatalf("import gives %v, %v", id, err)
	}
	if plain, err := formatKeypair(id, Wallet1); err != nil || string(plain) != keystore.Vectors[0].Plaintext {
		t.Errorf("wallet 1.0.x plaintext is %s, %v", plain, err)
	}
	if plain, err := formatKeypair(id, Wallet2); err != nil || string(plain) != keystore.V2PlaintextLayout {
		t.Errorf("wallet 2.x plaintext is %s, %v", plain, err)
	}
}
