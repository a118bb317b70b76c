package identity

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
)

// Verify tells whether sig is key's signature of msg by the rules of upstream,
// which are libsodium's: besides the equation of RFC 8032 it refuses S ≥ L, so
// that nobody can make a second signature from a first, key bytes that are not
// the one encoding of their point, and keys and R of small order, under which
// one signature fits many messages. An empty message is a message.
//
// Two keys that are different bytes are therefore different keys.
func Verify(key PublicKey, msg, sig []byte) bool {
	if len(sig) != ed25519.SignatureSize || !canonicalPoint(key) || smallOrder(key) || smallOrder([32]byte(sig)) {
		return false
	}
	return ed25519.Verify(key[:], msg, sig) // checks S < L, and compares R by its bytes
}

// smallOrderY are the y coordinates, little endian, of the eight points whose
// order divides 8; x and -x differ in the top bit only. Encodings of them that
// are not canonical never get here or never equal the R of an equation.
var smallOrderY = [...][32]byte{
	{},  // order 4
	{1}, // order 1, the neutral element
	unhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), // order 2
	unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), // order 8
	unhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), // order 8
}

func smallOrder(point [32]byte) bool {
	point[31] &= 0x7f
	for _, y := range smallOrderY {
		if point == y {
			return true
		}
	}
	return false
}

// canonicalPoint tells whether y is below the field's prime 2^255 - 19. (The
// other way to write a point twice, x = 0 with its sign set, is of small order.)
func canonicalPoint(point [32]byte) bool {
	if point[0] < 0xed || point[31]&0x7f != 0x7f {
		return true
	}
	return !bytes.Equal(point[1:31], bytes.Repeat([]byte{0xff}, 30))
}

func unhex(text string) (out [32]byte) {
	if n, err := hex.Decode(out[:], []byte(text)); err != nil || n != len(out) {
		panic("identity: bad constant " + text)
	}
	return out
}
