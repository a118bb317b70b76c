package identity

import (
	"crypto/ed25519"
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"github.com/anyproto/go-slip10"
	"github.com/tyler-smith/go-bip39"

	"intercom/core/fault"
)

// DefaultPath is the main network's derivation path behind the prefix steps
// (upstream 1.1).
const DefaultPath = "m/918'/0'/0'/0'"

const maxPathText = 256 // bytes; a bound of ours

// derive goes from words to a seed by SLIP-0010 for ed25519 (upstream 1.3): one
// hardened step for each byte of the prefix, then the path's steps. The BIP39
// passphrase is always empty.
func derive(words Mnemonic, prefix string, steps []uint32) (seed [ed25519.SeedSize]byte, err error) {
	if err := checkPrefix(prefix); err != nil {
		return seed, err
	}
	node, err := slip10.NewMasterNode(bip39.NewSeed(words.Reveal(), ""))
	for i := 0; err == nil && i < len(prefix); i++ {
		node, err = node.Derive(slip10.FirstHardenedIndex + uint32(prefix[i]))
	}
	for i := 0; err == nil && i < len(steps); i++ {
		node, err = node.Derive(slip10.FirstHardenedIndex + steps[i])
	}
	if err != nil {
		return seed, fmt.Errorf("derive key: %w", err)
	}
	copy(seed[:], node.RawSeed())
	return seed, nil
}

// parsePath reads a path of hardened steps by upstream's rules and with
// upstream's errors (upstream 1.3). Steps are below 2^31.
func parsePath(path string) ([]uint32, error) {
	const hint = "a path looks like %q"
	if len(path) > maxPathText {
		return nil, fault.New(fault.Invalid, "derivation path has %d bytes, more than %d", len(path), maxPathText).WithHint(hint, DefaultPath)
	}
	tight := strings.Map(func(r rune) rune {
		if isJSSpace(r) {
			return -1
		}
		return r
	}, path)
	rest, found := strings.CutPrefix(tight, "m/")
	if !found {
		return nil, fault.New(fault.Invalid, "Derivation path must start with 'm/'").WithHint(hint, DefaultPath)
	}
	var steps []uint32
	for segment := range strings.SplitSeq(rest, "/") {
		digits, hardened := strings.CutSuffix(segment, "'")
		if !hardened || digits == "" || strings.ContainsFunc(digits, notDigit) {
			return nil, fault.New(fault.Invalid, "Invalid segment: '%s'. Only hardened segments (e.g. 0') are supported.", segment).WithHint(hint, DefaultPath)
		}
		step, err := strconv.ParseUint(digits, 10, 31)
		if err != nil {
			return nil, fault.New(fault.Invalid, "Invalid path: The index must be a non-negative decimal integer less than 2147483648.").WithHint(hint, DefaultPath)
		}
		steps = append(steps, uint32(step))
	}
	return steps, nil
}

func notDigit(r rune) bool { return r > unicode.MaxASCII || !unicode.IsDigit(r) }

func formatPath(steps []uint32) string {
	path := []byte("m")
	for _, step := range steps {
		path = append(path, '/')
		path = strconv.AppendUint(path, uint64(step), 10)
		path = append(path, '\'')
	}
	return string(path)
}
