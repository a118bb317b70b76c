package identity

import (
	"encoding/hex"
	"encoding/json"

	"intercom/core/fault"
)

// keypair is the plaintext of either form, members in upstream's order.
type keypair struct {
	Prefix    string `json:"addressPrefix,omitempty"`
	PublicKey string `json:"publicKey"`
	SecretKey string `json:"secretKey"`
	Address   string `json:"address,omitempty"`
	Mnemonic  string `json:"mnemonic,omitempty"`
	Path      string `json:"derivationPath,omitempty"`
	Version   string `json:"version,omitempty"`
}

const keypairVersion = "1.0.0"

func formatKeypair(id *Identity, form KeypairForm) ([]byte, error) {
	s := id.secret()
	k := keypair{PublicKey: s.public.String(), SecretKey: hex.EncodeToString(s.key), Mnemonic: s.words.Reveal(), Path: s.path}
	if form == Wallet2 {
		k.Version = keypairVersion
		k.Prefix = s.prefix
		if k.Prefix == "" {
			k.Prefix = Prefix
		}
		k.Address = encodeAddress(k.Prefix, s.public)
	}
	return json.MarshalIndent(k, "", "  ")
}

// parseKeypair reads the plaintext of either form and holds every part of it
// against the others.
func parseKeypair(plain []byte) (*Identity, error) {
	var k keypair
	if json.Unmarshal(plain, &k) != nil || (k.SecretKey == "" && k.Mnemonic == "") {
		return nil, notKeypair()
	}
	if k.Version != "" && k.Version != keypairVersion {
		return nil, fault.New(fault.Invalid, "Imported keystore version is not supported").
			WithHint("its version is %s, known is %q: export it again with a wallet 1.0.x or 2.x", quoteShort(k.Version), keypairVersion)
	}
	id, err := k.identity()
	if err != nil {
		return nil, err
	}
	if !k.fits(id) {
		return nil, mismatch()
	}
	return id, nil
}

// identity derives the identity from the words if there are any, else takes the
// secret key. A 1.0.x file does not tell the network of its words: it is the one
// whose words give the stored key.
func (k *keypair) identity() (*Identity, error) {
	if k.Mnemonic == "" {
		secret, err := hex.DecodeString(k.SecretKey)
		if err != nil || len(secret) != 64 {
			return nil, notKeypair()
		}
		return FromSeed([32]byte(secret[:32])), nil
	}
	path, prefixes := k.Path, []string{k.Prefix}
	if path == "" {
		path = DefaultPath
	}
	if k.Prefix == "" {
		prefixes = []string{Prefix, "testtrac"}
	}
	for _, prefix := range prefixes {
		id, err := FromMnemonicAt(k.Mnemonic, prefix, path)
		if err != nil {
			return nil, err
		}
		if k.fits(id) {
			return id, nil
		}
	}
	return nil, mismatch()
}

// fits tells whether what the file says of the key is what the identity is.
func (k *keypair) fits(id *Identity) bool {
	s := id.secret()
	if k.SecretKey != "" && k.SecretKey != hex.EncodeToString(s.key) || k.PublicKey != "" && k.PublicKey != s.public.String() {
		return false
	}
	if k.Address == "" {
		return true
	}
	_, key, err := DecodeAddress(k.Address)
	return err == nil && key == s.public
}

func mismatch() error {
	return fault.New(fault.Invalid, "Imported keystore publicKey does not match the derived wallet").
		WithHint("its words, secret key, public key and address do not belong together: restore from the words instead")
}
