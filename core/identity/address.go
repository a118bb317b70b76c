package identity

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/btcsuite/btcd/btcutil/bech32"

	"intercom/core/fault"
)

// Prefix is the human-readable part of the main network's addresses and the
// first steps of its derivation (upstream 1.1).
const Prefix = "trac"

const (
	maxPrefix      = 31
	addressPayload = 52 + 6 // a key in groups of five bits, and the checksum
	maxAddress     = maxPrefix + 1 + addressPayload
	bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	addressHint    = `an address looks like "trac1" and 58 more characters; copy it whole`
)

// EncodeAddress is bech32m over the raw key (upstream 1.4). The prefix is 1 to
// 31 letters a to z.
func EncodeAddress(prefix string, key PublicKey) (string, error) {
	if err := checkPrefix(prefix); err != nil {
		return "", err
	}
	return encodeAddress(prefix, key), nil
}

func encodeAddress(prefix string, key PublicKey) string {
	groups, err := bech32.ConvertBits(key[:], 8, 5, true)
	if err == nil {
		var address string
		if address, err = bech32.EncodeM(prefix, groups); err == nil {
			return address
		}
	}
	panic(fmt.Sprintf("identity: encode address: %v", err)) // 32 bytes and a good prefix always fit
}

// DecodeAddress reads an address of any network and tells its prefix. Checksum
// and length are checked; the older bech32 checksum is refused; upper case
// throughout is accepted, as upstream does.
func DecodeAddress(address string) (prefix string, key PublicKey, err error) {
	if len(address) > maxAddress {
		return "", PublicKey{}, fault.New(fault.Invalid, "address %s has %d characters, more than any address", quoteShort(address), len(address)).WithHint(addressHint)
	}
	prefix, groups, version, err := bech32.DecodeGeneric(address)
	if err != nil || version != bech32.VersionM {
		return "", PublicKey{}, fault.New(fault.Invalid, "%q is not an address: its checksum or form is wrong", address).WithHint(addressHint)
	}
	if err := checkPrefix(prefix); err != nil {
		return "", PublicKey{}, err
	}
	bytes, err := bech32.ConvertBits(groups, 5, 8, false)
	if err != nil {
		return "", PublicKey{}, fault.New(fault.Invalid, "%q is not an address: it does not hold whole bytes", address).WithHint(addressHint)
	}
	if len(bytes) != len(key) {
		return "", PublicKey{}, fault.New(fault.Invalid, "address %q holds %d bytes, a key has %d", address, len(bytes), len(key)).WithHint(addressHint)
	}
	return prefix, PublicKey(bytes), nil
}

// ParseAddress reads an address of the main network.
func ParseAddress(address string) (PublicKey, error) {
	prefix, key, err := DecodeAddress(address)
	if err != nil {
		return PublicKey{}, err
	}
	if prefix != Prefix {
		return PublicKey{}, fault.New(fault.Invalid, "address %q is of network %q, not %q", address, prefix, Prefix).WithHint(addressHint)
	}
	return key, nil
}

// LooksLikeAddress is upstream's form check: a lower-case prefix, "1" and 58
// characters of the bech32 alphabet. It does not check the checksum, so that it
// tells what upstream would let pass, not what is right.
func LooksLikeAddress(text string) bool {
	prefix, rest, found := strings.Cut(text, "1")
	if !found || checkPrefix(prefix) != nil || len(rest) != addressPayload {
		return false
	}
	return strings.Trim(rest, bech32Alphabet) == ""
}

func checkPrefix(prefix string) error {
	if prefix == "" || len(prefix) > maxPrefix || strings.Trim(prefix, "abcdefghijklmnopqrstuvwxyz") != "" {
		return fault.New(fault.Invalid, "Invalid HRP. It must be a non-empty string with length between 1 and 31 characters, consisting of lowercase characters a-z.").
			WithHint("the prefix is %s; the main network's is %q", quoteShort(prefix), Prefix)
	}
	return nil
}

// quoteShort quotes a value for a message; of one that is too long to be right,
// which may be a secret pasted into the wrong place, only the beginning.
func quoteShort(text string) string {
	if len(text) <= 40 {
		return strconv.Quote(text)
	}
	return strconv.Quote(text[:8]) + "…"
}
