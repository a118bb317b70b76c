package identity

import (
	"crypto/ed25519"
	"crypto/sha512"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestSignaturesVerifyAndChangedOnesDoNot(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		msg := rapid.SliceOf(rapid.Byte()).Draw(t, "msg")
		id := FromSeed([32]byte(seed))
		sig := id.Sign(msg)
		if !Verify(id.PublicKey(), msg, sig) {
			t.Fatal("does not verify")
		}
		bit := rapid.IntRange(0, 511).Draw(t, "bit")
		sig[bit/8] ^= 1 << (bit % 8)
		if Verify(id.PublicKey(), msg, sig) {
			t.Fatalf("verifies with bit %d changed", bit)
		}
	})
}

func TestSignatureOfAnotherLengthIsRefused(t *testing.T) {
	id := FromSeed([32]byte{1})
	sig := id.Sign(nil)
	for _, bad := range [][]byte{nil, {}, sig[:63], append(sig, 0)} {
		if Verify(id.PublicKey(), nil, bad) {
			t.Errorf("%d bytes verify", len(bad))
		}
	}
}

// One signature that the standard library takes for every message.
func TestKeysOfSmallOrderAreRefused(t *testing.T) {
	neutral := PublicKey{1}
	sig := append(slices.Clone(neutral[:]), make([]byte, 32)...)
	if !ed25519.Verify(neutral[:], []byte("anything"), sig) {
		t.Error("the example shows nothing")
	}
	if Verify(neutral, []byte("anything"), sig) {
		t.Error("the neutral element signs anything")
	}
	for _, point := range torsion() {
		for _, sign := range []byte{0, 0x80} {
			key := PublicKey(point)
			key[31] |= sign
			if Verify(key, []byte("m"), sig) || !smallOrder(key) {
				t.Errorf("key %s is not refused", key)
			}
		}
	}
}

// With an honest key whose owner makes R the neutral element: S = h·a, so that
// the equation holds. libsodium refuses it, and so do we.
func TestROfSmallOrderIsRefused(t *testing.T) {
	id := FromSeed([32]byte{3})
	key := id.PublicKey()
	r, msg := [32]byte{1}, []byte("m")
	h := sha512.New()
	h.Write(r[:])
	h.Write(key[:])
	h.Write(msg)
	order, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	order.Add(order, new(big.Int).Lsh(big.NewInt(1), 252))
	secret := sha512.Sum512(id.secret().seed[:])
	secret[0] &= 248
	secret[31] = secret[31]&127 | 64
	s := new(big.Int).Mul(little(h.Sum(nil)), little(secret[:32]))
	bytes := toLittle(s.Mod(s, order))
	sig := append(slices.Clone(r[:]), bytes[:]...)
	if !ed25519.Verify(key[:], msg, sig) {
		t.Fatal("the example shows nothing")
	}
	if Verify(key, msg, sig) {
		t.Error("a signature with R of small order verifies")
	}
}

func TestOnlyCanonicalKeysAreTaken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		point := [32]byte(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "point"))
		if rapid.Bool().Draw(t, "high") {
			y := new(big.Int).Sub(prime, big.NewInt(int64(rapid.IntRange(-18, 300).Draw(t, "below"))))
			point = toLittle(y)
			point[31] |= byte(rapid.IntRange(0, 1).Draw(t, "sign") << 7)
		}
		y := point
		y[31] &= 0x7f
		if got, want := canonicalPoint(point), little(y[:]).Cmp(prime) < 0; got != want {
			t.Fatalf("%x canonical: %v, want %v", point, got, want)
		}
	})
}

// The list of points of small order, made anew with plain arithmetic: the
// multiples of one point of order 8.
func TestSmallOrderListIsComplete(t *testing.T) {
	made := torsion()
	if len(made) != 8 {
		t.Fatalf("%d points, want 8", len(made))
	}
	listed := map[[32]byte]bool{}
	for _, point := range made {
		if !smallOrder(point) {
			t.Errorf("%x is missing", point)
		}
		point[31] &= 0x7f
		listed[point] = true
	}
	if len(listed) != len(smallOrderY) {
		t.Errorf("%d y coordinates, listed are %d", len(listed), len(smallOrderY))
	}
}

var prime = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))

// torsion returns the encodings of the multiples of a point of order 8 on
// -x² + y² = 1 + d·x²·y² (RFC 8032, 5.1).
func torsion() (points [][32]byte) {
	d := frac(big.NewInt(-121665), big.NewInt(121666))
	y := little(smallOrderY[3][:])
	yy := new(big.Int).Mul(y, y)
	x := frac(new(big.Int).Sub(yy, big.NewInt(1)), new(big.Int).Add(new(big.Int).Mul(d, yy), big.NewInt(1)))
	if x.ModSqrt(x, prime) == nil {
		return nil
	}
	px, py := big.NewInt(0), big.NewInt(1)
	for {
		point := toLittle(py)
		point[31] |= byte(px.Bit(0)) << 7
		if slices.Contains(points, point) {
			return points
		}
		points = append(points, point)
		a, b := new(big.Int).Mul(px, y), new(big.Int).Mul(py, x)
		c, e := new(big.Int).Mul(py, y), new(big.Int).Mul(px, x)
		k := new(big.Int).Mul(a, b)
		k.Mul(k, d)
		px = frac(new(big.Int).Add(a, b), new(big.Int).Add(big.NewInt(1), k))
		py = frac(new(big.Int).Add(c, e), new(big.Int).Sub(big.NewInt(1), k))
	}
}

func frac(a, b *big.Int) *big.Int {
	inverse := new(big.Int).ModInverse(new(big.Int).Mod(b, prime), prime)
	return inverse.Mul(inverse, a).Mod(inverse, prime)
}

func little(b []byte) *big.Int {
	b = slices.Clone(b)
	slices.Reverse(b)
	return new(big.Int).SetBytes(b)
}

func toLittle(v *big.Int) (out [32]byte) {
	v.FillBytes(out[:])
	slices.Reverse(out[:])
	return out
}
