package identity

import (
	"bytes"
	"testing"

	"golang.org/x/crypto/nacl/secretbox"
)

func FuzzIdentityFile(f *testing.F) {
	id, err := FromMnemonic(abandon)
	if err != nil {
		f.Fatal(err)
	}
	for _, passphrase := range []string{"", "p"} {
		data, err := encodeFile(id, []byte(passphrase), cheap)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := decodeFile("f", data)
		if err != nil {
			return
		}
		if file.Sealing != nil && file.Sealing.cost != cheap {
			return // a derivation that the fuzzer should not wait for
		}
		var passphrase []byte
		if file.Sealing != nil {
			passphrase = []byte("p")
		}
		opened, err := file.open("f", passphrase)
		if err != nil {
			return
		}
		if opened.PublicKey() != file.PublicKey || !Verify(opened.PublicKey(), data, opened.Sign(data)) {
			t.Error("opens as another key")
		}
	})
}

func FuzzKeypair(f *testing.F) {
	id, err := FromMnemonic(abandon)
	if err != nil {
		f.Fatal(err)
	}
	for _, form := range []KeypairForm{Wallet1, Wallet2} {
		plain, err := formatKeypair(id, form)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plain)
	}
	f.Add([]byte(`{"nonce":"000102030405060708090a0b0c0d0e0f1011121314151617","salt":"000102030405060708090a0b0c0d0e0f","ciphertext":"000102030405060708090a0b0c0d0e0f00"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if box, err := parseKeypairBox(data); err == nil {
			if _, ok := secretbox.Open(nil, box.Ciphertext, (*[24]byte)(box.Nonce), new([32]byte)); ok {
				t.Error("opens with a made-up key")
			}
		}
		id, err := parseKeypair(data)
		if err != nil {
			return
		}
		plain, err := formatKeypair(id, Wallet2)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseKeypair(plain); err != nil || again.PublicKey() != id.PublicKey() {
			t.Errorf("written again it gives %v, %v", again, err)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"trac1j8wqd88yhnssf74uzrpp5kvwmwdr6jnl42yxluldq893mjxvtf3s8hsyrq", "TRAC1J8WQD88YHNSSF74UZRPP5KVWMWDR6JNL42YXLULDQ893MJXVTF3S8HSYRQ", "trac1", "", "1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		prefix, key, err := DecodeAddress(text)
		if err != nil {
			return
		}
		address, err := EncodeAddress(prefix, key)
		if err != nil || !LooksLikeAddress(address) || !bytes.EqualFold([]byte(address), []byte(text)) {
			t.Errorf("%q is written as %q, %v", text, address, err)
		}
	})
}

func FuzzMnemonic(f *testing.F) {
	f.Add(abandon)
	f.Add("  ABANDON\u3000" + zoo)
	f.Fuzz(func(t *testing.T, text string) {
		words, err := ParseMnemonic(text)
		if err != nil {
			return
		}
		if again, err := ParseMnemonic(words.Reveal()); err != nil || again.Reveal() != words.Reveal() {
			t.Errorf("normal words are not normal: %v", err)
		}
	})
}
