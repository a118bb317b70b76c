package contract

import (
	"strings"
	"unicode/utf8"
)

// A Space is a part of the state with leaves of its own: its byte stands before
// every name in it, so that no name of one can reach a leaf of another.
type Space byte

// The spaces of the names that people and contracts use.
const (
	System Space = 's' // admin, transactions, bans
	Chat   Space = 'c'
	Own    Space = 'a' // the contract's
)

// MaxKey is the most bytes that a contract's key has.
const MaxKey = 256

// names are upstream's keys that belong to a space (upstream 3.4), whole or, with
// a slash at the end, as a beginning.
var names = map[string]Space{
	"admin": System, "auto_add_writers": System, "txen": System, "txl": System, "wrl": System,
	"sh/": System, "tx/": System, "txi/": System, "utxl/": System, "utxi/": System, "bnd/": System,
	"chat_status": Chat, "wlst": Chat, "wl/": Chat, "mod/": Chat, "mtd/": Chat, "nick/": Chat, "kcin/": Chat,
	"msgl": Chat, "msg/": Chat, "umsgl/": Chat, "umsg/": Chat, "delml": Chat, "delm/": Chat, "pnl": Chat, "pni/": Chat,
}

// SpaceOf tells to which space a name belongs: a name has one meaning wherever it
// is read, and a contract cannot take one that is upstream's.
func SpaceOf(name string) Space {
	if head, _, found := strings.Cut(name, "/"); found {
		name = head + "/"
	}
	if space, taken := names[name]; taken {
		return space
	}
	return Own
}

// Leaf is the key under which the value of a name stands in the state.
func Leaf(name string) []byte {
	if space := SpaceOf(name); space != Own {
		return append([]byte{byte(space)}, name...)
	}
	return append([]byte{byte(Own), ownValue}, name...)
}

// What the second byte of a contract's leaf says.
const (
	ownValue = 'k'
	ownIndex = 'x'
)

// NameOf is the name whose value stands in a leaf; ok is false for the others.
func NameOf(leaf string) (name string, ok bool) {
	switch {
	case len(leaf) > 1 && (leaf[0] == byte(System) || leaf[0] == byte(Chat)):
		return leaf[1:], true
	case len(leaf) > 2 && leaf[0] == byte(Own) && leaf[1] == ownValue:
		return leaf[2:], true
	}
	return "", false
}

// wellFormed tells whether a text may be a contract's key.
func wellFormed(key string) bool {
	return key != "" && len(key) <= MaxKey && utf8.ValidString(key) &&
		!strings.ContainsFunc(key, func(r rune) bool { return r < ' ' || r == 0x7f })
}
